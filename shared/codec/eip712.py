"""EIP-712 digests of the signed records, hand-packed for speed, and the typed data a wallet shows.

Twin: ``contracts/codec/eip712.vy``.

Domain: name "Setoff", version "1", the chain's id, the vault's address as verifying contract.
"""

from __future__ import annotations

from struct import Struct
from typing import Any, Final

from setoff.shared.codec import records
from setoff.shared.codec.hashing import keccak

NAME: Final = "Setoff"
VERSION: Final = "1"

DOMAIN_TYPE: Final = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
ORDER_TYPE: Final = (
    "Order(uint32 account,uint64 nonce,uint16 market,uint8 side,uint8 flags,uint16 order_slot,uint32 price,uint64 size,"
    "uint32 expiry,uint32 trigger,uint64 client,uint8 agent)"
)
CANCEL_TYPE: Final = "Cancel(uint32 account,uint64 nonce,uint16 order_slot,uint64 client,uint8 agent)"
CANCEL_ALL_TYPE: Final = "CancelAll(uint32 account,uint64 nonce,uint8 agent)"
AMEND_TYPE: Final = "Amend(uint32 account,uint64 nonce,uint16 order_slot,uint32 price,uint64 size,uint8 agent)"
SCHEDULE_CANCEL_TYPE: Final = "ScheduleCancel(uint32 account,uint64 nonce,uint64 deadline,uint8 agent)"
BULK_TYPE: Final = "Bulk(uint32 account,uint64 nonce,bytes32 leg_pages,uint8 agent)"
BACKSTOP_DEPOSIT_TYPE: Final = "BackstopDeposit(uint32 account,uint64 nonce,uint128 amount)"
BACKSTOP_WITHDRAW_TYPE: Final = "BackstopWithdraw(uint32 account,uint64 nonce,uint128 shares)"
SET_AGENT_TYPE: Final = "SetAgent(uint32 account,uint64 nonce,uint8 agent,address key,uint64 expiry)"
TRANSFER_TYPE: Final = "Transfer(uint32 account,uint64 nonce,uint32 peer,uint128 amount)"
WITHDRAW_TYPE: Final = "Withdraw(uint32 account,uint64 nonce,uint128 amount)"
REPORT_TYPE: Final = "Report(uint32 signer,uint64 time,uint16 market,uint32 price)"

#: Type strings by record type.
TYPES: Final[dict[int, str]] = {
    records.ORDER: ORDER_TYPE,
    records.CANCEL: CANCEL_TYPE,
    records.CANCEL_ALL: CANCEL_ALL_TYPE,
    records.AMEND: AMEND_TYPE,
    records.SCHEDULE_CANCEL: SCHEDULE_CANCEL_TYPE,
    records.SET_AGENT: SET_AGENT_TYPE,
    records.BULK: BULK_TYPE,
    records.BACKSTOP_DEPOSIT: BACKSTOP_DEPOSIT_TYPE,
    records.BACKSTOP_WITHDRAW: BACKSTOP_WITHDRAW_TYPE,
    records.TRANSFER: TRANSFER_TYPE,
    records.WITHDRAW: WITHDRAW_TYPE,
    records.REPORT: REPORT_TYPE,
}

_HASHES: Final[dict[int, bytes]] = {kind: keccak(text.encode()) for kind, text in TYPES.items()}

_WORD: Final = "24xQ"
_PLAIN: Final[dict[int, Struct]] = {n: Struct(">32s" + _WORD * n) for n in (3, 4, 5, 6, 12)}
_WITHDRAW: Final = Struct(">32s" + _WORD * 2 + "16x16s")
_TRANSFER: Final = Struct(">32s" + _WORD * 3 + "16x16s")
_BULK: Final = Struct(">32s" + _WORD * 2 + "32s" + _WORD)
_SET_AGENT: Final = Struct(">32s" + _WORD * 3 + "12x20s" + _WORD)


