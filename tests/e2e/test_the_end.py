"""The operator is gone for good: from L1 alone strangers post, claim and end the exchange, and all are paid out."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.fixtures.exchange import Exchange, call_data

from setoff.deploy import cli
from setoff.deploy.scene import Scene, trader_key
from setoff.shared.adapters.anvil import Anvil, dev_keys
from setoff.shared.adapters.chain import ChainReader
from setoff.shared.adapters.l1 import L1
from setoff.shared.adapters.player import CourtPlayer
from setoff.shared.client.forcing import Forcing
from setoff.shared.client.onchain import Vault
from setoff.shared.client.posting import find_waiting, get_open_time, post_waiting
from setoff.shared.client.replay import Replay
from setoff.shared.client.signer import KeySigner
from setoff.shared.codec import records, signatures
from setoff.shared.dispute.knowledge import Known
from setoff.shared.dispute.strategy import Policy
from setoff.shared.errors import StateError
from setoff.shared.machine.batch import epoch_hash
from setoff.shared.machine.epoch import EpochRun
from setoff.shared.machine.machine import Machine
from setoff.shared.params import DEVNET
from setoff.shared.state import keys

PARAMS = replace(DEVNET, max_skew=100, silence=200, force_delay=20, wind_down=1000).check()
TRADERS = {1: 10_000_000, 2: 10_000_000, 3: 5_000_000, 4: 3_000_000}
STRANGER, CLAIMANT = 5, 6  # funded accounts of the chain


class Followed:
    """Every epoch on L1, run by whoever wants to know."""

    def __init__(self, reader: ChainReader) -> None:
        self.reader = reader
        self.machine = Machine.genesis(reader.deployment.domain)
        self.epochs: list[Known] = []

    def follow(self) -> None:
        count = self.reader.deployment.epoch_batches
        while (len(self.epochs) + 1) * count <= self.reader.batch_count():
            epoch = len(self.epochs)
            batches = [self.reader.batch(number) for number in range(epoch * count, (epoch + 1) * count)]
            run = EpochRun(self.machine, batches, self.reader.chain_at(batches[0].header.first_message))
            last = batches[-1].header
            self.epochs.append(Known(epoch_hash(epoch, count, last.hash()), last.timestamp, run))
            self.machine = run.end_machine()

    def known(self, epoch: int) -> Known | None:
        return self.epochs[epoch] if epoch < len(self.epochs) else None


class Town:
    """An exchange whose operator has posted a few batches, and those who live on without it."""

    def __init__(self, anvil: Anvil, folder: Path) -> None:
        self.anvil = anvil
        self.exchange = Exchange(anvil, PARAMS)
        self.deployment = self.exchange.deployment
        self.path = folder / "deployment.json"
        self.deployment.save(self.path)
        self.stranger: L1 = anvil.connect(STRANGER)
        self.reader = ChainReader(self.stranger, self.deployment)
        self.followed = Followed(self.reader)
        self.player = CourtPlayer(
            anvil.connect(CLAIMANT),
            self.deployment.court,
            self.followed,
            Policy(claim_after=0),
            first_block=self.deployment.block,
            spread=0.0,
        )
        vault = bytes.fromhex(self.deployment.vault[2:])
        self.scene = Scene(self.deployment.chain_id, vault)
        for account in TRADERS:
            owner = "0x" + signatures.address_of(trader_key(account)).hex()
            anvil.l1.request("anvil_setBalance", owner, hex(10**18))

    @property
    def now(self) -> int:
        return self.stranger.head().timestamp

    def trade(self) -> None:
        """What the operator does while it lives: two markets, positions, resting and armed orders, a backstop."""
        for account, amount in TRADERS.items():
            self.exchange.deposit(account, amount)
        operator, queue = self.exchange.operator, self.deployment.queue
        scene = self.scene
        for message in (scene.list_market(1), scene.list_market(2, max_age=10**6), scene.set_signer(0, 1, 10**6)):
            self.propose(message)
        scene.time = self.now
        inputs = [scene.report(0, 1_000, market=1), scene.report(0, 500, market=2), scene.stake(4, 1_000_000)]
        inputs += [
            scene.order(1, records.BUY, 1_000, 500, market=1),
            scene.order(2, records.SELL, 1_000, 500, market=1),
        ]
        inputs += [scene.order(2, records.BUY, 500, 300, market=2), scene.order(3, records.SELL, 500, 300, market=2)]
        inputs += [scene.order(1, records.BUY, 900, 100, market=1), scene.order(3, records.SELL, 600, 50, market=2)]
        inputs += [scene.order(1, records.SELL, 800, 100, market=1, flags=records.BELOW, trigger=850)]
        inputs += [scene.transfer(1, keys.sub_account(1, 2), 777_777)]
        waiting = find_waiting(self.reader)
        assert self.exchange.post(0, waiting, inputs).succeeded
        scene.time = self.now + 1
        self.anvil.advance(1)
        assert self.exchange.post(1, 0, [scene.report(0, 1_100, market=1, time=scene.time)]).succeeded
        assert operator.head().timestamp and queue

    def propose(self, message: bytes) -> None:
        """Have the lister propose what `message` says, and anybody enact it."""
        if message[0] == records.SET_SIGNER:
            s = records.decode_set_signer(message)
            data = call_data("propose_signer(uint16,address,uint16,uint32)", s.number, s.owner, s.quorum, s.max_age)
        else:
            m = records.decode_list_market(message)
            widths = "uint16,uint64,uint32,uint32,uint32,int32,uint32,uint32,uint32,uint32,uint32"
            widths += ",uint64,uint64,uint64,uint64,uint64,uint32,uint32,uint64,uint32,uint32"
            data = call_data(f"propose_listing({widths})", *m)
            data = _selector(f"propose_listing(({widths}))") + data[4:]
        proposal = self.exchange.operator.transact(self.deployment.queue, data)
        number = int.from_bytes(proposal.logs[0].topics[1], "big")
        self.exchange.funder.transact(self.deployment.queue, call_data("enact(uint256)", number))

    def post(self) -> None:
        """A stranger posts what waits."""
        assert post_waiting(self.stranger, self.reader).succeeded

    def confirm(self) -> None:
        """Strangers claim every epoch, and the challenge period passes."""
        for _ in range(60):
            self.followed.follow()
            self.player.step()
            court = self.player.reader.court
            if court.confirmed >= len(self.followed.epochs):
                return
            self.anvil.advance(10)
        raise AssertionError("the claims are not confirmed")

    def forcing(self, account: int) -> Forcing:
        """A trader who pays for its own records and vouches for them as their sender."""
        key = trader_key(account)
        l1 = L1(self.anvil.url, key, chain_id=self.deployment.chain_id)
        return Forcing(l1, self.deployment, KeySigner(key), as_sender=True)

    def setoff(self, account: int, line: str) -> int:
        """Run the command as a trader."""
        words = [*line.split(), "--key", trader_key(account).hex(), "--rpc", self.anvil.url]
        return cli.main([*words, "--deployment", str(self.path)])

    def in_background(self, account: int, line: str) -> "Command":
        return Command(self, account, line)

    def balance(self, account: int) -> int:
        owner = signatures.address_of(trader_key(account))
        data = call_data("balanceOf(address)", "0x" + owner.hex())
        return int.from_bytes(self.stranger.call(self.deployment.token, data), "big")


class Command(threading.Thread):
    """A command that waits for L1."""

    def __init__(self, town: Town, account: int, line: str) -> None:
        super().__init__(daemon=True)
        self.code: int | None = None
        self._call = lambda: town.setoff(account, line)
        self.start()

    def run(self) -> None:
        self.code = self._call()


def _selector(signature: str) -> bytes:
    from setoff.shared.codec.hashing import keccak

    return keccak(signature.encode())[:4]


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with Anvil() as anvil:
        town = Town(anvil, tmp_path)
        town.trade()
        yield town


def test_everybody_is_paid_out_when_the_operator_is_gone(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    # A forced record waits for a batch that nobody posts.
    first = town.forcing(1)
    forced = first.send(first.cancel_all())
    with pytest.raises(StateError, match="too_early"):
        post_waiting(town.stranger, town.reader)
    with pytest.raises(StateError, match="not_ready"):
        first.wait(forced, timeout=0)
    town.anvil.advance(get_open_time(town.reader) - town.now)
    command = town.in_background(3, "force order buy 2 5 495 --as-sender")
    while find_waiting(town.reader) < 2:
        command.join(0.1)
    town.post()
    command.join(60)
    assert command.code == 0
    assert first.wait(forced).outcome == 0

    # The wind-down: too early, then once.
    assert town.setoff(2, "force wind-down --no-wait") == 1
    assert "too_early" in capsys.readouterr().err
    town.anvil.advance(PARAMS.wind_down)
    assert town.setoff(2, "force wind-down --no-wait") == 0
    assert town.setoff(3, "force order buy 2 5 495 --as-sender --no-wait") == 0
    for market in (1, 2):
        assert town.setoff(4, f"force tick {market} --no-wait") == 0
    town.post()
    town.anvil.advance(60)
    for market in (1, 2):
        assert town.setoff(4, f"force tick {market} --no-wait") == 0
    town.post()
    replay = Replay(town.reader)
    replay.advance()
    assert replay.fate(replay.consumed - 4) is not None
    state = replay.machine.state
    assert [state.market(market).settled for market in (1, 2)] == [1, 1]
    assert replay.machine.regs.winding > 0

    # Everybody takes out everything: first out of sub-account and backstop, then off the exchange.
    assert town.setoff(1, "force transfer 1 0.777777 --sub 2 --as-sender --no-wait") == 0
    assert town.setoff(4, "force unstake --as-sender --no-wait") == 0
    town.post()
    owed = {}
    for account in TRADERS:
        forcing = town.forcing(account)
        owed[account] = forcing.leaf(account).collateral
        forcing.send(forcing.withdraw(owed[account]))
    town.post()
    replay.advance()
    assert replay.machine.regs.withdrawals == len(TRADERS)
    town.confirm()
    for index, account in enumerate(TRADERS):
        before = town.balance(account)
        assert town.setoff(account, f"force pay {index}") == 0
        assert town.balance(account) == before + owed[account]

    # What is left is what the protocol says: insurance, the dust of funding, and what the backstop has for nobody.
    state = replay.machine.state
    dust = sum(state.market(market).insurance + state.market(market).pool for market in (1, 2))
    dust += state.account(keys.BACKSTOP).collateral
    vault = Vault(town.stranger, town.deployment)
    held = int.from_bytes(
        town.stranger.call(town.deployment.token, call_data("balanceOf(address)", town.deployment.vault)), "big"
    )
    assert held == dust == replay.machine.regs.owed
    assert sum(owed.values()) + dust == sum(TRADERS.values())
    assert dust > 0 and state.account(keys.BACKSTOP).shares == 0
    assert all(vault.is_paid(index) for index in range(len(TRADERS)))
    # The long won what the short lost, at the last index.
    assert owed[1] > TRADERS[1] > owed[2]
    assert len(dev_keys()) > CLAIMANT


def test_the_operator_comes_back_by_rule(town: Town) -> None:
    """A stranger's batch does not end the operator's right; its own next batch ends the strangers'."""
    forcing = town.forcing(1)
    forcing.send(forcing.cancel_all())
    town.anvil.advance(PARAMS.silence)
    town.post()
    number = town.reader.batch_count()
    assert town.exchange.post(number, 0).succeeded
    forcing.send(forcing.withdraw(1))
    with pytest.raises(StateError, match="too_early"):
        post_waiting(town.stranger, town.reader)
