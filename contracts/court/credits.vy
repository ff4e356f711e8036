# pragma version 0.4.3
"""
@title Credits
@license MIT
@notice Who moves, times out or proves for one side of a match is credited the gas, against the other side's history.
        Credits become money only if that side lost and this one won the whole dispute (`settlement.vy`), so liars who
        play each other draw nothing.
"""

from court import terms

uses: terms

# Gas that one call of each kind is credited at most: what an honest call takes, measured by the tests. The bond covers
# them all at the gas price cap (`shared/params.py`).
MOVE_GAS: public(constant(uint256)) = 230_000
TIMEOUT_GAS: public(constant(uint256)) = 150_000
PROVE_GAS: public(constant(uint256)) = 1_700_000

# What a call costs beside the gas it can see itself use: the transaction, its calldata, the two slots of the credit.
TRANSACTION_GAS: constant(uint256) = 21_000 + 46_000
CALLDATA_GAS: constant(uint256) = 16

credit_of: public(HashMap[bytes32, HashMap[address, uint256]])    # direction -> who -> wei
credit_total: public(HashMap[bytes32, uint256])                 # direction -> wei


@internal
@pure
def _direction(key: bytes32, loser: bytes32, winner: bytes32) -> bytes32:
    """
    @return Where credits of actions for `winner` against `loser` are kept.
    """
    return keccak256(abi_encode(key, loser, winner))


@internal
def _credit(key: bytes32, loser: bytes32, winner: bytes32, gas_before: uint256, gas_limit: uint256):
    """
    @notice Credit the caller for this call.
    @param gas_before What was left when the call began.
    """
    used: uint256 = gas_before - msg.gas + TRANSACTION_GAS + CALLDATA_GAS * len(msg.data)
    amount: uint256 = min(used, gas_limit) * min(tx.gasprice, terms.TERMS.gas_price_cap)
    direction: bytes32 = self._direction(key, loser, winner)
    self.credit_of[direction][msg.sender] += amount
    self.credit_total[direction] += amount
