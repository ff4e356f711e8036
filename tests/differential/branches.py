"""Names for what happened inside a step, read off its leaves: so that a test can ask whether the rare cases came up."""

from __future__ import annotations

from tests.differential.harness import Step

from setoff.shared import errors
from setoff.shared.codec import records
from setoff.shared.rules import phases
from setoff.shared.rules.margin import compute_health, compute_requirement, compute_value
from setoff.shared.state import keys, leaves
from setoff.shared.state.leaves import Account
from setoff.shared.state.store import State
from setoff.shared.state.tree import Tree

#: Every branch that the differential tests must meet.
BRANCHES = frozenset(
    [
        f"fill: {role} {change}"
        for role in ("taker", "maker")
        for change in ("opens", "adds", "reduces", "closes", "flips")
    ]
    + ["fill: maker left", "fill: maker exhausted", "fill: taker left", "fill: taker filled"]
    + ["probe: own", "probe: funded", "probe: unfunded", "probe: closing"]
    + ["margin: funded", "margin: closing", "margin: refused", "margin: negative equity"]
    + ["margin: payment", "margin: payment refused"]
    + ["match: cross", "match: rest", "match: ioc", "match: post only", "match: limit"]
    + ["unlink: no order", "unlink: with lots", "unlink: without lots"]
    + [f"unlink: {place}" for place in ("only", "head", "tail", "middle")]
    + ["rest: new level", "rest: append", "unlist: best", "unlist: behind"]
    + [f"unlist: {words} words" for words in (1, 2, 3)]
    + [f"seek: {side} {found}" for side in ("bids", "asks") for found in ("found", "empty")]
    + [f"list: {side} {place}" for side in ("bids", "asks") for place in ("best", "behind")]
    + ["report: median", "report: no quorum", "report: refused"]
    + [f"outcome: {reason}" for reason in errors.OUTCOMES]
)


def branches_of(step: Step) -> set[str]:
    """The branches of `BRANCHES` that a step took."""
    found = {f"outcome: {errors.OUTCOMES[step.after.outcome]}"}
    reader = {
        "fill": _fill,
        "probe": _probe,
        "margin": _margin,
        "match": _match,
        "unlink": _unlink,
        "rest": lambda step: {"rest: new level" if step.after.phase == phases.LIST else "rest: append"},
        "unlist": _unlist,
        "seek": _seek,
        "list": _list,
        "report": _report,
    }.get(step.kind)
    return found | (reader(step) if reader else set())


def _account(values: dict[int, bytes], account: int) -> Account:
    return leaves.decode_account(values[keys.account_key(account)])


def _size(account: Account, market: int) -> int:
    return next((position.size for position in account.positions if position.market == market), 0)


def _change(before: int, after: int) -> str:
    if before == 0:
        return "opens"
    if after == 0:
        return "closes"
    if (before > 0) != (after > 0):
        return "flips"
    return "adds" if abs(after) > abs(before) else "reduces"


def _fill(step: Step) -> set[str]:
    regs = step.before
    maker = keys.handle_account(regs.cursor)
    found = set()
    for role, account in (("taker", regs.account), ("maker", maker)):
        before, after = (_size(_account(values, account), regs.market) for values in (step.old, step.new))
        found.add(f"fill: {role} {_change(before, after)}")
    found.add("fill: maker exhausted" if step.after.phase == phases.UNLINK else "fill: maker left")
    found.add("fill: taker left" if step.after.size else "fill: taker filled")
    return found


def _is_funded(step: Step, account: Account, delta: int) -> bool:
    """Whether the account could bear its positions at the mark, open orders aside, after `delta` lots at the mark."""
    state = State(Tree(step.old.items()))
    equity, requirement = account.collateral, 0
    for position in account.positions:
        if position.market:
            market = state.market(position.market)
            size = position.size
            equity += compute_value(size, market.mark, market)
            requirement += compute_requirement(
                abs(size + (delta if position.market == step.before.market else 0)), market
            )
    return equity >= requirement


def _probe(step: Step) -> set[str]:
    regs = step.before
    maker = keys.handle_account(regs.cursor)
    if maker == regs.account:
        return {"probe: own"}
    if step.after.phase == phases.UNLINK:
        return {"probe: unfunded"}
    order = leaves.decode_order(step.old[keys.order_key(regs.cursor)])
    size = min(regs.size, order.size)
    delta = -size if regs.side == records.BUY else size
    # At another price than the mark the two conditions can part, but an account that misses by far is only closing.
    return {"probe: funded" if _is_funded(step, _account(step.old, maker), delta) else "probe: closing"}


def _margin(step: Step) -> set[str]:
    regs = step.before
    account = _account(step.old, regs.account)
    equity, requirement = compute_health(State(Tree(step.old.items())), account)
    found = {"margin: negative equity"} if equity < 0 else set()
    is_order = regs.kind == records.ORDER
    if step.after.outcome == errors.INSUFFICIENT_MARGIN:
        return found | {"margin: refused" if is_order else "margin: payment refused"}
    if not is_order:
        return found | {"margin: payment"}
    return found | {"margin: funded" if equity >= requirement else "margin: closing"}


def _match(step: Step) -> set[str]:
    if step.after.phase == phases.PROBE:
        return {"match: cross"}
    if step.after.phase == phases.REST:
        return {"match: rest"}
    if step.after.outcome == errors.WOULD_CROSS:
        return {"match: post only"}
    return {"match: limit" if step.before.matches == phases.MAX_MATCHES else "match: ioc"}


def _unlink(step: Step) -> set[str]:
    order = leaves.decode_order(step.old[keys.order_key(step.before.cursor)])
    if not order.market:
        return {"unlink: no order"}
    if order.prev:
        place = "middle" if order.next else "tail"
    else:
        place = "head" if order.next else "only"
    return {f"unlink: {place}", "unlink: with lots" if order.size else "unlink: without lots"}


def _unlist(step: Step) -> set[str]:
    words = sum(step.old[key] != step.new[key] for key in step.old if key >> keys.BODY_BITS == keys.BITMAP)
    return {f"unlist: {words} words", "unlist: best" if step.after.phase == phases.SEEK else "unlist: behind"}


def _side(step: Step) -> str:
    return "bids" if step.before.level_side == records.BUY else "asks"


def _seek(step: Step) -> set[str]:
    market = leaves.decode_market(step.new[keys.market_key(step.before.market)])
    best = market.best_bid if step.before.level_side == records.BUY else market.best_ask
    return {f"seek: {_side(step)} {'found' if best else 'empty'}"}


def _list(step: Step) -> set[str]:
    market = leaves.decode_market(step.new[keys.market_key(step.before.market)])
    best = market.best_bid if step.before.level_side == records.BUY else market.best_ask
    return {f"list: {_side(step)} {'best' if best == step.before.tick else 'behind'}"}


def _report(step: Step) -> set[str]:
    if step.after.outcome != errors.ACCEPTED:
        return {"report: refused"}
    market = leaves.decode_market(step.new[keys.market_key(step.before.market)])
    return {"report: median" if market.index_time == step.before.nonce else "report: no quorum"}
