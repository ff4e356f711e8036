"""The trader's side of L1: deposit, withdraw against a confirmed state, force a record past the operator."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from setoff.shared.codec import records
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.errors import ChainError, InputError
from setoff.shared.l1.answers import TransactionReceipt
from setoff.shared.l1.connection import L1
from setoff.shared.l1.contracts import COURT, QUEUE, TOKEN, VAULT, Contract
from setoff.shared.l1.sender import make_pending
from setoff.shared.wire.scales import Step
from setoff.shared.wire.withdrawals import WithdrawalProof

DEPOSITED: Final = VAULT.events["Deposited"]


class Deposit(NamedTuple):
    """Tokens that are locked."""

    account: int
    """The exchange account that they are for."""
    message: int
    """Of the queue: the batch that consumes it credits them."""


class Vault:
    """The vault and the queue of one deployment, used by the account whose key `l1` has."""

    def __init__(self, l1: L1, deployment: Deployment) -> None:
        self._l1 = l1
        self._vault = Contract(l1, VAULT, deployment.vault)
        self._token = Contract(l1, TOKEN, deployment.token)
        self._queue = Contract(l1, QUEUE, deployment.queue)
        self._court = Contract(l1, COURT, deployment.court)
        self._collateral = deployment.names.collateral

    def balance(self) -> int:
        """Tokens of the account, in units."""
        return int(self._token.view("balanceOf", self._l1.address))

    def account(self, owner: bytes | None = None) -> int:
        """The exchange account of an address, by default this one; 0 before its first deposit."""
        return int(self._vault.view("account_of", owner or self._l1.address))

    def least_deposit(self) -> int:
        """Token units that a deposit brings at least."""
        return int(self._vault.view("LEAST_DEPOSIT"))

    def deposit(self, amount: int, owner: bytes | None = None) -> int:
        """Lock `amount` token units for `owner`, by default this account; the vault is allowed to take just these.

        Returns the exchange account. Raises what `send_deposit` does, after which nothing is on its way, and what
        `follow_deposit` does: after ChainError("pending") it is still, and another would be a second one.
        """
        return self.follow_deposit(self.send_deposit(amount, owner)).account

    def send_deposit(self, amount: int, owner: bytes | None = None) -> bytes:
        """Send the deposit, and do not wait for it; returns its transaction's hash.

        Raises InputError("deposit_too_small"), InputError("token_balance") with amounts before anything is sent,
        ChainError with the vault's or the token's reason, or how much ether gas takes.
        """
        if 0 < amount < (least := self.least_deposit()):
            text = f"the vault takes no deposit of less than {self._show(least)}, and this is {self._show(amount)}"
            raise InputError("deposit_too_small", text, {"least_units": str(least)})
        if (balance := self.balance()) < amount:
            text = f"0x{self._l1.address.hex()} has {self._show(balance)}, and {self._show(amount)} are to be deposited"
            text += f": {self._show(amount - balance)} too little"
            raise InputError("token_balance", text, {"has_units": str(balance), "takes_units": str(amount)})
        owner = owner or self._l1.address
        vault = self._vault.address
        if self._token.view("allowance", self._l1.address, vault) < amount:
            self._allow(amount)
        return self._l1.send(vault, VAULT.encode("deposit_for", owner, amount))

    def _allow(self, amount: int) -> None:
        """Let the vault take so much. However often: it is no deposit, so one that is under way is no obstacle."""
        try:
            self._token.transact("approve", self._vault.address, amount)
        except ChainError as error:
            if error.reason != "pending":
                raise
            raise ChainError("rpc_unreachable", f"nothing is deposited yet: {error.detail}") from error

    def follow_deposit(self, transaction: bytes, timeout: float = 120.0) -> Deposit:
        """Wait until a deposit that was sent here is in a block, and say whose it is.

        Raises ChainError: "pending" after `timeout` seconds, or where the node is on a chain without this vault (then
        follow it again), "transaction_reverted" if the vault or the token has refused it, or it never will be in one.
        """
        receipt = self._l1.follow(transaction, timeout)
        # Of the receipt, and not asked for: once money has moved nothing may fail, or somebody would send it again.
        for entry in receipt.logs:
            if entry.address == self._vault.address and entry.topics[0] == DEPOSITED.topic:
                locked = DEPOSITED.decode(entry)
                return Deposit(int(locked["account"]), int(locked["message"]))
        raise self._find_elsewhere(receipt)

    def _find_elsewhere(self, receipt: TransactionReceipt) -> ChainError:
        where = f"block {receipt.block_number} (0x{receipt.block_hash.hex()})"
        return make_pending(receipt.transaction, f"is in {where}, of a chain without this contract")

    def _transact(self, contract: Contract, function: str, *arguments: Any) -> TransactionReceipt:
        """As `Contract.transact`. These contracts log whatever they do: what logs nothing has met none of them."""
        receipt = contract.transact(function, *arguments)
        if not any(entry.address == contract.address for entry in receipt.logs):
            raise self._find_elsewhere(receipt)
        return receipt

    def _show(self, units: int) -> str:
        return f"{Step(1, self._collateral.decimals).show(units)} {self._collateral.symbol}"

    def withdraw(self, proof: WithdrawalProof) -> TransactionReceipt:
        """Have the vault pay a withdrawal. Raises Reverted("not_confirmed") before L1 has confirmed its epoch."""
        return self._transact(
            self._vault,
            "withdraw",
            proof.epoch,
            proof.registers_hash,
            proof.state_root,
            proof.index,
            proof.account,
            proof.owner,
            proof.amount,
            proof.bitmap,
            proof.siblings,
        )

    def is_paid(self, index: int) -> bool:
        """Whether a withdrawal has been paid."""
        return bool(self._vault.view("paid", index))

    def force(self, record: bytes) -> TransactionReceipt:
        """Queue a record of 124 bytes on L1, so that the operator cannot leave it out. Raises InputError."""
        if len(record) != 124 or not 0 < record[0] < 0x80:
            raise InputError("malformed_record", "a forced record has 124 bytes and the type of a record")
        if record[0] in (records.BULK, records.LEG_PAGE):
            raise InputError("malformed_record", "bulks do not come through the queue: force their orders one by one")
        return self._transact(self._queue, "force", record)

    def force_as(self, body: bytes) -> TransactionReceipt:
        """Queue a record's body of 60 bytes in the name of this account. Raises InputError if it cannot come so."""
        if len(body) != records.BODY_BYTES or not records.is_forceable(body):
            raise InputError(
                "malformed_record", "a sender can vouch for a body of 60 bytes that an owner or agent signs"
            )
        return self._transact(self._queue, "force_as", body)

    def wind_down(self) -> TransactionReceipt:
        """Begin the end of the exchange. Raises Reverted("too_early"), Reverted("winding_down")."""
        return self._transact(self._queue, "wind_down")

    def is_confirmed(self, epoch: int) -> bool:
        """Whether L1 has confirmed the end of an epoch."""
        return any(self.confirmed(epoch))

    def confirmed(self, epoch: int) -> bytes:
        """The machine's hash at the end of an epoch, as L1 has confirmed it; zero before."""
        return bytes(self._court.view("confirmed", epoch))
