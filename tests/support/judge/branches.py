"""Names for what happened inside a step, read off its leaves: so that a test can ask whether the rare cases came up."""

from __future__ import annotations

from collections.abc import Callable

from tests.support.judge.bench import Step

from setoff.shared import errors
from setoff.shared.codec import records
from setoff.shared.rules import phases
from setoff.shared.rules.deleveraging import get_ranked
from setoff.shared.rules.holders import get_visited
from setoff.shared.rules.levels import get_best
from setoff.shared.rules.liquidation import compute_maintenance
from setoff.shared.rules.margin import PAYMENTS, compute_fee, compute_health, compute_initial, compute_value
from setoff.shared.rules.marks import get_halt_time
from setoff.shared.rules.matching import is_crossing, is_liquidation
from setoff.shared.rules.positions import is_live
from setoff.shared.rules.work import is_out_of_steps
from setoff.shared.state import keys, leaves
from setoff.shared.state.leaves import Account, Market, Order
from setoff.shared.state.store import State
from setoff.shared.state.tree import Tree

SIDES = ("bids", "asks", "above", "below")

BRANCHES = frozenset(
    [
        f"fill: {role} {change}"
        for role in ("taker", "maker")
        for change in ("opens", "adds", "reduces", "closes", "flips")
    ]
    + ["fill: maker left", "fill: maker exhausted", "fill: taker left", "fill: taker filled", "fill: liquidation"]
    + ["probe: own", "probe: dead", "probe: unfunded", "probe: funded", "probe: closing", "probe: cut"]
    + ["probe: counted", "probe: not counted"]
    + ["margin: funded", "margin: closing", "margin: refused", "margin: negative equity"]
    + ["margin: payment", "margin: payment refused", "margin: goes on", "margin: ends"]
    + ["match: cross", "match: rest", "match: dropped", "match: paused", "match: left"]
    + ["unlink: no order", "unlink: with lots", "unlink: without lots", "unlink: armed", "unlink: dead"]
    + [f"unlink: {place}" for place in ("only", "head", "tail", "middle")]
    + ["rest: new level", "rest: append", "unlist: best", "unlist: behind"]
    + [f"unlist: {words} words" for words in (1, 2, 3)]
    + [f"seek: {side} {found}" for side in SIDES for found in ("found", "empty")]
    + [f"list: {side} {place}" for side in SIDES for place in ("best", "behind")]
    + [f"next: {words} words" for words in (1, 3, 5)]
    + ["next: none", "report: median", "report: no quorum", "report: refused", "report: halt"]
    + ["crank: measures", "crank: expired", "crank: settled", "crank: refused", "crank: over", "crank: of no market"]
    + [f"descend: {place} {found}" for place in ("best", "behind") for found in ("found", "none")]
    + ["depth: counted", "depth: not sure", "depth: pruned", "depth: bids done", "depth: asks done", "depth: paused"]
    + ["sample: neither", "sample: bids", "sample: asks", "sample: both", "sample: funding"]
    + [
        "report: call",
        "crank: auction",
        "crank: calling",
        "admit: auction",
        "match: call",
        "sweep: call",
        "trigger: call",
    ]
    + [f"approach: {side} {what}" for side in SIDES[:2] for what in ("best found", "behind found", "behind none")]
    + [f"tally: {what}" for what in ("begins", "matched", "more", "apart", "pruned", "not sure", "paused")]
    + [f"pair: {what}" for what in ("price", "two", "beyond", "second leaves", "paused", "done", "for an order")]
    + [f"vouch: {what}" for what in ("first", "second", "cut", "pruned", "over the cap")]
    + [f"cross: {what}" for what in ("traded", "one account", "one owner", "bid left", "ask left", "both used up")]
    + ["amend: shrinks", "amend: enters anew", "amend: refused", "clear: now", "clear: later"]
    + ["admit: dead order", "admit: armed", "admit: order"]
    + ["transfer: to sub-account", "transfer: to master"]
    + [
        f"request: {what}"
        for what in ("deposit", "withdrawal", "the first", "a further one", "pending", "too many shares")
    ]
    + [f"shares: {what}" for what in ("none", "not due", "stale", "asked for by a crank", "the last", "one of more")]
    + [f"shares: deposit {what}" for what in ("first", "more", "in a new generation", "given back", "wound down")]
    + [f"shares: withdrawal {what}" for what in ("paid", "in part", "void")]
    + [f"credit: {what}" for what in ("money", "shares", "both", "nothing", "shares for void ones")]
    + ["work: ends", "work: yields", "work: goes on"]
    + [
        "sweep: nothing to do",
        "sweep: holds nothing",
        "sweep: first slice",
        "sweep: waits",
        "sweep: slice",
        "sweep: close-out",
        "sweep: insurance",
        "sweep: settled",
        "sweep: debt",
    ]
    + ["sweep: wound down", "sweep: wound down with a debt", "unwind: wound down", "trigger: wound down"]
    + ["leg: wound down"]
    + [
        "takeover: taken",
        "takeover: in part",
        "takeover: refused",
        "takeover: no place",
        "takeover: the backstop's own",
    ]
    + ["liquidated: book took some", "liquidated: book took none"]
    + ["rank: first", "rank: further", "rank: last", "rank: does not score", "deleverage: all", "deleverage: part"]
    + ["deleverage: gone", "deleverage: again", "deleverage: ranks anew", "deleverage: the account itself"]
    + ["deleverage: a levy", "deleverage: a debt", "fill: with its fee", "fill: at the least price", "fill: an offer"]
    + [
        f"fill: {what}"
        for what in ("without terms", "saves", "saves nothing", "rebate", "rebate cut", "counts for nobody")
    ]
    + [f"enrol: {what}" for what in ("one side", "both sides", "the backstop", "entered already", "a new word")]
    + ["strike: one bit", "strike: a word", "strike: the last"]
    + [f"gather: {what}" for what in ("a sweep's word", "a ranking's word", "end of a sweep")]
    + ["gather: end of a ranking", "gather: nobody to be ranked"]
    + [f"gather: {count} leaves" for count in (0, 2, 4)]
    + [
        "unwind: offers",
        "unwind: no revenue",
        "unwind: revenue kept",
        "unwind: with the treasury",
        "unwind: without a treasury",
        "unwind: nothing",
        "unwind: taken",
        "unwind: left",
        "trigger: above",
        "trigger: below",
        "trigger: none",
    ]
    + [
        "fire: alive",
        "fire: dead",
        "fire: partner",
        "unlink: partner",
        "rest: partner",
        "admit: partner",
        "leg: order",
        "leg: cancel",
        "leg: passed over",
        "leg: paused",
        "leg: end",
    ]
    + [f"outcome: {reason}" for reason in errors.OUTCOMES]
)
"""Every branch that the differential tests must meet."""


