"""One honest watcher in this process, the only party that still does anything: follower, executor, challenger and
liveness keeper, a round each as often as the test wants, on a chain whose clock the test turns."""

from collections.abc import Callable

from tests.support.chains.exchange import Exchange, call_data
from tests.support.processes.watching import Desk
from tests.support.waiting import wait_until

from setoff.deploy.devnet.anvil import dev_keys
from setoff.shared.dispute.events import Event
from setoff.shared.l1.connection import L1
from setoff.shared.l1.player import CourtPlayer
from setoff.shared.machine.machine import Machine
from setoff.shared.sdk.vault import Vault
from setoff.shared.wire.withdrawals import WithdrawalProof, prove_withdrawal
from setoff.watcher.context import Context
from setoff.watcher.dispute.challenger import OpenEpochs, make_player, open_epochs
from setoff.watcher.execution.archive import Archive
from setoff.watcher.execution.verify import verify_epoch
from setoff.watcher.liveness.liveness_keeper import LivenessKeeper
from setoff.watcher.settings import WatcherSettings

WATCHER = 5
"""Its account on the development chain."""
SECONDS = 120.0
"""Seconds on the wall that a test waits at most."""


class LoneWatcher:
    """A watcher that was told where the contracts are, and nothing of any operator's address."""

    def __init__(
        self,
        exchange: Exchange,
        settings: WatcherSettings,
        account: int = WATCHER,
        l1: L1 | None = None,
        open_epochs: OpenEpochs = open_epochs,
    ) -> None:
        """`l1`: the connection to send through, if its account is used elsewhere, too; `open_epochs`: gives what it
        believes."""
        self.exchange = exchange
        context = Context.open(settings, key=dev_keys()[account])
        self.context = context if l1 is None else context._replace(l1=l1)
        self.desk = Desk(settings)
        self.player: CourtPlayer = make_player(settings, self.context, open_epochs)
        self.liveness_keeper = LivenessKeeper(
            self.context.l1, Archive.of(self.context), settings.liveness_keeper_pace, spread=0.0
        )
        self.said = ""
        self.events: list[Event] = []

    def round(self) -> None:
        """What its processes do in a second or so."""
        self.desk.execute_all()
        self.events += self.player.step().events
        self.said = self.liveness_keeper.step()

    def play_until(self, holds: Callable[[], object], seconds: int = 5) -> None:
        """Rounds, `seconds` of the chain's time apart, until something is true."""

        def go_on() -> None:
            self.round()
            self.exchange.anvil.advance(seconds)

        wait_until(holds, SECONDS, what=lambda: self.said, meanwhile=go_on, pause=0)

    def wait_for_money(self, account: int, amount: int) -> WithdrawalProof:
        """Rounds until the vault has paid `account` its one withdrawal of that amount."""
        proof = None

        def is_paid() -> bool:
            nonlocal proof
            proof = proof or find_withdrawal(self.context, account, amount)
            return proof is not None and is_confirmed(self.player, proof) and pay(self.exchange, proof)

        self.play_until(is_paid)
        assert proof is not None
        return proof


def find_withdrawal(context: Context, account: int, amount: int) -> WithdrawalProof | None:
    """Proof of a withdrawal as the user makes it, from L1 alone, as soon as its epoch is posted whole."""
    epochs = context.reader.batch_count() // context.deployment.epoch_batches
    if not epochs:
        return None
    machine: Machine = verify_epoch(context.reader, epochs - 1)[1]
    machine.state.commit()
    for index in range(machine.regs.withdrawals):
        leaf = machine.state.withdrawal(index)
        if (leaf.account, leaf.amount) == (account, amount):
            root = machine.state.tree.root
            return prove_withdrawal(machine, epochs - 1, index, machine.regs.hash(), root)
    return None


def is_confirmed(player: CourtPlayer, proof: WithdrawalProof) -> bool:
    return player.reader.court.confirmed > proof.epoch


def pay(exchange: Exchange, proof: WithdrawalProof) -> bool:
    """Have the vault pay, and check that the owner has just so much."""
    l1: L1 = exchange.anvil.connect(9)
    before = tokens_of(exchange, proof.owner)
    Vault(l1, exchange.deployment).withdraw(proof)
    return tokens_of(exchange, proof.owner) - before == proof.amount


def tokens_of(exchange: Exchange, owner: bytes) -> int:
    """Token units that an address holds on L1."""
    data = call_data("balanceOf(address)", owner)
    return int.from_bytes(exchange.anvil.l1.call(exchange.deployment.token, data), "big")
