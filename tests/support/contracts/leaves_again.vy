# pragma version 0.4.3
# pragma evm-version cancun
"""
@title Leaves of every kind, decoded and encoded again: also those that no step writes, such as a market without a unit
@license MIT
"""

from state import keys
from state import leaves


@external
@pure
def again(kind: uint256, data: Bytes[leaves.ACCOUNT_BYTES]) -> Bytes[leaves.ACCOUNT_BYTES]:
    """
    @return The encoding of what `data` encodes.
    """
    if kind == keys.ACCOUNT:
        return leaves.encode_account(leaves.decode_account(data))
    if kind == keys.ORDER:
        return leaves.encode_order(leaves.decode_order(data))
    if kind == keys.LEVEL:
        return leaves.encode_level(leaves.decode_level(data))
    if kind == keys.BITMAP or kind == keys.HOLDERS:
        return leaves.encode_bitmap(leaves.decode_bitmap(data))
    if kind == keys.MARKET:
        return leaves.encode_market(leaves.decode_market(data))
    if kind == keys.ORACLE:
        return leaves.encode_oracle(leaves.decode_oracle(data))
    if kind == keys.SIGNERS:
        return leaves.encode_signers(leaves.decode_signers(data))
    if kind == keys.WITHDRAWAL:
        return leaves.encode_withdrawal(leaves.decode_withdrawal(data))
    if kind == keys.AGENT:
        return leaves.encode_agent(leaves.decode_agent(data))
    if kind == keys.REQUEST:
        return leaves.encode_request(leaves.decode_request(data))
    if kind == keys.PARKED:
        return leaves.encode_parked(leaves.decode_parked(data))
    if kind == keys.TERMS:
        return leaves.encode_terms(leaves.decode_terms(data))
    if kind == keys.ACTIVITY:
        return leaves.encode_activity(leaves.decode_activity(data))
    raise "no such kind"
