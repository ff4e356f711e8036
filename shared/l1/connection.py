"""A connection to L1: what its node shows, and one account that sends."""

from __future__ import annotations

from collections.abc import Sequence

from setoff.shared.errors import ChainError, ConfigError
from setoff.shared.l1.account import Account
from setoff.shared.l1.answers import TransactionReceipt
from setoff.shared.l1.rpc import Address, Node, to_hex
from setoff.shared.l1.sender import Fees, Sender
from setoff.shared.l1.sidecar import Sidecar


class L1(Node):
    """A node, and with a key also an account. May be shared by threads.

    Raises ConfigError if the address of the node is no URL, or the node serves another chain than `chain_id`.
    """

    def __init__(
        self,
        url: str | Sequence[str],
        key: bytes | str | Account | None = None,
        *,
        chain_id: int | None = None,
        patience: float = 10.0,
        timeout: float = 10.0,
        fees: Fees | None = None,
    ) -> None:
        """`key` is the account's 32-byte secret, or who signs for it; without one nothing can be sent. The rest as a
        `Node` takes it."""
        super().__init__(url, chain_id=chain_id, patience=patience, timeout=timeout)
        self._sender = None if key is None else Sender(self, key, fees or Fees())

    @property
    def sender(self) -> Sender:
        """The owner of the account's nonces. Raises ConfigError without a key."""
        if self._sender is None:
            raise ConfigError("bad_config", "this connection has no key to sign with")
        return self._sender

    @property
    def has_account(self) -> bool:
        """Whether it has a key, or who signs."""
        return self._sender is not None

    @property
    def address(self) -> bytes:
        """The account's address. Raises ConfigError without a key."""
        return self.sender.address

    def dry_run(self, to: Address, data: bytes, *, value: int = 0) -> bytes:
        """What a transaction of this account would return if it were sent now. Raises Reverted.

        It is tried on the pending block, so after this account's own transactions under way and with its timestamp;
        on the latest block where the node knows no pending one.
        """
        return self.call(to, data, value=value, sender=self.address, block=self.next_block())

    def send(
        self,
        to: Address | None,
        data: bytes = b"",
        value: int = 0,
        *,
        gas: int | None = None,
        due: tuple[float, int] | None = None,
        sidecar: Sidecar | None = None,
    ) -> bytes:
        """Sign and send a transaction, without waiting for it; `to` None creates a contract. Returns its hash.

        The sender keeps at it, with higher fees and after a reorg, whenever `tend` is called; `wait` follows it under
        this hash even if another one was mined in its place. Without `gas` it is estimated, so a call that would
        revert raises Reverted and is not sent. `due`: in how many seconds it comes too late, and the wei lost then;
        when that presses, more may be bid than the usual cap. `sidecar`: blobs that it carries.

        After any error nobody holds it, but after "rpc_refused" with a "transaction" among its numbers: that was
        refused in words that nobody knows. What is sent next here has the same nonce, so that one of them counts.
        """
        return self.sender.send(None if to is None else to_hex(to), data, value, gas, due, sidecar)

    def tend(self) -> None:
        """Look after the transactions under way: call this every few seconds."""
        self.sender.tend()

    def wait(self, transaction: bytes, timeout: float = 120.0) -> TransactionReceipt:
        """The receipt of a transaction sent here, as soon as it is in a block.

        Raises ChainError("pending") after `timeout` seconds: it may still be executed, and its hash is among the
        error's numbers. Raises ChainError("transaction_reverted") if another one has its nonce in a block that is deep
        and of the chain that it was sent on, so that it never is. A receipt that it failed is of that chain, too.
        """
        return self.sender.wait(transaction, timeout)

    def transact(
        self, to: Address | None, data: bytes = b"", value: int = 0, *, gas: int | None = None
    ) -> TransactionReceipt:
        """Send a transaction and wait for it. Raises ChainError: "transaction_reverted" if it failed in its block,
        "pending" as `wait`; after any other nothing was sent."""
        return self.follow(self.send(to, data, value, gas=gas))

    def follow(self, transaction: bytes, timeout: float = 120.0) -> TransactionReceipt:
        """As `wait`; and raises ChainError("transaction_reverted") if it failed in its block, too."""
        receipt = self.wait(transaction, timeout)
        if not receipt.succeeded:
            raise ChainError("transaction_reverted", f"transaction {receipt.transaction.hex()} failed")
        return receipt