def domain_separator(chain_id: int, vault: bytes) -> bytes:
    """32-byte EIP-712 domain separator; `vault` is a 20-byte address."""
    return keccak(
        keccak(DOMAIN_TYPE.encode())
        + keccak(NAME.encode())
        + keccak(VERSION.encode())
        + chain_id.to_bytes(32, "big")
        + bytes(12)
        + vault
    )


def struct_hash(body: bytes) -> bytes:
    """hashStruct of a signed record's body; its type must be known."""
    kind = body[0]
    if kind == records.ORDER:
        packed = _PLAIN[12].pack(_HASHES[kind], *records.decode_order(body))
    elif kind == records.CANCEL:
        packed = _PLAIN[5].pack(_HASHES[kind], *records.decode_cancel(body))
    elif kind == records.CANCEL_ALL:
        packed = _PLAIN[3].pack(_HASHES[kind], *records.decode_cancel_all(body))
    elif kind == records.AMEND:
        packed = _PLAIN[6].pack(_HASHES[kind], *records.decode_amend(body))
    elif kind == records.SCHEDULE_CANCEL:
        packed = _PLAIN[4].pack(_HASHES[kind], *records.decode_schedule_cancel(body))
    elif kind == records.BULK:
        packed = _BULK.pack(_HASHES[kind], *records.decode_bulk(body))
    elif kind in (records.BACKSTOP_DEPOSIT, records.BACKSTOP_WITHDRAW):
        s = records.decode_backstop_deposit(body)
        packed = _WITHDRAW.pack(_HASHES[kind], s.account, s.nonce, s.amount.to_bytes(16, "big"))
    elif kind == records.SET_AGENT:
        packed = _SET_AGENT.pack(_HASHES[kind], *records.decode_set_agent(body))
    elif kind == records.TRANSFER:
        t = records.decode_transfer(body)
        packed = _TRANSFER.pack(_HASHES[kind], t.account, t.nonce, t.peer, t.amount.to_bytes(16, "big"))
    elif kind == records.WITHDRAW:
        w = records.decode_withdraw(body)
        packed = _WITHDRAW.pack(_HASHES[kind], w.account, w.nonce, w.amount.to_bytes(16, "big"))
    else:
        packed = _PLAIN[4].pack(_HASHES[kind], *records.decode_report(body))
    return keccak(packed)


def digest(domain: bytes, body: bytes) -> bytes:
    """32-byte digest that a trader or oracle signer signs: keccak(0x1901 || domain || hashStruct)."""
    return keccak(b"\x19\x01" + domain + struct_hash(body))


def _fields(type_string: str) -> list[dict[str, str]]:
    inner = type_string[type_string.index("(") + 1 : -1]
    return [{"type": part.split()[0], "name": part.split()[1]} for part in inner.split(",")]


def typed_data(chain_id: int, vault: bytes, body: bytes) -> dict[str, Any]:
    """The record as the JSON object that wallets and eth-account sign (``eth_signTypedData_v4``)."""
    text = TYPES[body[0]]
    name = text[: text.index("(")]
    decoders: dict[int, Any] = {
        records.ORDER: records.decode_order,
        records.CANCEL: records.decode_cancel,
        records.CANCEL_ALL: records.decode_cancel_all,
        records.AMEND: records.decode_amend,
        records.SCHEDULE_CANCEL: records.decode_schedule_cancel,
        records.SET_AGENT: records.decode_set_agent,
        records.BULK: records.decode_bulk,
        records.BACKSTOP_DEPOSIT: records.decode_backstop_deposit,
        records.BACKSTOP_WITHDRAW: records.decode_backstop_deposit,
        records.TRANSFER: records.decode_transfer,
        records.WITHDRAW: records.decode_withdraw,
        records.REPORT: records.decode_report,
    }
    values = decoders[body[0]](body)
    fields = _fields(text)
    return {
        "types": {"EIP712Domain": _fields(DOMAIN_TYPE), name: fields},
        "primaryType": name,
        "domain": {"name": NAME, "version": VERSION, "chainId": chain_id, "verifyingContract": "0x" + vault.hex()},
        "message": {
            field["name"]: "0x" + value.hex() if isinstance(value, bytes) else value
            for field, value in zip(fields, values, strict=True)
        },
    }
