# pragma version 0.4.3
"""
@title An owner of money who calls back when he is paid
@license MIT
"""

target: address
data: Bytes[4096]
tries: public(uint256)
successes: public(uint256)


@external
def forward(target: address, data: Bytes[4096]):
    """
    @notice Calls in the contract's own name.
    """
    raw_call(target, data)


@external
def call_back(target: address, data: Bytes[4096]):
    """
    @notice What to call whenever money comes.
    """
    self.target = target
    self.data = data


@external
@payable
def __default__():
    self.tries += 1
    if raw_call(self.target, self.data, revert_on_failure=False):
        self.successes += 1
