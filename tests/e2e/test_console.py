"""The web console as people meet it: a real browser, a real exchange."""

from decimal import Decimal
from pathlib import Path

from tests.support.processes.console import find_chromium, find_console, play
from tests.support.processes.trading_floor import open_trading_floor

from setoff.shared.codec.records import SELL

MAKER, TRADER = range(2)


def test_an_order_is_placed_and_seen_filled(tmp_path: Path) -> None:
    find_chromium()
    find_console()  # before the operator, which reads its files when it starts
    with open_trading_floor(tmp_path, traders=2) as floor:
        with floor.client(MAKER) as maker:
            maker.place("BTC-PERP", SELL, "78010", "0.05")
        told = play("trade", floor.url, "0x" + floor.key(TRADER).hex())
        assert told["margin"] == "39.01 tUSD"  # a twentieth of 780.10, rounded up to the unit and shown to the cent
        assert "78,010" in told["position"]
        with floor.client(TRADER) as trader:
            balance = trader.balance()
        assert not balance.orders and [position.size for position in balance.positions] == [Decimal("0.01")]
