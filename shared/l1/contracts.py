"""The deployed contracts as Python calls them: their interfaces by name, and one contract at its address."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from eth_abi.exceptions import DecodingError

from setoff.shared.errors import ChainError
from setoff.shared.l1.abi import NAMES, Interface, load_interface
from setoff.shared.l1.answers import Log, TransactionReceipt
from setoff.shared.l1.connection import L1
from setoff.shared.l1.endpoint import Endpoint
from setoff.shared.l1.rpc import DOUBTS, Address

INTERFACE: Final[dict[str, Interface]] = {name: load_interface(name) for name in NAMES}

TOKEN: Final = INTERFACE["token"]
"""The test token's, and as far as an ERC-20 goes anybody's."""
VAULT: Final = INTERFACE["vault"]
QUEUE: Final = INTERFACE["queue"]
INBOX: Final = INTERFACE["inbox"]
JUDGE: Final = INTERFACE["judge"]
COURT: Final = INTERFACE["court"]
RECEIPTS: Final = INTERFACE["receipts"]


class Contract:
    """One contract at its address, used through a node, and by the account of `l1` if that has a key."""

    def __init__(self, l1: L1, interface: Interface, address: Address) -> None:
        self.l1 = l1
        self.interface = interface
        self.address = bytes.fromhex(address.removeprefix("0x")) if isinstance(address, str) else address

    def view(self, function: str, *arguments: Any, block: int | str = "latest") -> Any:
        """What a function returns on the latest block, or another: its value, or a tuple of several.

        Raises Reverted, ChainError("wrong_deployment") if no such contract is at the address.
        """
        description = self.interface.functions[function]
        for _ in range(DOUBTS):  # one answer of another form is a node's, not the contract's
            returned = self.l1.call(self.address, description.encode(arguments), block=block)
            try:
                values = description.decode(returned)
            except DecodingError:
                continue
            return values[0] if len(values) == 1 else values
        raise ChainError("wrong_deployment", f"there is no contract with {function} at 0x{self.address.hex()}")

    def transact(self, function: str, *arguments: Any, value: int = 0) -> TransactionReceipt:
        """Call a function in a transaction, with `value` wei, and wait for it. Raises as `L1.transact`."""
        return self.l1.transact(self.address, self.interface.encode(function, *arguments), value)

    def logs(
        self,
        event: str,
        first: int,
        last: int,
        topics: Sequence[bytes] = (),
        span: int | None = None,
        told_by: set[Endpoint] | None = None,
    ) -> list[Log]:
        """The events of one kind in the blocks `first` to `last`, in order, as far as the node shows them; `topics` as
        far as they must be these, `span` and `told_by` as for `Node.logs`."""
        wanted = [self.interface.events[event].topic, *topics]
        return self.l1.logs([self.address], first, last, wanted, span=span, told_by=told_by)
