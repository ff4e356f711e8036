"""The contracts deployed on a test chain with a toy judge, histories that lie in any place, and calls in game terms.

The one world of the contracts' tests. Its judge may be the real one (`dispute.py`); with the toy one a whole history
takes microseconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

from tests.support.evm import Chain, Contract, address
from tests.support.own_contracts import CODE_STORE, TOY_JUDGE

from setoff.contracts.compiler import Compiled
from setoff.deploy.simulation.lab.machine import Leaves, history_gone_wrong, true_history
from setoff.shared.codec.hashing import keccak
from setoff.shared.codec.records import RECORD_BYTES
from setoff.shared.dispute.bisection import make_move
from setoff.shared.l1.da.registry import own_contracts
from setoff.shared.machine.batch import Header, encode_words, epoch_hash
from setoff.shared.machine.blobs import BLOBS
from setoff.shared.machine.data import CALLDATA, ZERO
from setoff.shared.machine.history import EPOCH, HistoryTree
from setoff.shared.params import ETHER, GWEI, MILLION, Params

NO_WORK: Final = bytes(32)
NOBODY: Final = bytes(32)

OPERATOR: Final = address("operator")
LISTER: Final = address("lister")
CLAIMANT: Final = address("claimant")
HONEST: Final = address("honest")
"""Honest throughout."""
RIVAL: Final = address("rival")
THIRD: Final = address("third")
MOVER: Final = address("mover")
"""Sends moves for others."""
PASSER_BY: Final = address("passer-by")
TRADER: Final = address("trader")
OTHER_TRADER: Final = address("other trader")
THIRD_TRADER: Final = address("third trader")
PARTIES: Final = (CLAIMANT, HONEST, RIVAL, THIRD, MOVER, PASSER_BY)
"""Those who play in the court."""
TRADERS: Final = (TRADER, OTHER_TRADER, THIRD_TRADER)
"""Those who have money in the vault."""
SINK: Final = "0x000000000000000000000000000000000000dEaD"

Posting = tuple[int, int, int, bytes]
"""Timestamp, messages, records, what the module is told."""

PARAMS: Final = Params(
    challenge_period=1000,
    censorship=0,
    computation=500,
    inclusion=50,
    queueing=100,
    bond=ETHER,
    bond_burn_ppm=MILLION // 2,
    stake=10 * ETHER,
    stake_claims=3,
    stake_reward=ETHER,
    gas_price_cap=100 * GWEI,
    claim_interval=0,
    epoch_batches=2,
    batch_interval=1,
    max_skew=100,
    force_delay=50,
    silence=10_000,
    wind_down=20_000,
    listing_delay=500,
    receipt_bond=2 * ETHER + 1,
    exit_delay=20_000,
    backstop_delay=0,
).check()
"""Round numbers: challenge period 1000 s, bond 1, stake 10 for 3 claims, reward 1."""
T: Final = PARAMS.challenge_period
BOND: Final = PARAMS.bond
SHARE: Final = PARAMS.bond - PARAMS.bond_burn

CALLS: Final = {
    *("claim", "join", "move", "timeout", "prove", "install", "void", "settle", "release", "redeem"),
    *("advance", "reclaim", "reclaim_history", "collect", "unstake"),
}
"""Everything that anybody may call at the court."""

ABSENT, CLAIMED, DISPUTED, INSTALLED, SETTLED, VOID, MOOT = range(7)
STANDING, OUT, PAID = 1, 2, 3


def truth(start: bytes, epoch: int = 0, batch_count: int = PARAMS.epoch_batches) -> HistoryTree:
    """The history of an epoch of the toy machine."""
    return true_history(start, epoch, batch_count)


def lie_from(start: bytes, position: int, name: str, epoch: int = 0) -> HistoryTree:
    """A history that is wrong at a real step and goes on from there: another end."""
    return history_gone_wrong(start, epoch, PARAMS.epoch_batches, position, keccak(name.encode()))


@dataclass(frozen=True, slots=True)
class Match:
    """The court's view of a match, with the root on turn and the expiry of its clock."""

    earlier: bytes
    later: bytes
    level: int
    prefix: int
    since: int
    earlier_used: int
    later_used: int
    earlier_node: bytes
    later_node: bytes
    on_turn: bytes
    expiry: int


