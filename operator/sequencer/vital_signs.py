"""What a sequencer says of itself, for its operator: the same obstacle that its health shows to clients."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from setoff.operator.pulse import Pulse
from setoff.operator.sequencer.sequencer import Sequencer, name_status

EVERY: Final = 1.0
"""Seconds between two looks."""


def describe_sequencer(sequencer: Sequencer, url: str) -> dict[str, Any]:
    """As it is now; amounts of time in seconds."""
    exchange, obstacle = sequencer.exchange, sequencer.obstacle()
    regs = exchange.machine.regs
    return {
        "url": url,
        "status": name_status(sequencer.status, obstacle),
        "obstacle": "" if obstacle is None else str(obstacle),
        "batch": exchange.cursor.number,
        "records": exchange.cursor.records,
        "messages": exchange.cursor.messages,
        "open_inputs": exchange.inputs,
        "unposted": sequencer.unposted,
        "waiting": sequencer.waiting,
        "refused": sequencer.refused,
        "commits": sequencer.commits.count,
        "commit_seconds": round(sequencer.commits.seconds, 6),
        "acknowledging": sequencer.acknowledging.to_json(),
        "l1_time": sequencer.l1_time,
        "machine_time": regs.time,
        "paced_until": sequencer.paced_until,
        "accounts": regs.accounts,
        "withdrawals": regs.withdrawals,
        "winding_since": regs.winding_since,
    }


async def keep_telling(pulse: Pulse, sequencer: Sequencer, url: str) -> None:
    """Tell it until this is cancelled: a loop that is stuck tells nothing new, which is seen."""
    while True:
        pulse.tell(**describe_sequencer(sequencer, url))
        await asyncio.sleep(EVERY)
