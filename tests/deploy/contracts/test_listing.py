"""Markets from files: an exchange's margin tiers, the checks before anything is sent, and proposals on a chain."""

import json
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from setoff.deploy.cli import main as cli
from setoff.deploy.contracts import listing, tiers
from setoff.deploy.contracts.deployment import deploy
from setoff.deploy.devnet.anvil import Anvil, dev_keys
from setoff.shared.codec.records import MarketParameters
from setoff.shared.errors import ConfigError
from setoff.shared.params import DEVNET
from setoff.shared.rules.listing import set_parameters
from setoff.shared.rules.margin import compute_requirement, weigh_initial, weigh_maintenance
from setoff.shared.state.leaves import Market, decode_market

PRESETS = Path(tiers.__file__).parent / "presets"
BRACKETS, TERMS = PRESETS / "margin_tiers.json", PRESETS / "bitcoin.toml"
EXCHANGE_TERMS = PRESETS / "terms.toml"
SYMBOLS = ("BTC/USDT:USDT", "ETH/USDT:USDT", "SOL/USDT:USDT")
DECIMALS = 6


def make_market(symbol: str, unit: int, price: int, leverages: tuple[int, ...]) -> tuple[Market, MarketParameters]:
    """The market that a listing with these tiers makes, at a mark of `price`."""
    chosen = tiers.choose_tiers(tiers.load_brackets(BRACKETS, symbol), leverages)
    parameters = tiers.to_parameters(chosen, unit=unit, price=price, decimals=DECIMALS)
    _, terms = listing.make_terms(1, listing.load_terms(TERMS), parameters, {"unit": unit, "close_out": 0})
    market = decode_market(b"")
    market.unit, market.mark = unit, price
    set_parameters(market, terms)
    return market, terms


def source_margins(symbol: str, worth: Decimal) -> tuple[Fraction, Fraction]:
    """(initial, maintenance) margin that the source's brackets ask of a position of this worth, part by part."""
    initial = maintenance = Fraction(0)
    for entry in json.loads(BRACKETS.read_text(), parse_float=Decimal)[symbol]:
        part = Fraction(str(min(worth, entry["maxNotional"]) - entry["minNotional"]))
        initial += part / int(entry["maxLeverage"])
        maintenance += part * Fraction(str(entry["maintenanceMarginRate"]))
        if worth <= entry["maxNotional"]:
            return initial, maintenance
    raise AssertionError("the source allows no such position")


@pytest.mark.parametrize("symbol", SYMBOLS)
@pytest.mark.parametrize(
    ("unit", "price", "leverages"), [(100, 200_000, (50, 20, 5)), (1_000, 9_999, (75, 10, 1)), (7, 33_333, (25,))]
)
def test_no_position_needs_less_than_the_source_asks(
    symbol: str, unit: int, price: int, leverages: tuple[int, ...]
) -> None:
    market, terms = make_market(symbol, unit, price, leverages)
    edges = [terms.tier1_size, terms.tier2_size, terms.max_position]
    caps = [int(bracket.cap) * 10**DECIMALS for bracket in tiers.load_brackets(BRACKETS, symbol)]
    checked = 0
    for mark in (price, price - 1, price // 2, price // 10):
        market.mark = mark
        sizes = {edge + away for edge in edges for away in (-1, 0, 1)}
        sizes |= {cap // (unit * mark) + away for cap in caps for away in (-1, 0, 1)} | {1, 10, 1_000}
        for size in sizes:
            if not 1 <= size <= terms.max_position:
                continue
            checked += 1
            initial, maintenance = source_margins(symbol, Decimal(size * mark * unit) / 10**DECIMALS)
            assert compute_requirement(weigh_initial(size, market, 0), market) >= initial * 10**DECIMALS
            assert compute_requirement(weigh_maintenance(size, market), market) >= maintenance * 10**DECIMALS
    assert checked > 20


def test_the_tiers_of_bitcoin_by_hand() -> None:
    # Source: up to 12 M the leverage is 50 and the rate 1 %; up to 100 M 20 and 2.5 %; up to 480 M 5 and 10 %.
    # A lot at 200,000 dollars is worth 20 dollars.
    _, terms = make_market("BTC/USDT:USDT", 100, 200_000, (50, 20, 5))
    assert (terms.initial_margin, terms.maintenance_margin) == (20_000, 10_000)
    assert (terms.tier1_size, terms.tier1_initial, terms.tier1_maintenance) == (600_000, 50_000, 25_000)
    assert (terms.tier2_size, terms.tier2_initial, terms.tier2_maintenance) == (5_000_000, 200_000, 100_000)
    assert terms.max_position == 24_000_000


def test_leverages_that_add_no_bracket_add_no_tier() -> None:
    brackets = tiers.load_brackets(BRACKETS, "BTC/USDT:USDT")
    assert len(tiers.choose_tiers(brackets, (50, 40, 30))) == 1
    with pytest.raises(ConfigError, match="allows a leverage of 150"):
        tiers.choose_tiers(brackets, (151,))
    for leverages in ((), (5, 20), (20, 20), (20, 10, 5, 2), (5, 0)):
        with pytest.raises(ConfigError, match="falling"):
            tiers.choose_tiers(brackets, leverages)
    with pytest.raises(ConfigError, match="single lot"):
        tiers.to_parameters(tiers.choose_tiers(brackets, (50,)), unit=2**31, price=2**23, decimals=DECIMALS)


BRACKET = {"minNotional": 0, "maxNotional": 100, "maintenanceMarginRate": 0.1, "maxLeverage": 5}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[1]",
        '{"X": 5}',
        '{"X": [5]}',
        json.dumps({"X": [BRACKET | {"minNotional": 1}]}),
        json.dumps({"X": [BRACKET | {"maintenanceMarginRate": "0.1"}]}),
        json.dumps({"X": [BRACKET | {"maintenanceMarginRate": 0.3}]}),
        json.dumps({"X": [BRACKET | {"maxNotional": 0}]}),
        json.dumps({"X": [BRACKET, BRACKET]}),
        json.dumps({"X": [BRACKET, BRACKET | {"minNotional": 100, "maxNotional": 200, "maxLeverage": 6}]}),
        json.dumps({"X": [BRACKET, BRACKET | {"minNotional": 100, "maxNotional": 200, "maintenanceMarginRate": 0.05}]}),
        json.dumps({"X": [BRACKET]}).replace("100", "NaN"),
    ],
)
def test_refuses_a_file_of_another_shape(tmp_path: Path, text: str) -> None:
    file = tmp_path / "tiers.json"
    file.write_text(text)
    with pytest.raises(ConfigError, match="bad_config"):
        tiers.load_brackets(file, "X")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"fee": 1}, "no parameter fee"),
        ({"taker_fee": 1.5}, "taker_fee"),
        ({"taker_fee": True}, "taker_fee"),
        ({"taker_fee": 2**32}, "taker_fee"),
        ({"maker_fee": -600}, "bad_parameters"),
        ({"maintenance_margin": 60_000}, "bad_parameters"),
        ({"max_position": 2**38 + 1}, "bad_parameters"),
    ],
)
def test_refuses_parameters_that_the_rules_would_refuse(fields: dict[str, int], reason: str) -> None:
    good = listing.load_terms(TERMS)
    assert listing.make_terms(1, good).parameters.unit == 100
    with pytest.raises(ConfigError, match=reason):
        listing.make_terms(1, good, fields)
    with pytest.raises(ConfigError, match="missing: band"):
        listing.make_terms(1, {name: value for name, value in good.items() if name != "band"})