def branches_of(step: Step) -> set[str]:
    """The branches of `BRANCHES` that a step took."""
    found = {f"outcome: {errors.OUTCOMES[step.after.outcome]}"}
    reader = _READERS.get(step.kind)
    return found | (reader(step) if reader else set())


def _account(values: dict[int, bytes], account: int) -> Account:
    return leaves.decode_account(values[keys.account_key(account)])


def _market(values: dict[int, bytes], market: int) -> Market:
    return leaves.decode_market(values[keys.market_key(market)])


def _order(step: Step) -> Order:
    return leaves.decode_order(step.old[keys.order_key(step.before.cursor)])


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


def _fees(step: Step) -> set[str]:
    """How the fees of a fill came about."""
    activities = [key for key in step.old if key >> keys.BODY_BITS == keys.ACTIVITY]
    if not activities:
        return {"fill: without terms"}
    market = leaves.decode_market(step.old[keys.market_key(step.before.market)])
    notional = compute_value(step.before.lots, step.before.tick, market)
    kept = leaves.decode_market(step.new[keys.market_key(step.before.market)]).insurance - market.insurance
    if step.before.kind == records.LIQUIDATION:
        assert all(step.old[key] == step.new[key] for key in activities)
        return {"fill: counts for nobody"}
    base = compute_fee(notional, market.taker_fee) + compute_fee(notional, market.maker_fee)
    found = {"fill: saves" if kept < base else "fill: saves nothing"}
    if market.maker_fee < 0:
        found.add("fill: rebate cut" if kept > base else "fill: rebate")
    return found


