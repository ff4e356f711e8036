"""What goes before its time where Redis holds more than a watcher may keep: only what can be had again. Pure.

Paced epochs (protocol, section 10) bound what is open by themselves. On terms without a pace, and of large machines, a
poster of empty epochs could fill any memory: a few hundred bytes each to L1, a machine each here. So beyond a limit
machines at starts go, ever fewer of which stay: another run leads from the last that stayed to any of them. Then the
inputs that L1 keeps in calldata go, the newest first, for whoever has to dispute asks for the oldest. What is in blobs
stays: no node may have it any more, and L1 sells only so many a block.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

SPACINGS: Final = (4, 16, 64, 256, 1024, 4096)
"""Epochs between two machines that stay, from one try to the next."""

CALLDATA_AT: Final = 16
"""The spacing after which inputs go before more machines do."""


class Relief(NamedTuple):
    """Epochs whose start's machine goes, and those whose calldata does."""

    snapshots: list[int]
    inputs: list[int]


def plan_relief(over: int, snapshots: Mapping[int, int], inputs: Mapping[int, int]) -> Relief:
    """What has to go for `over` bytes: of `snapshots` and `inputs`, bytes by epoch, of what may."""
    going = Relief([], [])
    for spacing in SPACINGS:
        for epoch in sorted(snapshots.keys() - set(going.snapshots)):
            if over <= 0:
                return going
            if epoch % spacing:
                going.snapshots.append(epoch)
                over -= snapshots[epoch]
        if spacing == CALLDATA_AT:
            for epoch in sorted(inputs, reverse=True):
                if over <= 0:
                    return going
                going.inputs.append(epoch)
                over -= inputs[epoch]
    return going