class Arena:
    """Contracts on a chain, epochs 0 to `epochs` - 1 posted; the accounts of this module have money."""

    def __init__(
        self,
        params: Params = PARAMS,
        epochs: int = 1,
        *,
        court_code: str | Compiled = "court",
        groups: Sequence[str] = (),
        chain: Chain | None = None,
    ) -> None:
        """`groups`: names of the rules' contracts, in the judge's order, for the real judge instead of the toy;
        `chain`: where to deploy, a new one unless it is given."""
        self.params = params
        self.chain = chain = chain or Chain()
        rules = [chain.deploy(f"rule_groups/{name}").address for name in groups]
        deployed = [chain.deploy(contract) for contract in (*own_contracts().values(), CODE_STORE)]
        self.modules = [module.address for module in deployed]
        self.blobs, self.code_store = deployed[BLOBS.number - 1], deployed[-1]
        queue, vault, inbox, judge, court = (chain.predict(1 + ahead) for ahead in range(5))
        self.token = chain.deploy("token")
        self.queue = chain.deploy(
            "queue", vault, inbox, LISTER, params.listing_delay, params.wind_down, params.least_quorum
        )
        self.vault = chain.deploy("vault", self.token.address, queue, court, 1)
        periods = (params.max_skew, params.force_delay, params.silence, params.epoch_batches, params.claim_interval)
        self.inbox = chain.deploy("inbox", queue, OPERATOR, *periods, self.modules)
        self.judge = chain.deploy("judge", inbox, queue, *rules) if rules else chain.deploy(TOY_JUDGE)
        self.court = chain.deploy(court_code, vault, inbox, judge, params.terms(), params.backstop_delay)
        assert [c.address for c in (self.queue, self.vault, self.inbox, self.judge, self.court)] == [
            queue,
            vault,
            inbox,
            judge,
            court,
        ]
        for account in (OPERATOR, LISTER, *PARTIES, *TRADERS):
            chain.fund(account)
        self.post_epochs(epochs)

    @cached_property
    def genesis(self) -> bytes:
        """Confirmed start of epoch 0."""
        start: bytes = self.court.start_of(0)
        return start

    @property
    def now(self) -> int:
        return self.chain.now

    def warp(self, seconds: int) -> None:
        self.chain.warp(seconds)

    def post(self, records: bytes = b"", messages: int = 0, by: str = OPERATOR, **options: Any) -> bytes:
        """The operator, or whoever, posts the next batch; returns its hash. `options`: those of `next_posting`."""
        number, timestamp, count, expected, body = next_posting(self.inbox, self.queue, records, messages, **options)
        self.inbox.post(number, timestamp, count, expected, body, sender=by)
        return expected

    def post_data(
        self, module: int, postings: Sequence[Posting], roots: Sequence[bytes], by: str = OPERATOR, **options: Any
    ) -> bytes:
        """Post batches whose records are with a module that commits to them as `roots`; returns the last one's hash."""
        number = options.get("number", self.inbox.count())
        expected = next_headers(self.inbox, self.queue, module, postings, roots)[-1].hash() if postings else ZERO
        self.inbox.post_data(module, number, expected, postings, sender=by)
        return expected

    def post_epochs(self, count: int) -> None:
        """Empty ones, each as soon as it may begin."""
        for _ in range(count * self.params.epoch_batches):
            self.wait_for_pace()
            self.post()

    def wait_for_pace(self) -> None:
        """Let time pass until the next batch may be posted, if it begins an epoch."""
        self.chain.set_time(max(self.now, self.inbox.paced_until()))

    def key(self, start: bytes, epoch: int = 0, round: int = 0) -> bytes:
        """The key of a claim, computed as anybody would off the chain."""
        count = self.params.epoch_batches
        last = self.inbox.batch_hash((epoch + 1) * count - 1)
        return keccak(encode_words(epoch_hash(epoch, count, last), start, round))

    def claim(self, end: bytes, start: bytes | None = None, epoch: int = 0, by: str = CLAIMANT) -> bytes:
        """Claim, with a stake if one is needed; returns the key."""
        value = 0 if self.court.has_room(by) else self.params.stake
        key: bytes = self.court.claim(epoch, self.genesis if start is None else start, end, sender=by, value=value)
        return key

    def join(self, key: bytes, history: Leaves, by: str = HONEST) -> bytes:
        root: bytes = self.court.join(
            key, history.children(0, 0), history.end, history.last_path(), sender=by, value=self.params.bond
        )
        assert root == history.root
        return root

    def match(self, key: bytes, a: Leaves, b: Leaves) -> Match:
        fields, on_turn, expiry = self.court.match_of(key, a.root, b.root)
        return Match(*(*fields, on_turn, expiry))

    def move_arguments(self, key: bytes, a: Leaves, b: Leaves) -> tuple[Any, ...]:
        """Arguments of the move of whichever side is on turn."""
        match = self.match(key, a, b)
        mover, opponent = (a, b) if match.on_turn == a.root else (b, a)
        return move_arguments(key, mover, opponent, match.level, match.prefix)

    def move(self, key: bytes, a: Leaves, b: Leaves, by: str = HONEST, **options: Any) -> None:
        self.court.move(*self.move_arguments(key, a, b), sender=by, **options)

    def seal(self, key: bytes, a: Leaves, b: Leaves, by: str = HONEST, **options: Any) -> int:
        """Play the remaining moves of both sides; returns the position of the differing leaves."""
        while self.match(key, a, b).level < EPOCH.levels:
            self.move(key, a, b, by, **options)
        return self.match(key, a, b).prefix

    def proof_arguments(self, key: bytes, a: Leaves, b: Leaves, start: bytes | None = None) -> tuple[Any, ...]:
        """Arguments of the judgement of a sealed match; the leaf before comes from `a`."""
        position = self.match(key, a, b).prefix
        return proof_arguments(key, a, b, position, self.genesis if start is None else start)

    def prove(self, key: bytes, a: Leaves, b: Leaves, by: str = HONEST, **options: Any) -> None:
        start = options.pop("start", None)
        self.court.prove(*self.proof_arguments(key, a, b, start), sender=by, **options)

    def beat(self, key: bytes, liar: Leaves, honest: Leaves, by: str = HONEST, **options: Any) -> None:
        """Play a match to its end by proof; the liar must be out and the honest history stand."""
        self.seal(key, honest, liar, by, **options)
        self.prove(key, honest, liar, by, **options)
        assert self.history_state(key, liar) == OUT
        assert self.history_state(key, honest) == STANDING

    def state(self, key: bytes) -> int:
        return int(self.court.claim_of(key)[0])

    def history_state(self, key: bytes, history: Leaves) -> int:
        return int(self.court.history_of(key, history.root)[0])

    def counters(self, key: bytes) -> tuple[int, int]:
        """(standing histories, distinct ends among them)."""
        claim = self.court.claim_of(key)
        return claim[8], claim[9]

    def owed(self, account: str) -> int:
        return int(self.court.owed(account))

    def collect_all(self, *accounts: str) -> None:
        """Collect for all accounts that are owed anything."""
        for account in accounts or PARTIES:
            if self.owed(account):
                self.court.collect(account, sender=PASSER_BY)