def _fill(step: Step) -> set[str]:
    regs = step.before
    maker = keys.handle_account(regs.cursor)
    found = {"fill: liquidation"} if regs.kind == records.LIQUIDATION else set()
    if is_liquidation(regs):
        found.add("fill: at the least price" if regs.tick == regs.price else "fill: with its fee")
    elif found:
        found.add("fill: an offer")
    for role, account in (("taker", regs.account), ("maker", maker)):
        before, after = (_size(_account(values, account), regs.market) for values in (step.old, step.new))
        found.add(f"fill: {role} {_change(before, after)}")
    found |= _fees(step)
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
            equity += compute_value(position.size, market.mark, market)
            change = delta if position.market == step.before.market else 0
            requirement += compute_initial(abs(position.size + change), market, market.scale if change else 0)
    return equity >= requirement


def _probe(step: Step) -> set[str]:
    regs = step.before
    maker = keys.handle_account(regs.cursor)
    if keys.get_master(maker) == keys.get_master(regs.account):
        return {"probe: own"}
    if regs.scanning:
        counted = step.after.fok_lots > regs.fok_lots or step.after.scanning == 0
        return {"probe: counted" if counted else "probe: not counted"}
    order, account = _order(step), _account(step.old, maker)
    if not is_live(order, account, regs.time):
        return {"probe: dead"}
    lots = step.after.lots
    found = {"probe: cut"} if lots < min(regs.size, order.size) else set()
    if step.after.phase == phases.UNLINK:
        return found | {"probe: unfunded"}
    # At another price than the mark the two conditions can part, but an account that misses by far is only closing.
    delta = -lots if regs.side == records.BUY else lots
    return found | {"probe: funded" if _is_funded(step, account, delta) else "probe: closing"}


def _margin(step: Step) -> set[str]:
    regs = step.before
    account = _account(step.old, regs.account)
    equity, requirement = compute_health(regs, State(Tree(step.old.items())), account, regs.market)
    found = {"margin: negative equity"} if equity < 0 else set()
    is_payment = regs.kind in PAYMENTS
    if regs.steps == regs.started + 1 and not is_payment:
        return {"margin: goes on" if step.after.phase == phases.MATCH else "margin: ends"}
    if step.after.phase == step.before.return_phase:
        return found | {"margin: payment refused" if is_payment else "margin: refused"}
    if is_payment:
        return found | {"margin: payment"}
    return found | {"margin: funded" if equity >= requirement else "margin: closing"}


def _match(step: Step) -> set[str]:
    if step.after.phase == phases.PROBE:
        return {"match: cross"}
    if step.after.phase == phases.REST:
        market = _market(step.old, step.before.market)
        best = get_best(market, 1 - step.before.side)
        return {"match: call" if is_crossing(step.before.side, step.before.price, best) else "match: rest"}
    if step.after.phase == phases.IDLE:
        return {"match: paused"}
    return {"match: left" if is_out_of_steps(step.after) else "match: dropped"}


def _unlink(step: Step) -> set[str]:
    order = _order(step)
    if step.after.phase not in (phases.UNLIST, step.before.next_phase) or step.new[keys.order_key(step.before.cursor)]:
        return {"unlink: no order"}
    if not order.market:
        return {"unlink: no order"}
    found = set()
    if order.partner:
        found.add("unlink: partner")
    if order.trigger:
        found.add("unlink: armed")
    elif not is_live(order, _account(step.old, keys.handle_account(step.before.cursor)), step.before.time):
        found.add("unlink: dead")
    if order.prev:
        place = "middle" if order.next else "tail"
    else:
        place = "head" if order.next else "only"
    return found | {f"unlink: {place}", "unlink: with lots" if order.size else "unlink: without lots"}


