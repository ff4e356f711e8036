"""An epoch: what it holds, what it ends at, who has claimed what of it, and what L1 has confirmed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from setoff.deploy.cli.inspection.told import Told
from setoff.deploy.cli.inspection.verdict import compare, is_claimed, read_court
from setoff.deploy.cli.inspection.words import show_hex, show_time
from setoff.shared.dispute.game import Claim, ClaimState
from setoff.shared.l1.chain import ChainReader
from setoff.shared.l1.inbox import Inbox
from setoff.shared.l1.proven import ProvenCourt
from setoff.shared.machine.batch import epoch_hash
from setoff.watcher.execution.verify import verify_epoch


def explain_epoch(reader: ChainReader, epoch: int, report: Callable[[int], None]) -> Told:
    """Epoch `epoch`. Raises InputError("not_found") while not all its batches are posted."""
    execution, _ = verify_epoch(reader, epoch, report)
    count = reader.deployment.epoch_batches
    first, last = epoch * count, (epoch + 1) * count - 1
    found = epoch_hash(epoch, count, reader.batch_hash(last))
    court = read_court(reader)
    proven = ProvenCourt(reader.proven, reader.deployment.court)
    verdict = compare(proven, epoch, found, execution, lambda: is_claimed(reader, epoch))
    operator, period = Inbox(reader.l1, reader.deployment).operator(), court.terms.challenge_period
    claims = [
        _to_facts(claim, execution.end, operator, period) for claim in court.claims.values() if claim.epoch == epoch
    ]
    inputs = sum(map(len, execution.outcomes))
    held = f"batch {first}" if first == last else f"batches {first} to {last}"
    lines = [
        f"epoch {epoch}: {held}, {inputs} inputs",
        f"executed here: from {show_hex(execution.start)} to {show_hex(execution.end)}",
        verdict.why,
        *(each["text"] for each in claims),
    ]
    facts = {
        "epoch": epoch,
        "batches": [first, last + 1],
        "inputs": inputs,
        "start": execution.start,
        "end": execution.end,
        "agrees": verdict.agrees,
        "why": verdict.why,
        "claims": claims,
    }
    return Told(facts, lines, verdict.agrees is False)


def _to_facts(claim: Claim, true_end: bytes, operator: bytes, period: int) -> dict[str, Any]:
    who = "the operator" if claim.claimant == operator else show_hex(claim.claimant)
    is_true = claim.end == true_end
    until = claim.claimed_at + period
    open_until = f", to be disputed until {show_time(until)}" if claim.state is ClaimState.CLAIMED else ""
    word = "a true" if is_true else "a FALSE"
    text = f"{who} claimed {word} end at {show_time(claim.claimed_at)}: {claim.state.value}{open_until}"
    if claim.histories:
        text += f"; {len(claim.histories)} histories have joined: `setoff inspect game {claim.epoch}`"
    return {
        "key": claim.key,
        "claimant": claim.claimant,
        "end": claim.end,
        "is_true": is_true,
        "state": claim.state.value,
        "claimed_at": claim.claimed_at,
        "disputable_until": until,
        "histories": len(claim.histories),
        "text": text,
    }
