"""The client's examples, as they stand, on one devnet with an operator's processes: what a newcomer copies works."""

import json
import re
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path

import pytest
from tests.support.processes.trading_floor import MONEY, TradingFloor, open_trading_floor
from tests.support.waiting import wait_until

from setoff.shared.codec.records import BUY, SELL
from setoff.shared.l1.connection import L1
from setoff.shared.sdk import KeySigner, Vault, WaysOut

EXAMPLES = "setoff.shared.sdk.examples"
ROOT = Path(__file__).resolve().parents[2]
RUN = ROOT / "deploy" / "run"
GUIDE = ROOT / "shared" / "sdk" / "README.md"
MAKER, BASIS, RISKY, OTHER, SAVER = range(5)


@pytest.mark.slow
def test_every_example_does_what_it_says(tmp_path: Path) -> None:
    with open_trading_floor(tmp_path, traders=5) as floor:
        with (
            floor.running(MAKER, f"{EXAMPLES}.market_maker", "--spread-bps=4", "--seconds=12") as quotes,
            floor.client(OTHER) as other,
        ):
            wait_until(lambda: "4 quotes from 77938 to 78062" in quotes.read_text(), 30, what=quotes.read_text)
            assert sorted(order["price"] for order in floor_orders(floor)) == [77938, 77969, 78031, 78062]
            run_guide(floor, tmp_path / "me.key")
            assert other.place("BTC-PERP", BUY, "78040", "0.002").average_price == Decimal(78031)
            wait_until(lambda: "position -0.002" in quotes.read_text(), 20, what=quotes.read_text)
        assert quotes.read_text().endswith("all quotes are taken back\n") and floor_orders(floor) == []
        order_from_typescript(floor)
        watch_the_basis(floor)
        watch_the_risk(floor)
        leave_without_the_operator(floor)


def run_guide(floor: TradingFloor, key: Path) -> None:
    """The program on the client's page, with this exchange and key."""
    (program,) = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    key.write_text(floor.key(SAVER).hex())
    program = program.replace("http://127.0.0.1:8700", floor.url).replace("devnet/me.key", str(key))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr[-2000:]
    assert re.match(r"accepted: 0 lots filled, 10 rest in order slot \d+\n779\d\d \d", done.stdout)


def floor_orders(floor: TradingFloor) -> list[dict[str, int]]:
    """The maker's orders."""
    with floor.client(MAKER) as maker:
        return [dict(order) for order in maker.orders()]  # type: ignore[arg-type]


def order_from_typescript(floor: TradingFloor) -> None:
    """The client that is generated from the API's document, and type-checked, signs an order and places it."""
    found = subprocess.run([str(RUN), "typescript-path"], capture_output=True, text=True)
    assert not found.returncode, found.stderr[-2000:]
    folder = Path(found.stdout.strip())
    words = [str(folder / "node"), str(folder / "dist" / "order.js"), floor.url, "0x" + floor.key(SAVER).hex()]
    done = subprocess.run([*words, "BTC-PERP", "buy", "77000", "0.0123"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr[-2000:]
    assert (json.loads(done.stdout)["outcome"], json.loads(done.stdout)["resting"]) == ("accepted", "123")
    wrong = subprocess.run([*words, "BTC-PERP", "buy", "77000", "0.00001"], capture_output=True, text=True, timeout=60)
    assert wrong.returncode and "0.00001 is no multiple of 0.0001" in wrong.stderr
    with floor.client(SAVER) as client:
        (order,) = client.balance().orders
        assert (order.price, order.size) == (Decimal(77_000), Decimal("0.0123"))
        client.cancel_all()


def watch_the_basis(floor: TradingFloor) -> None:
    """Somebody quotes a market 40 bps above its index, later around it: the basis trader sells, and buys back."""
    words = (f"{EXAMPLES}.basis_trader", "--market=M2-PERP", "--size=30", "--seconds=10")
    with floor.client(OTHER) as other, floor.running(BASIS, *words) as said:
        for bid, ask, word in ((78_300, 78_320, "hold 30 of spot"), (77_990, 78_010, "hold 0 of spot")):
            for side, price in ((BUY, bid), (SELL, ask)):
                other.place(2, side, price, 50)
            wait_until(lambda word=word: word in said.read_text(), 20, what=said.read_text)  # type: ignore[misc]
            other.cancel_all()
    assert "sell 30 at 7.83\n" in said.read_text() and "buy 30 at 7.801\n" in said.read_text(), said.read_text()


def watch_the_risk(floor: TradingFloor) -> None:
    """Fifteen times one's money in a position is more than the monitor bears: it halves that."""
    with floor.client(OTHER) as other, floor.client(RISKY) as risky:
        other.place("BTC-PERP", SELL, 78_000, 2_000)
        other.place("BTC-PERP", BUY, 77_990, 100)
        assert risky.place("BTC-PERP", BUY, "78000", "0.2").filled == 2_000
        with floor.running(RISKY, f"{EXAMPLES}.risk_monitor", "--least-buffer=0.6", "--seconds=6") as said:
            pass
        assert "the buffer is too small: closed" in said.read_text(), said.read_text()


def leave_without_the_operator(floor: TradingFloor) -> None:
    """The operator dies; who has money there takes it all out through L1 alone."""
    key = floor.key(SAVER)
    l1 = L1(floor.devnet.chain.url, key, chain_id=floor.devnet.deployment.chain_id)
    operator, forced, wind_down = WaysOut(l1, floor.devnet.deployment, KeySigner(key), floor.url).look()
    assert (operator.is_open, operator.amount, forced.is_open, forced.amount) == (True, MONEY, True, MONEY)
    assert not wind_down.is_open and wind_down.opens_at > time.time()
    floor.kill_operator()
    ways = WaysOut(l1, floor.devnet.deployment, KeySigner(key), floor.url)
    assert ways.look()[0].text.startswith("operator: closed: not_ready: the exchange does not answer")
    with floor.running(SAVER, f"{EXAMPLES}.emergency_exit") as said:
        floor.live_on(said, "the vault has paid")
    assert "the vault has paid withdrawal 0: 1000 " in said.read_text(), said.read_text()
    assert "posted in its place" in said.read_text() and Vault(l1, floor.devnet.deployment).balance() == MONEY