def _unlist(step: Step) -> set[str]:
    words = sum(step.old[key] != step.new[key] for key in step.old if key >> keys.BODY_BITS == keys.BITMAP)
    return {f"unlist: {words} words", "unlist: best" if step.after.phase == phases.SEEK else "unlist: behind"}


def _best(step: Step) -> int:
    return get_best(_market(step.new, step.before.level_market), step.before.level_side)


def _seek(step: Step) -> set[str]:
    return {f"seek: {SIDES[step.before.level_side]} {'found' if _best(step) else 'empty'}"}


def _list(step: Step) -> set[str]:
    place = "best" if _best(step) == step.before.tick else "behind"
    return {f"list: {SIDES[step.before.level_side]} {place}"}


def _next(step: Step) -> set[str]:
    words = sum(key >> keys.BODY_BITS == keys.BITMAP for key in step.old)
    return {f"next: {words} words"} if step.after.phase == phases.PROBE else {"next: none"}


def _report(step: Step) -> set[str]:
    if step.after.phase == phases.IDLE:
        return {"report: no quorum" if step.after.outcome == errors.ACCEPTED else "report: refused"}
    market = _market(step.new, step.before.market)
    found = {"report: median"}
    if market.halted_until == step.before.time + get_halt_time(market):
        found.add("report: call" if market.call_minutes else "report: halt")
    return found


def _crank(step: Step) -> set[str]:
    if step.after.phase == phases.IDLE:
        return {"crank: refused"}
    if step.after.phase == phases.DESCEND:
        return {"crank: measures"}
    if step.after.phase == phases.APPROACH:
        return {"crank: auction"}
    if step.after.phase == phases.SAMPLE:
        return {"crank: calling"}
    if step.before.market == 0:
        return {"crank: of no market"}
    before, after = (_market(values, step.before.market) for values in (step.old, step.new))
    if before.expiry != after.expiry:
        return {"crank: over"}
    if after.settled:
        return {"crank: settled"}
    return {"crank: expired"}


def _descend(step: Step) -> set[str]:
    place = "behind" if step.before.tick else "best"
    return {f"descend: {place} {'found' if step.after.phase == phases.DEPTH else 'none'}"}


def _depth(step: Step) -> set[str]:
    before, after = step.before, step.after
    if is_out_of_steps(after):
        return {"depth: paused"}
    if after.phase == phases.UNLINK:
        return {"depth: pruned"}
    if after.level_side != before.level_side:
        return {"depth: bids done"}
    if after.phase == phases.SAMPLE:
        return {"depth: asks done"}
    return {"depth: counted" if after.fok_lots > before.fok_lots else "depth: not sure"}


def _sample(step: Step) -> set[str]:
    bid, ask = step.before.trigger, step.before.price
    sides = "both" if bid and ask else "bids" if bid else "asks" if ask else "neither"
    before, after = (_market(values, step.before.market) for values in (step.old, step.new))
    return {f"sample: {sides}"} | ({"sample: funding"} if before.funding != after.funding else set())


def _is_below(step: Step) -> bool:
    """Whether the account under the sweep is below its maintenance margin."""
    number = get_visited(step.before.sweep_end, step.before.sweep_word)
    equity, maintenance, _ = compute_maintenance(State(Tree(step.new.items())), _account(step.new, number))
    return equity < maintenance


def _is_paused(step: Step) -> bool:
    """Whether the account under the sweep waits after a first slice."""
    number = get_visited(step.before.sweep_end, step.before.sweep_word)
    return step.before.time < _account(step.new, number).paused_until


def _approach(step: Step) -> set[str]:
    side = step.before.level_side
    place = "behind" if (step.before.bid_tick, step.before.ask_tick)[side] else "best"
    found = any(key >> keys.BODY_BITS == keys.LEVEL for key in step.old)
    return {f"approach: {SIDES[side]} {place} {'found' if found else 'none'}"}