def test_from_a_proposal_to_the_queue(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Anvil() as chain:
        lister = chain.connect(0)
        deployment = deploy(lister, DEVNET, operator=chain.connect(1).address, lister=lister.address)
        deployment.save(tmp_path / "deployment.json")

        def setoff(line: str, key: int = 0, code: int = 0) -> str:
            words = [*line.split(), "--rpc", chain.url, "--deployment", str(tmp_path / "deployment.json")]
            if "proposals" not in line:
                words += ["--key", dev_keys()[key].hex()]
            assert cli.main(["market", *words]) == code
            captured = capsys.readouterr()
            return captured.err if code else captured.out

        check_proposals(setoff)


def check_proposals(setoff: Callable[..., str]) -> None:
    full = (
        f"propose 1 --terms {TERMS} --tiers {BRACKETS} --symbol BTC/USDT:USDT --price 200000 --parameter taker_fee=400"
    )
    assert "tier2_size           5000000" in setoff(f"{full} --dry-run")
    assert "not_the_lister" in setoff(full, key=2, code=1)
    assert "proposal 0" in setoff(full)
    assert "proposal 1" in setoff(f"propose 1 --change --terms {TERMS} --parameter initial_margin=70000")
    assert "proposal 2" in setoff("signer 0 0x" + "11" * 20 + " --quorum 1")
    shown = setoff("proposals")
    assert "market 1: unit 100" in shown and "taker_fee 400" in shown and "quorum 1" in shown
    assert "change of market 1" in shown and "initial_margin 70000" in shown
    assert "taken back" in setoff("revoke 1")
    assert "taker_saving         180000" in setoff(f"terms --terms {EXCHANGE_TERMS} --dry-run")
    assert "bad_parameters" in setoff(f"terms --terms {EXCHANGE_TERMS} --parameter taker_saving=250000", code=2)
    assert "no parameter fee" in setoff("terms --parameter fee=1", code=2)
    assert "proposal 3" in setoff(f"terms --terms {EXCHANGE_TERMS} --parameter low=7")
    assert "terms: low 7, high 200000000000, taker_saving 180000" in setoff("proposals")
    assert "taken back" in setoff("revoke 3")
    assert "queued" in setoff("enact 0", key=2)
    assert "no_such_proposal" in setoff("enact 0", code=1)
    assert "no_such_proposal" in setoff("revoke 1", code=1)
    assert setoff("proposals").startswith("2: can be enacted for another 604")
    with pytest.raises(SystemExit):
        setoff("signer 0 0x1 --quorum 1")
    assert "--symbol" in setoff(f"propose 1 --terms {TERMS} --tiers {BRACKETS}", code=2)
    assert "bad_parameters" in setoff(f"propose 1 --terms {TERMS} --parameter maker_fee=-501", code=2)
