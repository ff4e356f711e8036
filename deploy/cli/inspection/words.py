"""Inputs of the machine in words: what a record or a message of the queue asks for, and who asks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from setoff.deploy.cli.amounts import format_amount
from setoff.deploy.cli.flags import FLAGS
from setoff.shared.codec import records
from setoff.shared.codec.records import (
    AmendBody,
    BackstopDepositBody,
    BackstopWithdrawBody,
    BulkBody,
    CancelAllBody,
    CancelBody,
    CrankBody,
    DepositBody,
    ForcedBody,
    LegPageBody,
    ListMarketBody,
    OrderBody,
    ReportBody,
    ScheduleCancelBody,
    SetAgentBody,
    SetMarketBody,
    SetSignerBody,
    SetTermsBody,
    TransferBody,
    WindDownBody,
    WithdrawBody,
)
from setoff.shared.errors import InputError
from setoff.shared.state import keys

_TIME_IN_FORCE: Final = {number: name for name, number in FLAGS.items()}


def describe_input(data: bytes, *, is_message: bool) -> str:
    """What an input asks for; `data`: its 124 bytes, or a record's body of 60."""
    try:
        body = records.decode(data)
    except InputError:
        return f"bytes that are no record: type {data[0]}"
    if isinstance(body, ForcedBody):
        words = _strip(describe_input(body.body, is_message=False))
        return f"a forced {words}, in the name of its sender {show_hex(body.sender)}"
    words = _WORDS[type(body)](body)
    is_forced = is_message and data[0] < records.FIRST_MESSAGE
    return f"a forced {_strip(words)}" if is_forced else words


def show_hex(data: bytes) -> str:
    """Bytes as 0x and digits."""
    return f"0x{data.hex()}"


def show_time(seconds: int) -> str:
    """Unix seconds for people."""
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (OverflowError, ValueError, OSError):
        return f"time {seconds}"


def name_account(account: int) -> str:
    """An account, and whose sub-account it is."""
    if account == keys.BACKSTOP:
        return "the backstop's account"
    sub = keys.get_sub(account)
    return f"sub-account {sub} of account {keys.get_master(account)}" if sub else f"account {account}"


def _strip(words: str) -> str:
    return words.removeprefix("an ").removeprefix("a ")


def _by(body: Any) -> str:
    agent = getattr(body, "agent", 0)
    return f"by {name_account(body.account)}" + (f", signed by its agent {agent}" if agent else "")


def _order(body: OrderBody) -> str:
    side = "sell" if body.side == records.SELL else "buy"
    parts = [f"an order to {side} {body.size} lots of market {body.market} at {body.price} ticks"]
    parts.append(_TIME_IN_FORCE[body.flags & records.TIME_IN_FORCE])
    if body.flags & records.REDUCE_ONLY:
        parts.append("reduce-only")
    if body.flags & records.ARMED:
        parts.append(f"waiting for a mark {'above' if body.flags & records.ABOVE else 'below'} {body.trigger}")
    if body.expiry:
        parts.append(f"until {show_time(body.expiry)}")
    if body.client:
        parts.append(f"client id {body.client}")
    return f"{', '.join(parts)}, {_by(body)}, in its order slot {body.order_slot}"


def _set_agent(body: SetAgentBody) -> str:
    if not any(body.key):
        return f"a dismissal of agent {body.agent}, by {name_account(body.account)}"
    until = show_time(body.expiry)
    return f"a naming of {show_hex(body.key)} as agent {body.agent} until {until}, by {name_account(body.account)}"


_WORDS: Final[dict[type, Callable[[Any], str]]] = {
    OrderBody: _order,
    CancelBody: lambda body: f"a cancel of the order in slot {body.order_slot}, {_by(body)}",
    CancelAllBody: lambda body: f"a cancel of all orders, {_by(body)}",
    AmendBody: lambda body: (
        f"an amendment of the order in slot {body.order_slot} to {body.size} lots at {body.price} ticks, {_by(body)}"
    ),
    ScheduleCancelBody: lambda body: (
        f"a dead-man's switch {f'at {show_time(body.deadline)}' if body.deadline else 'off'}, {_by(body)}"
    ),
    SetAgentBody: _set_agent,
    CrankBody: lambda body: f"a crank of market {body.market}" if body.market else "a crank of the machine's own work",
    BulkBody: lambda body: f"a bulk of orders, whose pages follow, {_by(body)}",
    LegPageBody: lambda body: "a page of a bulk's orders",
    TransferBody: lambda body: f"a transfer of {format_amount(body.amount)} to {name_account(body.peer)}, {_by(body)}",
    WithdrawBody: lambda body: f"a withdrawal of {format_amount(body.amount)}, {_by(body)}",
    ReportBody: lambda body: (
        f"a report of {body.price} ticks for market {body.market}, of {show_time(body.time)}, "
        f"by oracle signer {body.signer}"
    ),
    BackstopDepositBody: lambda body: f"a deposit of {format_amount(body.amount)} into the backstop, {_by(body)}",
    BackstopWithdrawBody: lambda body: f"a withdrawal of {body.shares} shares of the backstop, {_by(body)}",
    DepositBody: lambda body: (
        f"a deposit of {format_amount(body.amount)} for {name_account(body.account)} of {show_hex(body.owner)}"
    ),
    ListMarketBody: lambda body: f"a listing of market {body.market}",
    SetMarketBody: lambda body: f"a change of the parameters of market {body.market}",
    SetSignerBody: lambda body: (
        f"a naming of {show_hex(body.owner)} as oracle signer {body.number}, quorum {body.quorum}"
    ),
    SetTermsBody: lambda body: "a change of the exchange's terms",
    WindDownBody: lambda body: "the wind-down of the exchange",
}