def _tally(step: Step) -> set[str]:
    before, after = step.before, step.after
    if after.phase == phases.IDLE:
        return {"tally: paused"}
    if after.phase == phases.UNLINK:
        return {"tally: pruned"}
    if after.phase == phases.PAIR:
        return {"tally: apart"}
    if (after.surplus, after.level_side) == (before.surplus, before.level_side):
        return {"tally: not sure"}
    if before.surplus == 0:
        return {"tally: begins"}
    return {"tally: more" if after.level_side != before.level_side and after.surplus else "tally: matched"}


def _pair(step: Step) -> set[str]:
    before, after = step.before, step.after
    if not step.old:
        return {"pair: paused" if after.phase == phases.IDLE else "pair: second leaves"}
    found = {"pair: price"} if before.ceiling else set()
    if len(step.old) == 1:
        return found | {"pair: for an order" if after.phase == phases.ADMIT else "pair: done"}
    if not before.ceiling and after.clearing != before.clearing:
        found.add("pair: beyond")
    return found | {"pair: two"}


def _vouch(step: Step) -> set[str]:
    before, after = step.before, step.after
    if after.phase == phases.UNLINK:
        market = _market(step.old, before.market)
        is_over = before.matches == 0 and market.open_interest + before.lots > market.max_open_interest
        return {"vouch: over the cap" if is_over else "vouch: pruned"}
    if after.lots < before.lots:
        return {"vouch: cut"}
    return {"vouch: second" if after.phase == phases.CROSS else "vouch: first"}


def _cross(step: Step) -> set[str]:
    regs = step.before
    buyer, seller = keys.handle_account(regs.bid), keys.handle_account(regs.ask)
    left = [leaves.decode_order(step.new[keys.order_key(handle)]).size for handle in (regs.bid, regs.ask)]
    found = {"cross: both used up"} if not any(left) else {"cross: bid left" if left[0] else "cross: ask left"}
    if buyer == seller:
        return found | {"cross: one account"}
    return found | {"cross: one owner" if keys.get_master(buyer) == keys.get_master(seller) else "cross: traded"}


def _amend(step: Step) -> set[str]:
    if step.after.phase == phases.UNLINK:
        return {"amend: enters anew"}
    return {"amend: shrinks" if step.after.outcome == errors.ACCEPTED else "amend: refused"}


def _clear(step: Step) -> set[str]:
    return {"clear: now" if step.before.kind == records.CANCEL_ALL else "clear: later"}


def _rest(step: Step) -> set[str]:
    found = {"rest: partner"} if step.before.peer else set()
    return found | {"rest: new level" if step.after.phase == phases.LIST else "rest: append"}


def _admit(step: Step) -> set[str]:
    if step.after.phase == phases.UNLINK:
        return {"admit: dead order"}
    if step.after.phase == phases.APPROACH:
        return {"admit: auction"}
    if step.before.flags & records.ARMED and step.before.peer:
        return {"admit: armed", "admit: partner"}
    return {"admit: armed" if step.before.flags & records.ARMED else "admit: order"}


def _transfer(step: Step) -> set[str]:
    return {"transfer: to master" if step.before.peer <= keys.MAX_ACCOUNT else "transfer: to sub-account"}


def _request(step: Step) -> set[str]:
    if step.after.outcome == errors.REQUEST_PENDING:
        return {"request: pending"}
    if step.after.outcome == errors.INSUFFICIENT_MARGIN:
        return {"request: too many shares"}
    is_deposit = step.before.kind == records.BACKSTOP_DEPOSIT
    return {
        "request: deposit" if is_deposit else "request: withdrawal",
        "request: a further one" if step.before.first_request else "request: the first",
    }


_FIRES = {phases.ADMIT: "fire: alive", phases.TRIGGER: "fire: partner", phases.WORK: "fire: dead"}


