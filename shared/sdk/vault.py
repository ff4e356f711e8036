"""The trader's side of L1: deposit, withdraw against a confirmed state, force a record past the operator."""

from __future__ import annotations

from typing import Final

from eth_abi.abi import decode, encode

from setoff.shared.codec import records
from setoff.shared.codec.hashing import keccak
from setoff.shared.config.settings import Deployment
from setoff.shared.errors import InputError
from setoff.shared.l1.rpc import L1, Receipt
from setoff.shared.wire.withdrawals import WithdrawalProof

_WITHDRAW_TYPES: Final = (
    "uint256",
    "bytes32",
    "bytes32",
    "uint256",
    "uint256",
    "address",
    "uint256",
    "uint256",
    "bytes32[]",
)


class Vault:
    """The vault and the queue of one deployment, used by the account whose key `l1` has."""

    def __init__(self, l1: L1, deployment: Deployment) -> None:
        self._l1 = l1
        self._deployment = deployment

    def balance(self) -> int:
        """Tokens of the account, in units."""
        return self._read(self._deployment.token, "balanceOf(address)", ["address"], [self._l1.address])

    def account(self, owner: bytes | None = None) -> int:
        """The exchange account of an address, by default this one; 0 before its first deposit."""
        return self._read(self._deployment.vault, "account_of(address)", ["address"], [owner or self._l1.address])

    def deposit(self, amount: int, owner: bytes | None = None) -> int:
        """Lock `amount` token units for `owner`, by default this account; the vault is allowed to take just these.

        Returns the exchange account. Raises ChainError with the vault's or the token's reason.
        """
        owner = owner or self._l1.address
        vault, token = self._deployment.vault, self._deployment.token
        allowed = self._read(token, "allowance(address,address)", ["address", "address"], [self._l1.address, vault])
        if allowed < amount:
            self._send(token, "approve(address,uint256)", ["address", "uint256"], [vault, amount])
        self._send(vault, "deposit_for(address,uint256)", ["address", "uint256"], [owner, amount])
        return self.account(owner)

    def withdraw(self, proof: WithdrawalProof) -> Receipt:
        """Have the vault pay a withdrawal. Raises Reverted("not_confirmed") before L1 has confirmed its epoch."""
        arguments = [
            proof.epoch,
            proof.registers_hash,
            proof.state_root,
            proof.index,
            proof.account,
            proof.owner,
            proof.amount,
            proof.bitmap,
            list(proof.siblings),
        ]
        signature = f"withdraw({','.join(_WITHDRAW_TYPES)})"
        return self._send(self._deployment.vault, signature, list(_WITHDRAW_TYPES), arguments)

    def is_paid(self, index: int) -> bool:
        """Whether a withdrawal has been paid."""
        return bool(self._read(self._deployment.vault, "paid(uint256)", ["uint256"], [index]))

    def force(self, record: bytes) -> Receipt:
        """Queue a record of 124 bytes on L1, so that the operator cannot leave it out. Raises InputError."""
        if len(record) != 124 or not 0 < record[0] < 0x80:
            raise InputError("malformed_record", "a forced record has 124 bytes and the type of a record")
        if record[0] in (records.BULK, records.LEG_PAGE):
            raise InputError("malformed_record", "bulks do not come through the queue: force their orders one by one")
        return self._send(self._deployment.queue, "force(bytes)", ["bytes"], [record])

    def force_as(self, body: bytes) -> Receipt:
        """Queue a record's body of 60 bytes in the name of this account. Raises InputError if it cannot come so."""
        if len(body) != records.BODY_BYTES or not records.is_forceable(body):
            raise InputError(
                "malformed_record", "a sender can vouch for a body of 60 bytes that an owner or agent signs"
            )
        return self._send(self._deployment.queue, "force_as(bytes)", ["bytes"], [body])

    def wind_down(self) -> Receipt:
        """Begin the end of the exchange. Raises Reverted("too_early"), Reverted("winding_down")."""
        return self._send(self._deployment.queue, "wind_down()", [], [])

    def is_confirmed(self, epoch: int) -> bool:
        """Whether L1 has confirmed the end of an epoch."""
        return bool(self._read(self._deployment.court, "confirmed(uint256)", ["uint256"], [epoch]))

    def _read(self, contract: str, signature: str, types: list[str], arguments: list[object]) -> int:
        returned = self._l1.call(contract, _call_data(signature, types, arguments))
        return int(decode(["uint256"], returned)[0])

    def _send(self, contract: str, signature: str, types: list[str], arguments: list[object]) -> Receipt:
        return self._l1.transact(contract, _call_data(signature, types, arguments))


def _call_data(signature: str, types: list[str], arguments: list[object]) -> bytes:
    return keccak(signature.encode())[:4] + encode(types, arguments)
