# pragma version 0.4.3
# pragma evm-version cancun
"""
@title Setoff Test Dollar
@license MIT
@notice An ERC-20 with six decimals that anybody may mint: collateral for development chains. It is worth nothing.
"""

from ethereum.ercs import IERC20

implements: IERC20

name: public(constant(String[18])) = "Setoff Test Dollar"
symbol: public(constant(String[4])) = "tUSD"
decimals: public(constant(uint8)) = 6

totalSupply: public(uint256)
balanceOf: public(HashMap[address, uint256])
allowance: public(HashMap[address, HashMap[address, uint256]])


@external
def mint(to: address, amount: uint256):
    """
    @notice Create `amount` units (millionths of a dollar) for `to`. Anybody may.
    """
    assert to != empty(address), "zero_address"
    self.totalSupply += amount
    self.balanceOf[to] += amount
    log IERC20.Transfer(sender=empty(address), receiver=to, value=amount)


@external
def transfer(to: address, amount: uint256) -> bool:
    """
    @notice Move `amount` of the caller's units to `to`. Reverts unless the caller has them.
    """
    self._move(msg.sender, to, amount)
    return True


@external
def approve(spender: address, amount: uint256) -> bool:
    """
    @notice Let `spender` move up to `amount` of the caller's units; 2^256 - 1 is without limit.
    """
    self.allowance[msg.sender][spender] = amount
    log IERC20.Approval(owner=msg.sender, spender=spender, value=amount)
    return True


@external
def transferFrom(owner: address, to: address, amount: uint256) -> bool:
    """
    @notice Move `amount` of `owner`'s units to `to`, out of what the caller was allowed. Reverts unless both suffice.
    """
    allowed: uint256 = self.allowance[owner][msg.sender]
    if allowed != max_value(uint256):
        assert allowed >= amount, "token_allowance"
        self.allowance[owner][msg.sender] = allowed - amount
    self._move(owner, to, amount)
    return True


@internal
def _move(owner: address, to: address, amount: uint256):
    assert to != empty(address), "zero_address"
    assert self.balanceOf[owner] >= amount, "token_balance"
    self.balanceOf[owner] -= amount
    self.balanceOf[to] += amount
    log IERC20.Transfer(sender=owner, receiver=to, value=amount)