def _shares(step: Step) -> set[str]:
    found = {"shares: asked for by a crank"} if step.before.return_phase == phases.IDLE else set()
    if not step.old:
        return found | {"shares: none"}
    if step.after.phase != phases.CREDIT:
        return found | {"shares: stale" if len(step.old) > 1 else "shares: not due"}
    found.add("shares: one of more" if step.after.first_request else "shares: the last")
    request = leaves.decode_request(step.old[keys.request_key(step.before.first_request)])
    before, after = (_account(values, keys.BACKSTOP) for values in (step.old, step.new))
    if request.kind == records.BACKSTOP_DEPOSIT:
        if step.after.shares == 0:
            return found | {"shares: deposit wound down" if step.before.winding_since else "shares: deposit given back"}
        if before.generation != after.generation:
            return found | {"shares: deposit in a new generation"}
        return found | {"shares: deposit more" if before.shares else "shares: deposit first"}
    if request.generation != before.generation:
        return found | {"shares: withdrawal void"}
    return found | {"shares: withdrawal in part" if step.after.shares else "shares: withdrawal paid"}


def _credit(step: Step) -> set[str]:
    money, shares = step.before.amount, step.before.shares
    account, backstop = (_account(step.old, number) for number in (step.before.account, keys.BACKSTOP))
    found = {"credit: shares for void ones"} if shares and account.generation != backstop.generation else set()
    if money and shares:
        return found | {"credit: both"}
    return found | {"credit: money" if money else "credit: shares" if shares else "credit: nothing"}


def _work(step: Step) -> set[str]:
    if step.after.phase != phases.IDLE:
        return {"work: goes on"}
    return {"work: yields" if step.after.has_work else "work: ends"}


def _sweep(step: Step) -> set[str]:
    markets = {key: leaves.decode_market(value) for key, value in step.old.items() if key >> 36 == keys.MARKET}
    found = {"sweep: settled"} if any(market.settled for market in markets.values()) else set()
    if any(leaves.decode_market(step.new[key]).insurance < market.insurance for key, market in markets.items()):
        found.add("sweep: insurance")
    if step.before.winding_since:
        is_done = step.after.phase in (phases.WORK, phases.STRIKE)
        found.add("sweep: wound down" if is_done else "sweep: wound down with a debt")
    if step.after.phase == phases.STRIKE:
        return found | {"sweep: holds nothing"}
    if step.after.phase == phases.WORK:
        if not step.before.winding_since and _is_below(step):
            found.add("sweep: waits" if _is_paused(step) else "sweep: call")
        return found | {"sweep: nothing to do"}
    if step.after.market == step.after.trigger_market and step.after.phase == phases.TAKEOVER:
        found.add("sweep: debt")
    if step.after.phase == phases.TAKEOVER:
        return found | {"sweep: close-out"}
    return found | {"sweep: first slice" if step.after.return_phase == phases.WORK else "sweep: slice"}


def _takeover(step: Step) -> set[str]:
    if step.before.account == keys.BACKSTOP:
        return {"takeover: the backstop's own"}
    if not step.after.deleveraging:
        return {"takeover: taken"}
    if step.after.size < step.before.size:
        return {"takeover: in part"}
    return {"takeover: refused" if len(step.old) > 2 else "takeover: no place"}


def _rank(step: Step) -> set[str]:
    if get_ranked(step.after) == get_ranked(step.before):
        return {"rank: last" if step.before.ranked7 else "rank: does not score"}
    return {"rank: first" if step.after.ranked0 != step.before.ranked0 else "rank: further"}


def _enrol(step: Step) -> set[str]:
    found = {"enrol: one side" if step.after.phase != phases.ENROL else "enrol: both sides"}
    if step.before.enrol == keys.BACKSTOP + 1:
        found.add("enrol: the backstop")
    lowest, *_ = step.old
    if step.old[lowest] == step.new[lowest]:
        found.add("enrol: entered already")
    if not step.old[lowest]:
        found.add("enrol: a new word")
    return found


def _strike(step: Step) -> set[str]:
    changed = sum(step.old[key] != step.new[key] for key in step.old)
    return {("strike: one bit", "strike: a word", "strike: the last")[changed - 1]}


def _unwind(step: Step) -> set[str]:
    if step.before.unwind == 0:
        return {"unwind: taken" if step.after.size < step.after.amount else "unwind: left"}
    found = _share(step)
    if step.after.phase == phases.MATCH:
        return found | {"unwind: offers"}
    return found | {"unwind: wound down" if step.before.winding_since else "unwind: nothing"}


