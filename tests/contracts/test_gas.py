"""The gas of every call against what the parameters count on."""

from tests.support.courts.gas import measure

from setoff.shared import params
from setoff.watcher.dispute import capital


def test_calls_cost_no_more_than_the_bond_was_made_for() -> None:
    gas = measure()
    for call, limit in (
        ("join", params.JOIN_GAS),
        ("move, first", params.MOVE_GAS),
        ("move", params.MOVE_GAS),
        ("timeout", params.TIMEOUT_GAS),
        ("install", params.INSTALL_GAS),
        ("settle", params.SETTLE_GAS),
        ("release", params.RELEASE_GAS),
        ("post 0 records", capital.POST_GAS),
        ("post 4 messages", capital.POST_GAS),
        ("claim, with a stake", capital.CLAIM_GAS),
        ("advance", capital.ADVANCE_GAS),
    ):
        assert gas[call] <= limit, (call, gas[call])
    # EIP-7825: the largest batch still is a transaction.
    assert gas["post 1024 records"] < 1 << 24
