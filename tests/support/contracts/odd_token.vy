# pragma version 0.4.3
# pragma evm-version cancun
"""
@title A token that misbehaves, for tests
@notice MODE 0: returns nothing and moves all. 1: returns false and moves nothing. 2: keeps one unit of each transfer.
        3: returns true and moves nothing. 4: behaves until `spoil`, then as 1. Whatever the mode, `burn` takes away.
"""

MODE: immutable(uint256)
spoilt: bool
balanceOf: public(HashMap[address, uint256])


@deploy
def __init__(mode: uint256):
    MODE = mode


@external
def mint(to: address, amount: uint256):
    self.balanceOf[to] += amount


@external
def burn(owner: address, amount: uint256):
    self.balanceOf[owner] -= amount


@external
def spoil():
    self.spoilt = True


@external
@raw_return
def transferFrom(owner: address, to: address, amount: uint256) -> Bytes[32]:
    return self._move(owner, to, amount)


@external
@raw_return
def transfer(to: address, amount: uint256) -> Bytes[32]:
    return self._move(msg.sender, to, amount)


@internal
def _move(owner: address, to: address, amount: uint256) -> Bytes[32]:
    if MODE == 1 or (MODE == 4 and self.spoilt):
        return abi_encode(False)
    if MODE == 3:
        return abi_encode(True)
    received: uint256 = amount
    if MODE == 2:
        received -= 1
    self.balanceOf[owner] -= amount
    self.balanceOf[to] += received
    if MODE == 0:
        return b""
    return abi_encode(True)
