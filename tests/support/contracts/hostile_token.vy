# pragma version 0.4.3
# pragma evm-version cancun
"""
@title A token that calls back while it is moved, for tests
@notice Whatever `prepare` says is called from inside every transfer; `returned` tells whether that went through.
"""

balanceOf: public(HashMap[address, uint256])
target: address
data: Bytes[4096]
attempts: public(uint256)
returned: public(bool)


@external
def mint(to: address, amount: uint256):
    self.balanceOf[to] += amount


@external
def prepare(target: address, data: Bytes[4096]):
    self.target = target
    self.data = data


@external
def transferFrom(owner: address, to: address, amount: uint256) -> bool:
    return self._move(owner, to, amount)


@external
def transfer(to: address, amount: uint256) -> bool:
    return self._move(msg.sender, to, amount)


@internal
def _move(owner: address, to: address, amount: uint256) -> bool:
    self.balanceOf[owner] -= amount
    self.balanceOf[to] += amount
    if self.target != empty(address):
        self.attempts += 1
        self.returned = raw_call(self.target, self.data, revert_on_failure=False)
    return True
