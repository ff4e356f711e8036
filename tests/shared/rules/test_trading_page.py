"""The figures of the traders' page, played as it tells them: a market of the preset, roles instead of people."""

import re
import tomllib
from pathlib import Path

from tests.support.machines.world import BUY, SELL, World

from setoff.shared.rules.exits import note_draw
from setoff.shared.rules.phases import HOUR, LIQUIDATION_PAUSE

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "shared" / "TRADING.md").read_text()
PRESET = tomllib.loads((ROOT / "deploy" / "contracts" / "presets" / "bitcoin.toml").read_text())
DOLLAR = 10**6
YOU, SELLER, MAKER = 1, 2, 3
HALF = 5_000
"""Lots, half a bitcoin."""
WITHDRAWN = 8_029_500_000


def make_world() -> World:
    world = World()
    for account, dollars in ((YOU, 10_000), (SELLER, 1_000_000), (MAKER, 1_000_000)):
        assert world.deposit(account, dollars * DOLLAR) == "accepted"
    assert world.list_market(**PRESET) == world.set_signer() == world.report(0, 78_000) == "accepted"
    return world


def buy_half(world: World) -> None:
    assert world.order(SELLER, SELL, 78_000, HALF) == world.order(YOU, BUY, 78_000, HALF) == "accepted"
    assert world.position(YOU).size == HALF


def show(units: float) -> str:
    return f"{units / DOLLAR:,.2f}"


def play_money() -> list[str]:
    world = make_world()
    before = world.account(SELLER).collateral
    buy_half(world)
    notional = HALF * 78_000 * PRESET["unit"]
    told = [
        show(notional),
        show(10_000 * DOLLAR - world.equity(YOU)),
        show(world.account(SELLER).collateral - before - notional),
        show(world.market().insurance),
        show(world.equity(YOU)),
    ]
    least = world.equity(YOU) - WITHDRAWN - PRESET["order_margin"]
    assert world.withdraw(YOU, WITHDRAWN + 10_000) == "insufficient_margin"
    assert world.withdraw(YOU, WITHDRAWN) == "accepted"
    return [*told, show(least), show(WITHDRAWN)]


def play_profit() -> list[str]:
    world = make_world()
    buy_half(world)
    world.set_mark(79_000)
    return [show(world.equity(YOU))]


def play_band() -> list[str]:
    world = make_world()
    refused = world.order(MAKER, BUY, 70_199, 1)
    assert world.order(MAKER, BUY, 70_200, 1) == "accepted"
    return ["70,200", refused]


def play_funding() -> list[str]:
    world = make_world()
    buy_half(world)
    world.order(MAKER, BUY, 78_117, 600, order_slot=1)
    world.order(MAKER, SELL, 78_200, 600, order_slot=2)
    world.crank()
    for _ in range(60):
        world.wait(60)
        assert world.report(0, 78_000) == world.crank() == "accepted"
    lot = world.market().funding / 2**32
    return [f"{100 * lot / (78_000 * PRESET['unit']):.4f} %", f"{int(HALF * lot / 10_000) / 100:.2f}"]


def play_liquidation() -> list[str]:
    world = make_world()
    buy_half(world)
    world.withdraw(YOU, WITHDRAWN)
    told = [show(world.equity(YOU))]
    world.order(MAKER, BUY, 76_300, 100_000)
    world.set_mark(76_390)
    assert world.position(YOU).size == HALF
    equity = world.equity(YOU)
    world.set_mark(76_389)
    sold = HALF - world.position(YOU).size
    assert world.fills() == [(MAKER, 76_300, sold)] and 4 * sold == HALF
    fee = equity - HALF * PRESET["unit"] - sold * 89 * PRESET["unit"] - world.equity(YOU)
    told += ["76,390", "76,389", f"{sold / 10_000}", show(fee)]
    world.set_mark(75_000, seconds=LIQUIDATION_PAUSE - 1)
    assert world.position(YOU).size == HALF - sold
    world.set_mark(75_000)
    rest = world.position(YOU).size
    assert 0 < rest < HALF - sold
    assert world.equity(YOU) >= rest * 75_000 * PRESET["unit"] * PRESET["maintenance_margin"] // 10**6
    return told


def play_limit() -> list[str]:
    world = make_world()
    note_draw(world.machine.regs, world.machine.regs.owed)  # a limit begins now
    share, told = 625 * DOLLAR, 0
    shown = []
    for _ in range(2):
        assert world.withdraw(YOU, share + 1) == "withdrawals_limited"
        assert world.withdraw(YOU, share) == "accepted"
        told += share
        shown.append(show(told))
        world.wait(HOUR)
    world.wait(13 * HOUR)
    assert world.withdraw(YOU, 10_000 * DOLLAR - told) == "accepted"
    return shown


def test_every_figure_in_bold_is_what_the_machine_does() -> None:
    told = [*play_money(), *play_profit(), *play_band(), *play_funding(), *play_liquidation(), *play_limit()]
    assert re.findall(r"\*\*(.+?)\*\*", PAGE) == told


def test_the_table_has_the_preset() -> None:
    assert (PRESET["initial_margin"], PRESET["maintenance_margin"]) == (50_000, 30_000)
    assert (PRESET["taker_fee"], PRESET["maker_fee"], PRESET["band"]) == (500, -100, 100_000)
    assert (PRESET["unit"], PRESET["order_margin"], PRESET["impact"]) == (100, DOLLAR, 500)
