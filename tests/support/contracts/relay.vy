# pragma version 0.4.3
# pragma evm-version cancun
"""
@title A contract that calls others, for tests
@notice It takes money, except when told to refuse it, and can try to come back while it is being paid.
"""

refuses: public(bool)
target: address
data: Bytes[4096]
returned: public(bool)      # whether the call made while being paid went through


@external
@payable
def forward(target: address, data: Bytes[131072]):
    raw_call(target, data, value=msg.value)


@external
def prepare(refuses: bool, target: address, data: Bytes[4096]):
    self.refuses = refuses
    self.target = target
    self.data = data


@external
@payable
def __default__():
    assert not self.refuses, "refused"
    if self.target != empty(address):
        self.returned = raw_call(self.target, self.data, revert_on_failure=False)
