"""Why an account's collateral changed in an input, to the unit.

The fees of fills are computed by the rules' own functions from what was there before. What is left of a change after
fills, fees and payments is funding, as far as that was due, and else what the machine did to the account itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple, cast

from setoff.shared.codec import records
from setoff.shared.codec.integers import div_ceil
from setoff.shared.machine.machine import AUCTION, DELEVERAGE, LIQUIDATION, TAKEOVER, TRADE, UNWIND, Fill
from setoff.shared.rules import phases
from setoff.shared.rules.fees import charge_fees
from setoff.shared.rules.margin import compute_fee, compute_value
from setoff.shared.rules.matching import get_maker_rate
from setoff.shared.state import keys, leaves
from setoff.shared.state.leaves import Account
from setoff.shared.state.registers import Registers
from setoff.shared.state.store import State
from setoff.shared.state.tree import Tree

Changed = Mapping[int, tuple[bytes, bytes]]
"""Leaves that an input used, by key: before and after it."""

BOOK: Final = (TRADE, LIQUIDATION, UNWIND, AUCTION)
"""Kinds of fills in the book, at a price that both sides have."""
_OWN: Final = {TAKEOVER: "takeover", DELEVERAGE: "deleverage"}
"""What a fill beside the book moves, to each of its sides."""
_COSTS: Final = {DELEVERAGE: "deleverage", LIQUIDATION: "liquidation"}
"""What such a fill costs whom it liquidates beside its price: the levy, the liquidation's fee."""


class Entry(NamedTuple):
    """One reason: an account, what it was, token units; a market, another account, or a fill, as far as there is."""

    account: int
    kind: str
    amount: int
    market: int | None = None
    peer: int | None = None
    fill: int | None = None


class _Before:
    """The tree as it was before an input."""

    def __init__(self, tree: Tree, changed: Changed) -> None:
        self._tree = tree
        self._changed = changed

    def get(self, key: int) -> bytes:
        """See `Tree`."""
        found = self._changed.get(key)
        return self._tree.get(key) if found is None else found[0]


def compute_fees(regs: Registers, tree: Tree, changed: Changed, fills: Iterable[Fill]) -> list[tuple[int, int]]:
    """(taker's fee, maker's) of each fill of an input, token units, as the rules charged them; `tree` is that after."""
    state = State(cast(Tree, _Before(tree, changed)))
    regs = regs.copy()
    found = []
    for fill in fills:
        market = state.market(fill.market)
        value = compute_value(fill.size, fill.price, market)
        if fill.kind == AUCTION:
            fee = compute_fee(value, get_maker_rate(market))
            found.append((fee, fee))
        elif fill.kind in BOOK:
            regs.kind = records.ORDER if fill.kind == TRADE else records.LIQUIDATION
            regs.account = fill.taker
            found.append(charge_fees(regs, state, market, fill.maker, value))
        else:
            found.append((0, 0))
    return found


def explain_changes(
    state: State,
    changed: Changed,
    fills: Sequence[tuple[int, Fill, int, int]],
    payments: Sequence[Entry],
    treasury: int,
) -> list[Entry]:
    """Every change of collateral of an input; `fills` with their numbers and fees, `payments`: what the input itself
    moves, if it was accepted."""
    entries = list(payments)
    involved: dict[int, str] = {}
    for number, fill, taker_fee, maker_fee in fills:
        if fill.kind in _COSTS:
            involved.setdefault(fill.taker, _COSTS[fill.kind])
        value = compute_value(fill.size, fill.price, state.market(fill.market))
        sign = 1 if fill.side == records.BUY else -1
        for account, amount, fee, peer in (
            (fill.taker, -sign * value, taker_fee, fill.maker),
            (fill.maker, sign * value, maker_fee, fill.taker),
        ):
            entries.append(Entry(account, _OWN.get(fill.kind, "trade"), amount, fill.market, peer, number))
            if fee:
                entries.append(Entry(account, "fee", -fee, fill.market, None, number))
    told: dict[int, int] = {}
    for entry in entries:
        told[entry.account] = told.get(entry.account, 0) + entry.amount
    for key, (before, after) in changed.items():
        if key >> keys.BODY_BITS == keys.ACCOUNT and before != after:
            number = key & (1 << keys.BODY_BITS) - 1
            was, now = leaves.decode_account(before), leaves.decode_account(after)
            rest = now.collateral - was.collateral - told.get(number, 0)
            if rest:
                asks = keys.REQUEST << keys.BODY_BITS | number in changed
                entries += _explain_rest(state, number, was, rest, involved.get(number), treasury, asks)
    return entries


def _explain_rest(
    state: State, number: int, was: Account, rest: int, kind: str | None, treasury: int, asks: bool
) -> list[Entry]:
    """What is left: funding as far as it was due, market by market, and then what it was beside. `kind`: what a fill of
    this input costs the account beside its price."""
    due = {
        position.market: -div_ceil(
            position.size * (state.market(position.market).funding - position.funding), phases.FUNDING_ONE
        )
        for position in was.positions
        if position.market and position.size
    }
    due = {market: amount for market, amount in due.items() if amount}
    total = sum(due.values())
    if due and abs(rest - total) <= 2 * len(due):
        market = next(iter(due))
        due[market] += rest - total  # settled twice in an input, each time rounded up
        return _list_funding(number, due)
    if kind is not None:
        beside = rest - total
        # What is no cost was paid for it: a debt of what is liquidated.
        return [*_list_funding(number, due), Entry(number, kind if beside < 0 else "insurance", beside)]
    if asks or number == keys.BACKSTOP:
        kind = "backstop"
    elif number == treasury:
        kind = "revenue"
    else:
        kind = "funding" if due else "insurance"
    return [Entry(number, kind, rest)]


def _list_funding(number: int, due: Mapping[int, int]) -> list[Entry]:
    return [Entry(number, "funding", amount, market) for market, amount in due.items()]


def list_payments(kind: int, body: bytes, account: int, withdrawal: int) -> list[Entry]:
    """What an accepted input moves itself. `withdrawal`: the index of the last one."""
    if kind == records.DEPOSIT:
        deposit = records.decode_deposit(body)
        return [Entry(deposit.account, "deposit", deposit.amount)]
    if kind == records.TRANSFER:
        transfer = records.decode_transfer(body)
        return [
            Entry(account, "transfer", -transfer.amount, peer=transfer.peer),
            Entry(transfer.peer, "transfer", transfer.amount, peer=account),
        ]
    if kind == records.WITHDRAW:
        return [Entry(account, "withdrawal", -records.decode_withdraw(body).amount, fill=withdrawal)]
    if kind == records.BACKSTOP_DEPOSIT:
        return [Entry(account, "backstop", -records.decode_backstop_deposit(body).amount)]
    return []
