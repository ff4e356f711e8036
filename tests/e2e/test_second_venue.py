"""A venue of another team, in a process of its own, settles through this rollup: by the operator, and without it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from tests.support.waiting import wait_until

from setoff.deploy.devnet.anvil import dev_keys
from setoff.deploy.devnet.devnet import FIRST_TRADER, Devnet
from setoff.deploy.devnet.faucet import FAUCET, Faucet
from setoff.deploy.simulation.processes import Processes
from setoff.shared.codec import eip712, records, signatures
from setoff.shared.codec.records import BUY, FOK, POST_ONLY, SELL
from setoff.shared.l1.chain import ChainReader
from setoff.shared.params import DEVNET
from setoff.shared.sdk.replay import Replay
from setoff.shared.sdk.vault import Vault
from setoff.shared.wire.records import encode_record

# One of it for all.
pytestmark = pytest.mark.xdist_group("second venue")

ROOT = Path(__file__).resolve().parents[2]
ORACLE, MAKER, TAKER, PAYER = FIRST_TRADER, FIRST_TRADER + 1, FIRST_TRADER + 2, FIRST_TRADER + 3
PRICE = 78_050
"""Ticks that the two agree on: not the mark."""


class Party:
    """Somebody with a key, an account and a counter of nonces: needs nothing of the operator to sign."""

    def __init__(self, devnet: Devnet, number: int) -> None:
        self._key = dev_keys()[number]
        self._domain = devnet.deployment.domain
        self._nonce = 0
        Faucet(devnet.chain.connect(FAUCET), devnet.deployment).give(signatures.address_of(self._key), 10**10)
        self.account = Vault(devnet.chain.connect(number), devnet.deployment).deposit(10**10)

    def order(self, side: int, size: int, flags: int, price: int = PRICE, slot: int = 0) -> bytes:
        return self.sign(records.OrderBody(self.account, self.nonce(), 1, side, flags, slot, price, size))

    def cancel(self, slot: int = 0) -> bytes:
        return self.sign(records.CancelBody(self.account, self.nonce(), slot))

    def nonce(self) -> int:
        self._nonce += 1
        return self._nonce

    def sign(self, body: Any) -> bytes:
        packed = records.encode(body)
        return packed + signatures.sign(eip712.digest(self._domain, packed), self._key)


class Town:
    """A chain, an operator, two parties, and the venue."""

    def __init__(self, devnet: Devnet, folder: Path) -> None:
        self.devnet = devnet
        self.operator = Processes(devnet, folder)
        self.operator.start_operator(batch_interval=0.5)
        self.exchange = self.operator.operator_url()
        self.maker, self.taker = Party(devnet, MAKER), Party(devnet, TAKER)
        key = folder / "payer.key"
        key.write_text(dev_keys()[PAYER].hex())
        words = ["--exchange", self.exchange, "--rpc", devnet.chain.url, "--key", str(key)]
        words += ["--deployment", str(devnet.deployment_file)]
        module = [sys.executable, "-m", "tests.support.processes.rfq_venue"]
        self.process = subprocess.Popen(
            [*module, *words], cwd=ROOT, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)}
        )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().removeprefix("venue: ").strip()
        self.replay = Replay(ChainReader(devnet.l1, devnet.deployment))
        wait_until(lambda: self.status()["accounts"] == 2, 60, what="the deposits do not arrive")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)
        self.operator.stop()

    def status(self) -> dict[str, Any]:
        return dict(requests.get(f"{self.exchange}/v1/status", timeout=10).json())

    def report(self) -> None:
        """The oracle says 78,000, as both of its signers."""
        for number in (0, 1):
            body = records.encode(records.ReportBody(number, self.devnet.l1.now(), 1, 78_000))
            record = body + signatures.sign(eip712.digest(self.devnet.deployment.domain, body), dev_keys()[ORACLE])
            answer = requests.post(f"{self.exchange}/v1/records", json=encode_record(record), timeout=10)
            assert answer.status_code == 200 or answer.json()["reason"] == "stale_report", answer.text

    def post(self, path: str, code: int = 200, **members: Any) -> dict[str, Any]:
        answer = requests.post(self.url + path, json=members, timeout=60)
        assert answer.status_code == code, answer.text
        return dict(answer.json())

    def positions(self) -> dict[int, tuple[int, int]]:
        """Size and cost in market 1 of both parties, as L1 has them: batches from L1 alone, run again."""
        self.replay.advance()
        found = {}
        for party in (self.maker, self.taker):
            held = self.replay.machine.state.account(party.account).positions
            found[party.account] = next(((p.size, p.cost) for p in held if p.market == 1), (0, 0))
        return found

    def trade(self, size: int) -> dict[str, Any]:
        """The taker asks to buy, the maker quotes, both sign, the venue settles."""
        request = self.post("/requests", market=1, side=BUY, size=size)["request"]
        assert requests.get(f"{self.url}/requests", timeout=10).json()["requests"][request]["size"] == size
        order, cancel = self.maker.order(SELL, size, POST_ONLY), self.maker.cancel()
        quote = self.post("/quotes", request=request, price=PRICE, order=order.hex(), cancel=cancel.hex())["quote"]
        (shown,) = requests.get(f"{self.url}/quotes/{request}", timeout=10).json()["quotes"]
        assert shown == {"quote": quote, "price": PRICE}
        return self.post("/accept", quote=quote, order=self.taker.order(BUY, size, FOK).hex())


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("venue")
    signers = [signatures.address_of(dev_keys()[ORACLE])] * 2
    with Devnet(folder, DEVNET, signers=signers, markets=1) as devnet:
        town = Town(devnet, folder)
        yield town
        town.stop()


def test_a_pair_that_was_agreed_on_elsewhere_is_settled_by_the_operator(town: Town) -> None:
    town.report()
    settled = town.trade(10)
    assert settled["way"] == "operator" and settled["filled"] == 10
    wait_until(lambda: town.replay.batches > settled["batch"], 60, meanwhile=town.positions)
    unit = 100 * PRICE
    assert town.positions() == {town.maker.account: (-10, -10 * unit), town.taker.account: (10, 10 * unit)}


def test_what_was_not_agreed_on_is_not_settled(town: Town) -> None:
    town.report()
    request = town.post("/requests", market=1, side=BUY, size=5)["request"]
    good, cancel = town.maker.order(SELL, 5, POST_ONLY), town.maker.cancel()
    dear = town.maker.order(SELL, 5, POST_ONLY, PRICE + 1)
    told = {"request": request, "price": PRICE, "cancel": cancel.hex()}
    assert "not what was agreed" in town.post("/quotes", 422, order=dear.hex(), **told)["detail"]
    forged = good[:60] + dear[60:]
    assert town.post("/quotes", 422, order=forged.hex(), **told)["reason"] == "bad_signature"
    quote = town.post("/quotes", order=good.hex(), **told)["quote"]
    more = town.taker.order(BUY, 6, FOK)
    assert "not what was agreed" in town.post("/accept", 422, quote=quote, order=more.hex())["detail"]
    assert requests.get(f"{town.exchange}/v1/book/1", timeout=10).json()["asks"] == []


def test_a_taker_who_cannot_trade_any_more_leaves_nothing_of_the_maker_in_the_book(town: Town) -> None:
    town.report()
    request = town.post("/requests", market=1, side=BUY, size=5)["request"]
    order, cancel = town.maker.order(SELL, 5, POST_ONLY), town.maker.cancel()
    quote = town.post("/quotes", request=request, price=PRICE, order=order.hex(), cancel=cancel.hex())["quote"]
    agreed = town.taker.order(BUY, 5, FOK)
    other = town.taker.sign(records.decode_order(agreed)._replace(price=77_000, flags=POST_ONLY, order_slot=9))
    assert requests.post(f"{town.exchange}/v1/records", json=encode_record(other), timeout=10).status_code == 200
    assert town.post("/accept", 422, quote=quote, order=agreed.hex())["reason"] == "nonce_used"
    assert requests.get(f"{town.exchange}/v1/book/1", timeout=10).json()["asks"] == []


def test_without_an_operator_the_pair_goes_through_l1(town: Town) -> None:
    town.report()
    before = town.positions()
    town.operator.kill_operator(forgets=False)
    assert town.trade(7) == {"way": "L1"}
    town.operator.revive_operator()
    town.operator.operator_url()

    def moved() -> bool:
        return town.positions() != before

    wait_until(moved, 60, what="no batch has taken what was forced")
    maker, taker = town.maker.account, town.taker.account
    size = before.get(taker, (0, 0))[0] + 7
    cost = size * 100 * PRICE
    assert town.positions() == {maker: (-size, -cost), taker: (size, cost)}
