"""The gas of every call against what the parameters count on."""

import re
from pathlib import Path

from tests.support.courts.gas import measure
from tests.support.l1_recorder import Recorder
from tests.support.l1_vectors import build_l1

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


CREDITED = ("join", "move", "prove", "settle", "release", "timeout", "install")
"""Calls of a dispute, whose gas the court credits: they have a table of their own."""


def test_the_document_says_what_other_calls_cost() -> None:
    """At most; and of no call much more than it does."""
    gas = measure()
    build_l1()
    found = Recorder.gas | {
        "deposit": gas["deposit, first"],
        "post of 1024 records": gas["post 1024 records"],
        "propose_listing": gas["propose a market"],
        "redeem": gas["redeem"],
        "post_data of 2 batches": gas["post data of 2 batches"],
        "propose_change": gas["propose a change"],
        "propose_terms": gas["propose terms"],
        "reclaim": gas["reclaim"],
        "reclaim_history": gas["reclaim history"],
    }
    text = (Path(params.__file__).parent / "PROTOCOL.md").read_text().split("| other call | gas |\n|---|---|\n")[1]
    told = {name: int(most) for name, most in re.findall(r"^\| ([\w ]+) \| (\d+) \|$", text.split("\n\n")[0], re.M)}
    assert set(told) == set(found) - {"mint", "approve", *CREDITED}
    for name, most in told.items():
        assert found[name] <= most <= 1.6 * found[name], (name, most, found[name])