def _share(step: Step) -> set[str]:
    """What became of the fees of the market."""
    key = keys.market_key(step.before.unwind)
    before, after = (leaves.decode_market(values[key]) for values in (step.old, step.new))
    if before.revenue == 0:
        return {"unwind: no revenue"}
    if before.insurance == after.insurance:
        return {"unwind: revenue kept"}
    return {"unwind: with the treasury" if len(step.old) == 4 else "unwind: without a treasury"}


def _gather(step: Step) -> set[str]:
    found = {f"gather: {len(step.old)} leaves"}
    if step.before.ranking:
        if step.after.ranking:
            return found | {"gather: a ranking's word"}
        return found | {"gather: end of a ranking" if step.after.ranked0 else "gather: nobody to be ranked"}
    return found | {"gather: a sweep's word" if step.after.sweeping else "gather: end of a sweep"}


def _deleverage(step: Step) -> set[str]:
    if not step.old:
        return {"deleverage: the account itself"}
    before, after = (
        _size(_account(values, step.before.account), step.before.market) for values in (step.old, step.new)
    )
    if before == after:
        return {"deleverage: gone"}
    found = {"deleverage: all" if abs(before) - abs(after) == step.before.size else "deleverage: part"}
    mark = leaves.decode_market(step.old[keys.market_key(step.before.market)]).mark
    if step.before.price != mark:
        is_worse = step.before.price < mark if step.before.side == records.SELL else step.before.price > mark
        found.add("deleverage: a levy" if is_worse else "deleverage: a debt")
    if step.after.ranked0 == step.before.ranked0:
        found.add("deleverage: again")
    if step.after.ranking:
        found.add("deleverage: ranks anew")
    return found


def _trigger(step: Step) -> set[str]:
    market = _market(step.old, step.before.trigger_market)
    if step.before.winding_since and market.stop_below and market.mark <= market.stop_below:
        return {"trigger: wound down"}
    if step.after.phase == phases.WORK:
        is_waiting = market.stop_below != 0 and market.mark <= market.stop_below and not step.before.winding_since
        return {"trigger: call" if is_waiting else "trigger: none"}
    (level,) = (key for key in step.old if key >> keys.BODY_BITS == keys.LEVEL)
    return {"trigger: above" if level >> 24 & 3 == keys.ABOVE else "trigger: below"}


def _leg(step: Step) -> set[str]:
    if step.after.phase == phases.IDLE:
        return {"leg: paused" if step.after.has_work else "leg: end"}
    if step.after.phase == phases.LEG:
        return {"leg: wound down" if step.before.winding_since else "leg: passed over"}
    return {"leg: order" if step.after.phase == phases.ADMIT else "leg: cancel"}


_READERS: dict[str, Callable[[Step], set[str]]] = {
    "approach": _approach,
    "tally": _tally,
    "pair": _pair,
    "vouch": _vouch,
    "cross": _cross,
    "fill": _fill,
    "probe": _probe,
    "margin": _margin,
    "match": _match,
    "unlink": _unlink,
    "rest": _rest,
    "unlist": _unlist,
    "seek": _seek,
    "list": _list,
    "next": _next,
    "report": _report,
    "crank": _crank,
    "descend": _descend,
    "depth": _depth,
    "sample": _sample,
    "amend": _amend,
    "clear": _clear,
    "admit": _admit,
    "transfer": _transfer,
    "request": _request,
    "shares": _shares,
    "credit": _credit,
    "work": _work,
    "sweep": _sweep,
    "takeover": _takeover,
    "liquidated": lambda step: {
        "liquidated: book took some" if step.after.phase == phases.WORK else "liquidated: book took none"
    },
    "rank": _rank,
    "enrol": _enrol,
    "strike": _strike,
    "gather": _gather,
    "deleverage": _deleverage,
    "unwind": _unwind,
    "trigger": _trigger,
    "fire": lambda step: {_FIRES[step.after.next_phase]},
    "leg": _leg,
}
