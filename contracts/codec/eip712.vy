# pragma version 0.4.3
"""
@title EIP-712 digests of the signed records
@license MIT
@notice The domain separator (name "Setoff", version "1", the chain's id, the vault) is a register of the machine.
        Twin: `shared/codec/eip712.py`.
"""

from codec import records

NAME: constant(String[6]) = "Setoff"
VERSION: constant(String[1]) = "1"

DOMAIN_TYPE: constant(String[82]) = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
ORDER_TYPE: constant(String[169]) = "Order(uint32 account,uint64 nonce,uint16 market,uint8 side,uint8 flags,uint16 order_slot,uint32 price,uint64 size,uint32 expiry,uint32 trigger,uint64 client,uint8 agent)"
CANCEL_TYPE: constant(String[79]) = "Cancel(uint32 account,uint64 nonce,uint16 order_slot,uint64 client,uint8 agent)"
CANCEL_ALL_TYPE: constant(String[50]) = "CancelAll(uint32 account,uint64 nonce,uint8 agent)"
AMEND_TYPE: constant(String[89]) = "Amend(uint32 account,uint64 nonce,uint16 order_slot,uint32 price,uint64 size,uint8 agent)"
SCHEDULE_CANCEL_TYPE: constant(String[71]) = "ScheduleCancel(uint32 account,uint64 nonce,uint64 deadline,uint8 agent)"
BULK_TYPE: constant(String[63]) = "Bulk(uint32 account,uint64 nonce,bytes32 leg_pages,uint8 agent)"
BACKSTOP_DEPOSIT_TYPE: constant(String[59]) = "BackstopDeposit(uint32 account,uint64 nonce,uint128 amount)"
BACKSTOP_WITHDRAW_TYPE: constant(String[60]) = "BackstopWithdraw(uint32 account,uint64 nonce,uint128 shares)"
SET_AGENT_TYPE: constant(String[75]) = "SetAgent(uint32 account,uint64 nonce,uint8 agent,address key,uint64 expiry)"
TRANSFER_TYPE: constant(String[64]) = "Transfer(uint32 account,uint64 nonce,uint32 peer,uint128 amount)"
WITHDRAW_TYPE: constant(String[52]) = "Withdraw(uint32 account,uint64 nonce,uint128 amount)"
REPORT_TYPE: constant(String[60]) = "Report(uint32 signer,uint64 time,uint16 market,uint32 price)"


@internal
@pure
def struct_hash(body: Bytes[records.RECORD_BYTES]) -> bytes32:
    """
    @return hashStruct of a signed record's body; its type must be known.
    """
    kind: uint256 = 0
    account: uint256 = 0
    nonce: uint256 = 0
    kind, account, nonce = records.get_head(body)
    if kind == records.ORDER:
        return keccak256(abi_encode(keccak256(ORDER_TYPE), records.decode_order(body)))
    if kind == records.CANCEL:
        return keccak256(abi_encode(keccak256(CANCEL_TYPE), records.decode_cancel(body)))
    if kind == records.CANCEL_ALL:
        return keccak256(abi_encode(keccak256(CANCEL_ALL_TYPE), records.decode_cancel_all(body)))
    if kind == records.AMEND:
        return keccak256(abi_encode(keccak256(AMEND_TYPE), records.decode_amend(body)))
    if kind == records.SCHEDULE_CANCEL:
        return keccak256(abi_encode(keccak256(SCHEDULE_CANCEL_TYPE), records.decode_schedule_cancel(body)))
    if kind == records.BULK:
        return keccak256(abi_encode(keccak256(BULK_TYPE), records.decode_bulk(body)))
    if kind == records.BACKSTOP_DEPOSIT:
        return keccak256(abi_encode(keccak256(BACKSTOP_DEPOSIT_TYPE), records.decode_backstop_deposit(body)))
    if kind == records.BACKSTOP_WITHDRAW:
        return keccak256(abi_encode(keccak256(BACKSTOP_WITHDRAW_TYPE), records.decode_backstop_withdraw(body)))
    if kind == records.SET_AGENT:
        return keccak256(abi_encode(keccak256(SET_AGENT_TYPE), records.decode_set_agent(body)))
    if kind == records.TRANSFER:
        return keccak256(abi_encode(keccak256(TRANSFER_TYPE), records.decode_transfer(body)))
    if kind == records.WITHDRAW:
        return keccak256(abi_encode(keccak256(WITHDRAW_TYPE), records.decode_withdraw(body)))
    return keccak256(abi_encode(keccak256(REPORT_TYPE), records.decode_report(body)))


@internal
@pure
def digest(domain: bytes32, body: Bytes[records.RECORD_BYTES]) -> bytes32:
    """
    @return Digest that a trader or oracle signer signs: keccak(0x1901 || domain || hashStruct).
    """
    return keccak256(concat(0x1901, domain, self.struct_hash(body)))
