"""What became of a message of the L1 queue, what comes next, and what there is to do."""

from __future__ import annotations

from collections.abc import Callable

from setoff.deploy.cli.advice import OUTCOMES as ADVICE
from setoff.deploy.cli.inspection.past import Past
from setoff.deploy.cli.inspection.told import Told
from setoff.deploy.cli.inspection.words import describe_input, show_time
from setoff.shared.codec import records
from setoff.shared.errors import ACCEPTED, BUSY, OUTCOMES, PARKED, InputError
from setoff.shared.l1.chain import ChainReader, QueuedMessage
from setoff.shared.l1.inbox import Inbox
from setoff.shared.sdk.forced_inclusion import describe
from setoff.shared.sdk.vault import Vault


def explain_message(reader: ChainReader, index: int, report: Callable[[int], None]) -> Told:
    """Message `index`. Raises InputError("not_found") if there is none."""
    message = find_message(reader, index)
    data = message.body[: records.RECORD_BYTES]
    asked = describe_input(data, is_message=True)
    facts = {
        "message": index,
        "text": asked,
        "queued_at": message.timestamp,
        "block": message.block_number,
        "body": data,
    }
    lines = [f"message {index}: {asked}, queued at {show_time(message.timestamp)} in block {message.block_number}"]
    past = Past(reader, report)
    past.advance()
    result = past.result(index)
    if result is None:
        waiting, is_late = _describe_waiting(reader, message)
        return Told({**facts, "state": "waiting"}, [*lines, *waiting], is_late)
    reason = OUTCOMES[result.outcome]
    facts |= {"batch": result.batch, "input": result.input_index, "outcome": reason}
    lines.append(describe(result))
    if result.outcome == ACCEPTED:
        if (granted := past.find_withdrawal(result)) is not None:
            paid = Vault(reader.l1, reader.deployment).is_paid(granted)
            facts |= {"withdrawal": granted, "paid": paid}
            pay = f"once its epoch is confirmed: `setoff force pay {granted}`"
            lines.append(
                f"it is withdrawal {granted}; the vault has paid it" if paid else f"it is withdrawal {granted}; {pay}"
            )
        return Told({**facts, "state": "accepted"}, lines)
    state = {PARKED: "parked", BUSY: "used"}.get(result.outcome, "refused")
    return Told(
        {**facts, "state": state, "next": ADVICE[reason]}, [*lines, f"next: {ADVICE[reason]}"], state == "refused"
    )


def find_message(reader: ChainReader, index: int) -> QueuedMessage:
    """A message as the queue has it. Raises InputError("not_found")."""
    count = reader.message_count()
    if not 0 <= index < count:
        raise InputError("not_found", f"there is no message {index}: {count} are in the queue, from 0")
    messages = reader.messages(reader.deployment.block, reader.proven.block().number)
    return next(message for message in messages if message.index == index)


def _describe_waiting(reader: ChainReader, message: QueuedMessage) -> tuple[list[str], bool]:
    """Until when it may wait, and what can be done; whether it waits longer than it should."""
    inbox, now = Inbox(reader.l1, reader.deployment), reader.l1.now()
    due, opens_at = message.timestamp + inbox.force_delay(), inbox.opens_at()
    before = message.index - inbox.state().messages_consumed
    lines = [
        f"no batch has consumed it yet; {before} messages are before it" if before else "no batch has consumed it yet"
    ]
    if now < due:
        lines.append(f"the operator may leave it out until {show_time(due)}, in {due - now} s")
        return lines, False
    lines.append(f"since {show_time(due)} no batch may leave it out")
    if now < opens_at:
        lines.append(f"if the operator posts nothing, anybody may from {show_time(opens_at)} on, in {opens_at - now} s")
        lines.append("next: wait for that; then `setoff force post`")
    else:
        lines.append("the operator is silent: anybody may post it now")
        lines.append("next: `setoff force post`")
    return lines, True
