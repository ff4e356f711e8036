"""The real court on a real chain, with the toy machine's judge, and players that know its epochs.

Beside the arena because players in threads and processes of their own need a node, a clock that runs, and funded keys;
beside `Exchange` because with the real machine and judge no history could lie in any place one likes.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from eth_abi.abi import encode
from eth_utils.abi import collapse_if_tuple
from tests.support.courts.arena import PARAMS
from tests.support.courts.league import Book
from tests.support.evm import compile_own
from tests.support.own_contracts import TOY_JUDGE

from setoff.contracts.compiler import Compiled, compile_contract
from setoff.deploy.devnet.anvil import Anvil
from setoff.deploy.simulation.lab.machine import Leaves, Run
from setoff.shared.codec.hashing import keccak
from setoff.shared.dispute.strategy import Policy
from setoff.shared.dispute.trace_provider import ExecutedEpoch
from setoff.shared.l1.connection import L1
from setoff.shared.l1.court import CourtContract
from setoff.shared.l1.inbox import encode_post
from setoff.shared.l1.player import CourtPlayer
from setoff.shared.machine.batch import Header, epoch_hash
from setoff.shared.machine.data import CALLDATA, ZERO
from setoff.shared.params import Params

VAULT = keccak(b"vault")[:20]
"""Stands for the vault in the genesis; nobody calls it here."""
OPERATOR, PUBLISHER = 0, 1
"""Funded accounts of the chain."""
BATCHES = PARAMS.epoch_batches


def quick(period: int) -> Params:
    """The arena's parameters with a short challenge period."""
    return replace(
        PARAMS,
        challenge_period=period,
        computation=1,
        inclusion=0,
        queueing=0,
        max_skew=10**6,
        silence=10**7,
        wind_down=10**8,
    )


def deploy(l1: L1, compiled: Compiled, *arguments: Any) -> bytes:
    """Deploy a contract; returns its address."""
    constructor = next((entry for entry in compiled.abi if entry["type"] == "constructor"), {"inputs": []})
    types = [collapse_if_tuple(item) for item in constructor["inputs"]]
    address = l1.transact(None, bytes.fromhex(compiled.bytecode.removeprefix("0x")) + encode(types, arguments)).contract
    assert address is not None
    return address


@dataclass
class ToyChain:
    """A court with epochs of the toy machine posted."""

    anvil: Anvil
    params: Params

    def __post_init__(self) -> None:
        self.l1 = l1 = self.anvil.connect(OPERATOR)
        queue = deploy(l1, compile_contract("queue"), VAULT, VAULT, l1.address, 0, 0, 1)
        params = self.params
        periods = (params.max_skew, params.force_delay, params.silence, params.epoch_batches, params.claim_interval)
        self.inbox = deploy(l1, compile_contract("inbox"), queue, l1.address, *periods, [])
        judge = deploy(l1, compile_own(TOY_JUDGE))
        self.court = deploy(
            l1, compile_contract("court"), VAULT, self.inbox, judge, params.terms(), params.backstop_delay
        )
        self.contract = CourtContract(l1, self.court)
        self.hashes: list[bytes] = []

    @cached_property
    def genesis(self) -> bytes:
        return self.contract.genesis

    def post_epochs(self, count: int) -> None:
        """Post that many epochs of empty batches."""
        for _ in range(count * BATCHES):
            number = len(self.hashes)
            parent = self.hashes[-1] if self.hashes else ZERO
            header = Header(parent, number, self.l1.now(), 0, 0, 0, 0, CALLDATA.number, ZERO, ZERO)
            self.l1.transact(self.inbox, encode_post(header))
            self.hashes.append(header.hash())

    def book(self, *histories: Leaves) -> Book:
        """What somebody knows who believes these to be the histories of epochs 0, 1, …."""
        return make_book(self.hashes, self.genesis, list(histories))

    def player(self, account: int, book: Book, policy: Policy | None = None, **options: Any) -> CourtPlayer:
        return CourtPlayer(self.anvil.connect(account, **options), self.court, book, policy)


def make_book(hashes: list[bytes], start: bytes, histories: list[Leaves]) -> Book:
    """What somebody knows of the epochs whose batches have these hashes."""
    book = Book()
    for epoch, history in enumerate(histories):
        commitment = epoch_hash(epoch, BATCHES, hashes[(epoch + 1) * BATCHES - 1])
        book.runs[epoch] = ExecutedEpoch(commitment, 0, Run(start, history))
        start = history.end
    return book