def move_arguments(key: bytes, mover: Leaves, opponent: Leaves, level: int, prefix: int) -> tuple[Any, ...]:
    """Of the court's `move` in a match that is at (level, prefix); the fourth is the index."""
    move = make_move(
        mover.children(level, prefix),
        opponent.children(level, prefix),
        lambda index: mover.children(level + 1, EPOCH.fanout * prefix + index),
    )
    sides = (move.common, move.mine, move.theirs)
    return (key, mover.root, opponent.root, move.index, move.children, move.their_child, *sides)


def proof_arguments(
    key: bytes, executed: Leaves, other: Leaves, position: int, start: bytes, proof: bytes = NO_WORK
) -> tuple[Any, ...]:
    """Of the court's `prove`: the leaf before `position` comes from `executed`, or is the claim's start."""
    pre = executed.leaf(position - 1) if position else start
    path = executed.path(position - 1) if position else []
    return (key, executed.root, other.root, pre, path, proof)


def next_posting(
    inbox: Contract,
    queue: Contract,
    records: bytes = b"",
    messages: int = 0,
    *,
    timestamp: int | None = None,
    number: int | None = None,
) -> tuple[int, int, int, bytes, bytes]:
    """Arguments of `post` for the next batch, at this second unless another timestamp is given."""
    timestamp = inbox.chain.now if timestamp is None else timestamp
    count = len(records) // RECORD_BYTES
    root = CALLDATA.commit(records) if records else ZERO
    (header,) = next_headers(inbox, queue, CALLDATA.number, [(timestamp, messages, count, records)], [root])
    return header.number if number is None else number, timestamp, messages, header.hash(), records


def next_headers(
    inbox: Contract, queue: Contract, module: int, postings: Sequence[Posting], roots: Sequence[bytes]
) -> list[Header]:
    """The headers that the inbox computes for the next batches, records committed to as `roots`."""
    number = inbox.count()
    parent = inbox.batch_hash(number - 1) if number else ZERO
    first_message, first_record = inbox.messages_consumed(), inbox.records_posted()
    headers: list[Header] = []
    for (timestamp, messages, count, _), root in zip(postings, roots, strict=True):
        queue_hash = queue.queue_hash((first_message + messages) % 2**256)
        fields = (first_message, messages, first_record, count, module, root, queue_hash)
        headers.append(Header(parent, number, timestamp, *fields))
        parent, number = headers[-1].hash(), number + 1
        first_message, first_record = first_message + messages, first_record + count
    return headers


def arena_with(**changes: int) -> Arena:
    """An arena with some parameters changed."""
    return Arena(replace(PARAMS, **changes))
