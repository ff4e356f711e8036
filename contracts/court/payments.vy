# pragma version 0.4.3
"""
@title Pull payments
@license MIT
@notice The court never sends money in passing: what somebody is owed waits here until collected. Burning sends to an
        address without a key.
"""


event Owed:
    owner: indexed(address)
    amount: uint256


event Collected:
    owner: indexed(address)
    amount: uint256


event Burnt:
    amount: uint256


SINK: constant(address) = 0x000000000000000000000000000000000000dEaD

owed: public(HashMap[address, uint256])     # wei that `collect` would send


@external
@nonreentrant
def collect(owner: address):
    """
    @notice Send `owner` everything owed. Anybody may call; the money goes to the owner alone.
    """
    amount: uint256 = self.owed[owner]
    assert amount > 0, "nothing_owed"
    self.owed[owner] = 0
    log Collected(owner=owner, amount=amount)
    raw_call(owner, b"", value=amount)


@internal
def _owe(owner: address, amount: uint256):
    if amount > 0:
        self.owed[owner] += amount
        log Owed(owner=owner, amount=amount)


@internal
def _burn(amount: uint256):
    if amount > 0:
        log Burnt(amount=amount)
        send(SINK, amount)
