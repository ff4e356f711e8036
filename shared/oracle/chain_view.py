"""What L1 says to a feeder: which oracle signers its key is, what ticks are, and which forced reports still wait."""

from __future__ import annotations

from dataclasses import dataclass

from setoff.shared.codec import eip712, records, signatures
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.errors import ChainError, InputError
from setoff.shared.l1.chain import ChainReader
from setoff.shared.l1.connection import L1
from setoff.shared.l1.inbox import Inbox
from setoff.shared.oracle.chain_clock import ChainClock
from setoff.shared.wire.scales import MarketScale, Step


@dataclass(frozen=True, slots=True)
class Waiting:
    """A forced report that no batch has consumed yet: its number in the queue."""

    index: int
    signer: int
    market: int


class ChainView:
    """The queue's messages of one deployment, read on from where the last look ended. All of it blocks: for a thread.

    A reorg can only take messages away that this feeder sent a moment ago; what it takes away it sends again when due.
    """

    def __init__(self, l1: L1, deployment: Deployment, address: bytes) -> None:
        """`address`: the oracle signer's, 20 bytes."""
        self.clock = ChainClock()
        self.quorum = 0
        """Fresh reports that make a price."""
        self.max_age = 0
        """Seconds for which a report is fresh."""
        self.balance = 0
        """Wei of the signer's account."""
        self.consumed = 0
        """Messages of the queue that batches have taken."""
        self._is_winding_down = False
        self._reader = ChainReader(l1, deployment)
        self._inbox = Inbox(l1, deployment)
        self._address = address
        self._domain = deployment.domain
        self._names = deployment.names
        self._block = deployment.block
        self._signers: dict[int, bytes] = {}
        self._units: dict[int, tuple[int, int]] = {}  # and expiry
        self._reports: list[Waiting] = []

    def look(self) -> None:
        """Read what is new. Raises ChainError if L1 cannot be read."""
        l1 = self._reader.l1
        head = l1.head()
        if head.number < self._block - 1:
            raise ChainError("rpc_unreachable", f"{l1.hosts} is at block {head.number}: it was farther already")
        self.clock.see(head.timestamp)
        if head.number >= self._block:
            for message in self._reader.messages(self._block, head.number):
                self._take(message.index, message.body)
            self._block = head.number + 1
        self.consumed = self._inbox.state().messages_consumed
        self._is_winding_down = self._inbox.is_winding_down()
        self.balance = l1.balance(self._address)

    @property
    def numbers(self) -> list[int]:
        """The signer's numbers: none if L1 does not name it an oracle signer."""
        return sorted(number for number, owner in self._signers.items() if owner == self._address)

    @property
    def waiting(self) -> list[Waiting]:
        """Reports of this key in the queue that no batch has consumed, whoever sent them; the oldest first."""
        self._reports = [report for report in self._reports if report.index >= self.consumed]
        return list(self._reports)

    def find_market(self, named: str) -> int:
        """The number of a market, by its symbol or number. Raises InputError if L1 lists none such."""
        for number, (_, expiry) in self._units.items():
            if named in (str(number), self._names.find(number, expiry).symbol):
                return number
        known = ", ".join(self._names.find(number, expiry).symbol for number, (_, expiry) in self._units.items())
        raise InputError("unknown_market", f"L1 lists no market {named}; there are {known or 'none'}")

    def get_scale(self, market: int) -> MarketScale:
        """A listed market's name, and what its ticks are. Raises ConfigError if the deployment file cannot be right."""
        unit, expiry = self._units[market]
        name, collateral = self._names.find(market, expiry), self._names.collateral
        tokens = Step(1, collateral.decimals)
        return MarketScale.make(name.symbol, name.base, collateral.symbol, lot=name.lot, unit=unit, tokens=tokens)

    def find_end(self, market: int) -> str:
        """Why reports of a listed market are refused by rule from now on, "" if they are not."""
        if self._is_winding_down:
            return "the exchange winds down: no report counts any more"
        _, expiry = self._units[market]
        return "the market has expired: no report counts any more" if 0 < expiry <= self.clock.now() else ""

    def _take(self, index: int, body: bytes) -> None:
        if body[0] == records.SET_SIGNER:
            signer = records.decode_set_signer(body)
            self._signers[signer.number] = signer.owner
            self.quorum, self.max_age = signer.quorum, signer.max_age
        elif body[0] == records.LIST_MARKET:
            listed = records.decode_list_market(body)
            self._units.setdefault(listed.market, (listed.parameters.unit, listed.parameters.expiry))
        elif body[0] == records.REPORT and records.is_canonical(body) and self._is_own(body):
            report = records.decode_report(body)
            self._reports.append(Waiting(index, report.signer, report.market))

    def _is_own(self, body: bytes) -> bool:
        """Whether this key has signed it: anybody can queue what bears a signer's number."""
        digest = eip712.digest(self._domain, body[: records.BODY_BYTES])
        return signatures.recover(digest, body[records.BODY_BYTES : records.RECORD_BYTES]) == self._address
