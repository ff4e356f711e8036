"""Small wrongs in the Vyper twins, of the kind a slip of the hand makes: the differential run must catch each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mutant:
    """`old` stands once in `contracts/<file>`; `target` is the contract to compile with `new` in its place."""

    name: str
    file: str
    target: str
    old: str
    new: str


_SUBS = "        and (has_all_subs or flags & records.SELF_TRADE == records.CANCEL_TAKER)\n"
_CLOSES = "        and (limits & CLOSES_ONLY == 0 or flags & records.REDUCE_ONLY != 0)\n"
_MAX_SIZE = "        and (max_size == 0 or size <= max_size)\n"
MUTANTS = (
    Mutant("requirement rounds down", "codec/integers.vy", "margin", "(a + b - 1) // b", "a // b"),
    Mutant("rebate rounds up", "codec/integers.vy", "matching", "if a > 0 and quotient", "if quotient"),
    Mutant(
        "cost rounds down", "codec/integers.vy", "matching", "    return a // b\n", "    return self.div_floor(a, b)\n"
    ),
    Mutant("padding half checked", "codec/records.vy", "fetch", "in range(4)", "in range(1)"),
    Mutant("half order refused", "codec/signatures.vy", "fetch", "s > HALF_ORDER", "s >= HALF_ORDER"),
    Mutant("high s taken", "codec/signatures.vy", "fetch", "s > HALF_ORDER", "s > CURVE_ORDER"),
    Mutant(
        "another type string", "codec/records.vy", "fetch", "uint16 market,uint32 price", "uint32 market,uint32 price"
    ),
    Mutant(
        "size unsigned", "state/leaves.vy", "margin", "data -= convert(1 << width", "data -= 0 * convert(1 << width"
    ),
    Mutant("another bitmap word", "state/keys.vy", "book", "number >> (24 - 8 * depth)", "number >> (25 - 8 * depth)"),
    Mutant("nonce one too old", "rules/nonces.vy", "fetch", "age >= NONCE_WINDOW", "age > NONCE_WINDOW"),
    Mutant("window one short", "rules/nonces.vy", "fetch", "jump < NONCE_WINDOW", "jump < NONCE_WINDOW - 1"),
    Mutant("nonce one too far", "rules/nonces.vy", "fetch", "jump > MAX_NONCE_JUMP", "jump > MAX_NONCE_JUMP + 1"),
    Mutant("jump not marked", "rules/nonces.vy", "fetch", "NONCE_WINDOW else 0) | 1,", "NONCE_WINDOW else 0),"),
    Mutant("nonce used again", "rules/nonces.vy", "fetch", "return top, bitmap | 1 << age,", "return top, bitmap,"),
    Mutant(
        "owner's nonces unused",
        "rules/fetch.vy",
        "fetch",
        "return regs, leaves.encode_account(master), outcome",
        "return regs, w.values[place], outcome",
    ),
    Mutant(
        "agent's nonces unused",
        "rules/fetch.vy",
        "fetch",
        "leaves.encode_agent(agent), outcome",
        "leaves.encode_agent(signing), outcome",
    ),
    Mutant(
        "into the next session",
        "rules/fetch.vy",
        "fetch",
        "if regs.nonce >> agents.SESSION_BITS > agent.nonce_top >> agents.SESSION_BITS:",
        "if False:",
    ),
    Mutant(
        "any scope",
        "rules/fetch.vy",
        "fetch",
        "if not agents.is_in_scope(agent, regs.kind, regs.account, regs.market, regs.flags, regs.size):",
        "if False:",
    ),
    Mutant("no scope in flight", "rules/fetch.vy", "fetch", "regs.scope = agents.get_scope(agent)", "regs.scope = 0"),
    Mutant("legs of any scope", "rules/fetch.vy", "fetch", "regs.bulk_scope = regs.scope", "pass"),
    Mutant(
        "pages for ever",
        "rules/fetch.vy",
        "fetch",
        "regs.bulk_until = leaves.decode_agent(values[place]).expiry",
        "pass",
    ),
    Mutant("owner's pages end", "rules/fetch.vy", "fetch", "regs.bulk_until = 0", "pass"),
    Mutant("session not noted", "rules/fetch.vy", "fetch", "master.session = change.session", "pass"),
    Mutant("a session back", "rules/agents.vy", "fetch", "change.session < master.session or ", ""),
    Mutant(
        "a session too far",
        "rules/agents.vy",
        "fetch",
        "> master.session + nonces.MAX_NONCE_JUMP",
        "> master.session + nonces.MAX_NONCE_JUMP + 1",
    ),
    Mutant(
        "a session twice",
        "rules/agents.vy",
        "fetch",
        "change.session == master.session and change.key != empty(address)",
        "False",
    ),
    Mutant(
        "no end without a session",
        "rules/agents.vy",
        "fetch",
        "change.session == master.session and change.key != empty(address)",
        "change.session == master.session",
    ),
    Mutant("any kinds", "rules/agents.vy", "fetch", " or change.kinds & ~records.AGENT_KINDS != 0", ""),
    Mutant(
        "nobody kept",
        "rules/agents.vy",
        "fetch",
        "    if change.key == empty(address):\n        return empty(leaves.Agent)\n",
        "",
    ),
    Mutant("old session open", "rules/agents.vy", "fetch", "nonce_bitmap=max_value(uint256)", "nonce_bitmap=1"),
    Mutant(
        "all sessions one",
        "rules/agents.vy",
        "fetch",
        "nonce_top=change.session << SESSION_BITS",
        "nonce_top=change.session",
    ),
    Mutant("kind not asked", "rules/agents.vy", "fetch", "agent.kinds >> kind & 1 == 0", "False"),
    Mutant(
        "sub-account not asked", "rules/agents.vy", "fetch", "agent.subs >> keys.get_sub(account) & 1 == 0", "False"
    ),
    Mutant(
        "cancels all of it",
        "rules/agents.vy",
        "fetch",
        "kind in [records.CANCEL_ALL, records.SCHEDULE_CANCEL]",
        "kind == records.SCHEDULE_CANCEL",
    ),
    Mutant("takes others out", "rules/agents.vy", "fetch", _SUBS, ""),
    Mutant("takes others' legs out", "rules/agents.vy", "work", _SUBS, ""),
    Mutant("amends and takes out", "rules/agents.vy", "orders", _SUBS, ""),
    Mutant("all give way", "rules/agents.vy", "fetch", "(has_all_subs or flags", "(False or flags"),
    Mutant("closers open", "rules/agents.vy", "fetch", _CLOSES, ""),
    Mutant("closers' legs open", "rules/agents.vy", "work", _CLOSES, ""),
    Mutant("closers amend others", "rules/agents.vy", "orders", _CLOSES, ""),
    Mutant("of any size", "rules/agents.vy", "fetch", _MAX_SIZE, ""),
    Mutant("legs of any size", "rules/agents.vy", "work", _MAX_SIZE, ""),
    Mutant("amends to any size", "rules/agents.vy", "orders", _MAX_SIZE, ""),
    Mutant("a lot too many", "rules/agents.vy", "fetch", "size <= max_size", "size <= max_size + 1"),
    Mutant("a lot too few", "rules/agents.vy", "fetch", "size <= max_size", "size < max_size"),
    Mutant("never doubled", "rules/agents.vy", "fetch", " << (size >> SIZE_BITS)", ""),
    Mutant("limits are sub-accounts", "rules/agents.vy", "fetch", " & ((1 << SUBS_BITS) - 1) == 0", " == 0"),
    Mutant("no limits", "rules/agents.vy", "fetch", "        limits=change.limits,\n", "        limits=0,\n"),
    Mutant("seven markets", "rules/agents.vy", "fetch", "in range(8)", "in range(7)"),
    Mutant("amends anything", "rules/orders.vy", "orders", "not agents.may_send(", "False and not agents.may_send("),
    Mutant("cancels anything", "rules/book.vy", "book", "not agents.may_trade(regs.scope, order.market)", "False"),
    Mutant("legs without a scope", "rules/bulk.vy", "work", "    regs.scope = regs.bulk_scope\n", ""),
    Mutant(
        "legs to any market",
        "rules/bulk.vy",
        "work",
        "        and agents.may_send(regs.scope, leg.market, leg.flags, leg.size)\n",
        "",
    ),
    Mutant(
        "counts makers leg by leg",
        "rules/bulk.vy",
        "work",
        "        and leg.flags & records.TIME_IN_FORCE != records.FOK\n",
        "",
    ),
    Mutant(
        "counts makers when it fires",
        "rules/fetch.vy",
        "fetch",
        " and flags & records.TIME_IN_FORCE != records.FOK",
        "",
    ),
    Mutant(
        "pages a second longer", "rules/bulk.vy", "fetch", "regs.bulk_until <= regs.time", "regs.bulk_until < regs.time"
    ),
    Mutant("agent a second longer", "rules/fetch.vy", "fetch", "agent.expiry <= regs.time", "agent.expiry < regs.time"),
    Mutant("any page", "rules/bulk.vy", "fetch", "keccak256(body) != expected", "False"),
    Mutant("legs swapped", "rules/bulk.vy", "work", "decode_leg(pair >> _LEG_BITS)", "decode_leg(pair & _LEG_MASK)"),
    Mutant("rebate above the fee", "rules/listing.vy", "messages", "-convert(parameters.taker_fee, int256)", "-2**31"),
    Mutant("tiers fall", "rules/listing.vy", "messages", "tier2_size > parameters.tier1_size", "tier2_size > 0"),
    Mutant("payee pays", "rules/transfers.vy", "payments", "payee.collateral += ", "payee.collateral -= "),
    Mutant("hours run on", "rules/transfers.vy", "margin", "window != regs.window", "window == 0"),
    Mutant("upper median", "rules/oracle.vy", "oracle", "(count - 1) // 2", "count // 2"),
    Mutant("lower median", "rules/oracle.vy", "oracle", "fresh[count // 2]", "fresh[(count - 1) // 2]"),
    Mutant("the farther report", "rules/oracle.vy", "oracle", "lower + upper < 2", "lower + upper > 2"),
    Mutant("a tie goes up", "rules/oracle.vy", "oracle", "lower + upper < 2", "lower + upper <= 2"),
    Mutant("a band a report", "rules/marks.vy", "oracle", "market.anchor_time + phases.INDEX_INTERVAL", "0"),
    Mutant(
        "an interval of a second more",
        "rules/marks.vy",
        "oracle",
        "phases.INDEX_INTERVAL <= time",
        "phases.INDEX_INTERVAL < time",
    ),
    Mutant("the anchor is the report", "rules/marks.vy", "oracle", "begun.anchor = market.index", "begun.anchor = 0"),
    Mutant("weighed after the expiry", "rules/marks.vy", "oracle", "min(time, market.expiry)", "time"),
    Mutant(
        "weighed before the half hour",
        "rules/marks.vy",
        "oracle",
        "max(market.held_since + phases.TWAP_TIME, market.expiry) - phases.TWAP_TIME",
        "min(time, market.held_since)",
    ),
    Mutant("reports are counted", "rules/marks.vy", "oracle", "weighed.twap_time += held", "weighed.twap_time += 1"),
    Mutant("the last index left out", "rules/crank.vy", "oracle", "marks.weigh_index(pre, time)", "pre"),
    Mutant("report taken twice", "rules/oracle.vy", "oracle", "regs.nonce > oracle", "regs.nonce >= oracle"),
    Mutant(
        "stale as of now", "rules/oracle.vy", "oracle", "signers.max_age < regs.stamp", "signers.max_age < regs.time"
    ),
    Mutant("ahead of now", "rules/oracle.vy", "oracle", "regs.nonce > regs.stamp", "regs.nonce > regs.time"),
    Mutant(
        "counted as of now", "rules/oracle.vy", "oracle", "(oracle, signers, regs.stamp", "(oracle, signers, regs.time"
    ),
    Mutant("late news alone", "rules/oracle.vy", "oracle", "not is_news and not is_late", "not is_news"),
    Mutant(
        "older than the index", "rules/oracle.vy", "oracle", "is_late and regs.nonce <=", "is_late and regs.nonce <"
    ),
    Mutant("order among all", "rules/oracle.vy", "oracle", "if is_late and regs.nonce", "if regs.nonce"),
    Mutant("older ones stored", "rules/oracle.vy", "oracle", "if is_news:", "if is_news or is_late:"),
    Mutant(
        "swept as of now",
        "rules/oracle.vy",
        "oracle",
        "mark_before, min(regs.stamp, regs.time)",
        "mark_before, regs.time",
    ),
    Mutant(
        "swept ahead of now",
        "rules/oracle.vy",
        "oracle",
        "mark_before, min(regs.stamp, regs.time)",
        "mark_before, regs.stamp",
    ),
    Mutant(
        "paid as of now",
        "rules/margin.vy",
        "margin",
        "min(regs.stamp, regs.time) if is_payment",
        "regs.time if is_payment",
    ),
    Mutant(
        "paid ahead of now",
        "rules/margin.vy",
        "margin",
        "min(regs.stamp, regs.time) if is_payment",
        "regs.stamp if is_payment",
    ),
    Mutant("stamp of none", "judge.vy", "judge", "    regs.stamp = regs.time\n", ""),
    Mutant(
        "stamp lost", "codec/records.vy", "judge", "convert(slice(message, RECORD_BYTES, STAMP_BYTES), uint256)", "0"
    ),
    Mutant(
        "stamped when parked",
        "rules/parking.vy",
        "fetch",
        "stamp_message(body, regs.stamp)",
        "stamp_message(body, regs.time)",
    ),
    Mutant(
        "stamped when taken",
        "rules/parking.vy",
        "fetch",
        "    values[place] = leaves.encode_parked(empty",
        "    regs.stamp = pre.stamp\n    values[place] = leaves.encode_parked(empty",
    ),
    Mutant("mark is the basis", "rules/marks.vy", "oracle", "self.get_middle(index, smooth, near)", "near"),
    Mutant("mark is the premium", "rules/marks.vy", "oracle", "self.get_middle(index, smooth, near)", "smooth"),
    Mutant(
        "the last sample is the basis",
        "rules/marks.vy",
        "oracle",
        "self.get_middle(market.basis0, market.basis1, market.basis2)",
        "market.basis0",
    ),
    Mutant("mark rises unbound", "rules/marks.vy", "oracle", "mark = min(marked.mark_anchor + limit, mark)", "pass"),
    Mutant("mark falls unbound", "rules/marks.vy", "oracle", "mark = marked.mark_anchor - limit", "pass"),
    Mutant("a sample lost", "rules/marks.vy", "oracle", "sampled.basis2 = market.basis1", "pass"),
    Mutant(
        "funding inside the spread",
        "rules/marks.vy",
        "oracle",
        "max(0, convert(bid, int256) - index - slack)",
        "(convert(bid, int256) - index - slack)",
    ),
    Mutant(
        "a fee is a premium",
        "rules/marks.vy",
        "oracle",
        "convert(bid, int256) - index - slack",
        "convert(bid, int256) - index",
    ),
    Mutant("a fee is a discount", "rules/marks.vy", "oracle", "index - slack - convert(ask", "index - convert(ask"),
    Mutant("no asks are asks of nothing", "rules/marks.vy", "oracle", "int256) if ask != 0 else 0", "int256)"),
    Mutant("the later end pays", "rules/marks.vy", "oracle", "self.get_lesser(market.excess, excess)", "excess"),
    Mutant(
        "the earlier end pays", "rules/marks.vy", "oracle", "self.get_lesser(market.excess, excess)", "market.excess"
    ),
    Mutant(
        "shorts pay nothing", "rules/marks.vy", "oracle", "max(0, min(a, b)) + min(0, max(a, b))", "max(0, min(a, b))"
    ),
    Mutant("any sign pays", "rules/marks.vy", "oracle", "max(0, min(a, b)) + min(0, max(a, b))", "min(a, b)"),
    Mutant("an end not noted", "rules/marks.vy", "oracle", "    sampled.excess = excess\n", ""),
    Mutant(
        "beyond the margin", "rules/marks.vy", "oracle", "min(market.band, market.maintenance_margin)", "market.band"
    ),
    Mutant(
        "beyond the band",
        "rules/marks.vy",
        "oracle",
        "min(market.band, market.maintenance_margin)",
        "market.maintenance_margin",
    ),
    Mutant(
        "a basis for ever",
        "rules/marks.vy",
        "oracle",
        "phases.BASIS_TIME - min(seconds, phases.BASIS_TIME)",
        "phases.BASIS_TIME",
    ),
    Mutant(
        "a basis by samples", "rules/marks.vy", "oracle", "phases.BASIS_TIME - min(seconds, phases.BASIS_TIME)", "420"
    ),
    Mutant("bids bound nothing", "rules/marks.vy", "oracle", "max(basis, convert(bid, int256) - index)", "basis"),
    Mutant(
        "bids are all",
        "rules/marks.vy",
        "oracle",
        "max(basis, convert(bid, int256) - index)",
        "convert(bid, int256) - index",
    ),
    Mutant("asks bound nothing", "rules/marks.vy", "oracle", "min(basis, convert(ask, int256) - index)", "basis"),
    Mutant(
        "asks are all",
        "rules/marks.vy",
        "oracle",
        "min(basis, convert(ask, int256) - index)",
        "convert(ask, int256) - index",
    ),
    Mutant(
        "bids away from the index",
        "rules/crank.vy",
        "margin",
        "regs.amount // regs.size",
        "1 + regs.amount // regs.size",
    ),
    Mutant(
        "asks rounded down",
        "rules/crank.vy",
        "margin",
        "integers.div_up(regs.amount, regs.size)",
        "regs.amount // regs.size",
    ),
    Mutant(
        "thin bids count",
        "rules/crank.vy",
        "book",
        "regs.amount // regs.size if is_deep else 0",
        "regs.amount // regs.size",
    ),
    Mutant(
        "thin asks count",
        "rules/crank.vy",
        "book",
        "integers.div_up(regs.amount, regs.size) if is_deep else 0",
        "integers.div_up(regs.amount, regs.size)",
    ),
    Mutant("lots of bids are asked", "rules/crank.vy", "margin", "    regs.fok_lots = 0\n", ""),
    Mutant("worth of bids is asked", "rules/crank.vy", "margin", "    regs.amount = 0\n", ""),
    Mutant("measures without an end", "rules/crank.vy", "margin", "if work.is_out_of_steps(regs):", "if False:"),
    Mutant(
        "measures on from the next level",
        "rules/crank.vy",
        "margin",
        "work.pause(regs, phases.DEPTH)",
        "work.pause(regs, phases.DESCEND)",
    ),
    Mutant("unfunded makers stay", "rules/crank.vy", "margin", "    if not can_fill:", "    if False:"),
    Mutant(
        "unsure makers count",
        "rules/crank.vy",
        "margin",
        "if matching.is_maker_sure(regs, account, markets, order):",
        "if True:",
    ),
    Mutant("the price of the one before", "rules/crank.vy", "margin", "regs.price = order.price", "pass"),
    Mutant("one side is enough", "rules/crank.vy", "margin", "if regs.level_side == records.BUY:", "if False:"),
    Mutant("thin bids are enough", "rules/crank.vy", "book", "if regs.level_side == records.BUY:", "if False:"),
    Mutant("from the best level again", "rules/crank.vy", "book", "if regs.tick != 0:", "if False:"),
    Mutant("an impact of nothing", "rules/crank.vy", "oracle", "max(1, market.impact)", "market.impact"),
    Mutant("no halt", "rules/marks.vy", "oracle", "time + phases.HALT_TIME", "0"),
    Mutant(
        "funding unclamped",
        "rules/marks.vy",
        "oracle",
        "max(-cap, min(cap, excess * convert(phases.PREMIUM_ONE, int256)))",
        "excess * convert(phases.PREMIUM_ONE, int256)",
    ),
    Mutant("every hour made up for", "rules/marks.vy", "oracle", "phases.MAX_FUNDING_TIME)", "2**64)"),
    Mutant("settled at once", "rules/crank.vy", "oracle", "if market.mark == price:", "if price != 0:"),
    Mutant("funding rounded down", "rules/marks.vy", "liquidation", "= integers.div_ceil(", "= integers.div_floor("),
    Mutant("edge of the band", "rules/orders.vy", "orders", "> market.band", ">= market.band"),
    Mutant("asks unlimited", "rules/orders.vy", "orders", "position.asks + regs.size", "regs.size"),
    Mutant(
        "one lot under the cap",
        "rules/orders.vy",
        "orders",
        "> market.max_open_interest",
        ">= market.max_open_interest",
    ),
    Mutant(
        "reduces and opens", "rules/orders.vy", "orders", "regs.size = min(regs.size, ", "regs.size = max(regs.size, "
    ),
    Mutant("dead a second late", "rules/positions.vy", "margin", "account.deadline <= time", "account.deadline < time"),
    Mutant("slot stays taken", "rules/positions.vy", "book", "discounted.orders &= ~(1 << order_slot)", "pass"),
    Mutant("order uncounted", "rules/positions.vy", "book", "].orders += 1", "].orders += 0"),
    Mutant("highest slot first", "rules/positions.vy", "orders", "levels._lowest_bit(", "levels._highest_bit("),
    Mutant(
        "armed lots released",
        "rules/positions.vy",
        "book",
        "0 if levels.is_armed(order) else order.size",
        "order.size",
    ),
    Mutant(
        "deadline taken back",
        "rules/orders.vy",
        "orders",
        "records.CANCEL_ALL or positions.is_past_deadline(account, regs.time)",
        "records.CANCEL_ALL",
    ),
    Mutant(
        "enters among the dead",
        "rules/orders.vy",
        "orders",
        "if account.orders != 0:\n            return",
        "if False:\n            return",
    ),
    Mutant(
        "armed without a place",
        "rules/orders.vy",
        "orders",
        "if not has_place:\n        return errors.TOO_MANY_POSITIONS\n    is_reached",
        "is_reached",
    ),
    Mutant("expired a second late", "rules/positions.vy", "margin", "order.expiry > time", "order.expiry >= time"),
    Mutant("stops upside down", "rules/levels.vy", "book", " or side == keys.BELOW", ""),
    Mutant("worse side", "rules/matching.vy", "matching", "best <= limit if", "best < limit if"),
    Mutant("wrong side", "rules/matching.vy", "matching", "get_best(market, other)", "get_best(market, regs.side)"),
    Mutant(
        "maker's fee to nobody",
        "rules/matching.vy",
        "matching",
        "traded_market.insurance += fee",
        "traded_market.pool += 0",
    ),
    Mutant("sure of everybody", "rules/matching.vy", "margin", "equity - loss - fees >= requirement", "loss >= 0"),
    Mutant(
        "both for one", "rules/matching.vy", "margin", "rule == records.CANCEL_BOTH", "rule == records.CANCEL_MAKER"
    ),
    Mutant(
        "flip keeps cost",
        "rules/positions.vy",
        "matching",
        "filled.cost = (size + delta) * lot",
        "filled.cost = delta * lot",
    ),
    Mutant(
        "position for nothing", "rules/margin.vy", "margin", "needed + convert(market.order_margin, int256)", "needed"
    ),
    Mutant("leaf for nothing", "rules/margin.vy", "margin", "requirement + leaf", "requirement"),
    Mutant("orders for nothing", "rules/margin.vy", "margin", "position.orders * market.order_margin", "0"),
    Mutant(
        "closing leaf for nothing",
        "rules/margin.vy",
        "margin",
        "max(0, equity) >= self.compute_order_margin(account, markets) + leaf",
        "True",
    ),
    Mutant("armed for nothing", "rules/margin.vy", "margin", "max(0, equity) >= needed + leaf", "equity >= needed"),
    Mutant("armed on an old price", "rules/margin.vy", "margin", "elif not fresh:", "elif False:"),
    Mutant(
        "orders count at the end",
        "rules/margin.vy",
        "margin",
        "self.compute_initial(abs(position.size), market)\n            else:",
        "self.compute_initial(self.get_worst_exposure(position), market)\n            else:",
    ),
    Mutant("ratio ignored", "rules/margin.vy", "margin", "after < before and (", "after < before or ("),
    Mutant("exact funds refused", "rules/margin.vy", "margin", "equity + change >= after", "equity + change > after"),
    Mutant("tier one lot late", "rules/margin.vy", "margin", "lots >= market.tier1_size", "lots > market.tier1_size"),
    Mutant(
        "asks not counted",
        "rules/margin.vy",
        "margin",
        "position.size - convert(position.asks",
        "position.size - 0 * convert(position.asks",
    ),
    Mutant(
        "withdrawal of the last unit", "rules/margin.vy", "margin", "int256) < requirement", "int256) <= requirement"
    ),
    Mutant("closed out late", "rules/liquidation.vy", "liquidation", "equity <= close_out", "equity > close_out"),
    Mutant("orders kept", "rules/liquidation.vy", "liquidation", "elif account.orders != 0:", "elif False:"),
    Mutant(
        "insurance overdrawn",
        "rules/liquidation.vy",
        "liquidation",
        "min(min(-equity, loss), market.insurance)",
        "-equity",
    ),
    Mutant(
        "another market's debt insured",
        "rules/liquidation.vy",
        "liquidation",
        "min(min(-equity, loss), market.insurance)",
        "min(-equity, market.insurance)",
    ),
    Mutant("a loss paid twice", "rules/liquidation.vy", "liquidation", "loss -= drawn", "loss -= 0"),
    Mutant("a debt of nobody's gain", "rules/liquidation.vy", "liquidation", "max(equity, -loss)", "equity"),
    Mutant(
        "every market's change",
        "rules/liquidation.vy",
        "liquidation",
        "position.market != regs.trigger_market",
        "False",
    ),
    Mutant(
        "gains as losses",
        "rules/liquidation.vy",
        "liquidation",
        "max(0, margin.compute_value(position.size, change",
        "abs(margin.compute_value(position.size, change",
    ),
    Mutant("fresh as of now", "rules/liquidation.vy", "liquidation", "regs.sweep_time", "regs.time"),
    Mutant(
        "mark before not kept", "rules/marks.vy", "oracle", "regs.mark_before = mark_before", "regs.mark_before = 0"
    ),
    Mutant("ranking of another sweep", "rules/marks.vy", "oracle", "    regs.rank_market = 0\n", ""),
    Mutant(
        "ranking of another market",
        "rules/deleveraging.vy",
        "backstop",
        "regs.rank_market != regs.market or ",
        "",
    ),
    Mutant("ranked once for each", "rules/deleveraging.vy", "backstop", "or regs.ranked0 == 0:", "or True:"),
    Mutant(
        "equal scores swapped", "rules/deleveraging.vy", "liquidation", "phases.RANK_ACCOUNTS - 1 - number", "number"
    ),
    Mutant("last one forgotten", "rules/deleveraging.vy", "liquidation", "ranked[i] = ranked[i + 1]", "ranked[i] = 0"),
    Mutant("dropped with lots left", "rules/deleveraging.vy", "liquidation", "if left == 0:", "if True:"),
    Mutant("closed against itself", "rules/deleveraging.vy", "liquidation", "if number != regs.account:", "if True:"),
    Mutant("same side as well", "rules/deleveraging.vy", "liquidation", "max(0, lots), uint256", "abs(lots), uint256"),
    Mutant(
        "left below zero", "rules/deleveraging.vy", "liquidation", "min(regs.price, market.mark + room)", "regs.price"
    ),
    Mutant(
        "given nothing back",
        "rules/deleveraging.vy",
        "liquidation",
        "    if equity < 0:\n        return regs.price",
        "    if equity < 0:\n        return market.mark",
    ),
    Mutant("zero price above", "rules/liquidation.vy", "liquidation", "mark - room if", "mark + room if"),
    Mutant(
        "leverage ignored", "rules/deleveraging.vy", "liquidation", "ratio * min(leverage, phases.MAX_SCORE)", "ratio"
    ),
    Mutant("every loss alike", "rules/deleveraging.vy", "liquidation", "SCORE_ONE - min(loss, ", "SCORE_ONE - min(0, "),
    Mutant("word not read", "rules/work.vy", "work", "SWEEP if regs.sweep_word != 0 else phases.GATHER", "SWEEP"),
    Mutant(
        "taker entered twice",
        "rules/matching.vy",
        "matching",
        "keys.handle_account(regs.cursor))\n    values",
        "regs.account)\n    values",
    ),
    Mutant("backstop not entered", "rules/backstop.vy", "backstop", "= backstop.positions[place].size == 0", "= False"),
    Mutant("one side entered", "rules/holders.vy", "work", "regs.enrol = regs.enrol_next", "regs.enrol = 0"),
    Mutant(
        "entered and lost", "rules/holders.vy", "work", "regs.phase = regs.enrol_phase", "regs.phase = regs.next_phase"
    ),
    Mutant("entered next to it", "rules/holders.vy", "work", "= regs.enrol - 1", "= regs.enrol"),
    Mutant("struck with its word", "rules/bitmaps.vy", "work", "is_empty = bitmap.word == 0", "is_empty = True"),
    Mutant(
        "struck and visited again", "rules/holders.vy", "work", "self.pass_visited(regs.sweep_word)", "regs.sweep_word"
    ),
    Mutant(
        "struck though it holds",
        "rules/liquidation.vy",
        "liquidation",
        "account.positions[place].size == 0:",
        "account.positions[place].bids == 0:",
    ),
    Mutant(
        "every other holder", "rules/holders.vy", "liquidation", "return word & (word - 1)", "return word & (word - 2)"
    ),
    Mutant("first word left out", "rules/bitmaps.vy", "work", ".word >> bit << bit", ".word >> (bit + 1) << (bit + 1)"),
    Mutant(
        "word read again",
        "rules/holders.vy",
        "work",
        "regs.sweep_end = min(base + bitmaps.WORD_BITS, bitmaps.END)",
        "regs.sweep_end = base",
    ),
    Mutant(
        "others' holders ranked",
        "rules/holders.vy",
        "work",
        "keys.holder_tree(regs.market), regs.rank_end",
        "keys.holder_tree(regs.trigger_market), regs.rank_end",
    ),
    Mutant("one step too long", "rules/work.vy", "work", ">= phases.WORK_LIMIT", "> phases.WORK_LIMIT"),
    Mutant(
        "never out of steps", "rules/matching.vy", "matching", "work.is_out_of_steps(regs) and regs", "False and regs"
    ),
    Mutant("cut in two", "rules/matching.vy", "matching", " and regs.flags & records.TIME_IN_FORCE != records.FOK", ""),
    Mutant(
        "a slice waits",
        "rules/matching.vy",
        "matching",
        "    if regs.kind == records.LIQUIDATION:\n        return self.drop(regs, errors.ACCEPTED)\n",
        "",
    ),
    Mutant(
        "ends another's record",
        "rules/matching.vy",
        "matching",
        "    if regs.return_phase == phases.IDLE:\n        regs.return_phase = phases.WORK\n",
        "",
    ),
    Mutant(
        "goes on unasked",
        "rules/matching.vy",
        "matching",
        "work.pause(regs, phases.MARGIN)",
        "work.pause(regs, phases.MATCH)",
    ),
    Mutant("a maker too many", "rules/matching.vy", "margin", "== phases.MAX_MATCHES", "== phases.MAX_MATCHES + 1"),
    Mutant("only work goes on", "rules/fetch.vy", "fetch", "regs.phase = regs.next_phase", "regs.phase = phases.WORK"),
    Mutant("at work for ever", "rules/fetch.vy", "fetch", "            regs.has_work = 0\n", ""),
    Mutant("legs without end", "rules/bulk.vy", "work", "if work.is_out_of_steps(regs):", "if False:"),
    Mutant("legs outlive the agent", "rules/bulk.vy", "work", " or self.is_agent_expired(regs):", ":"),
    Mutant("asked in part", "rules/liquidation.vy", "liquidation", " or work.is_out_of_steps(regs)", ""),
    Mutant(
        "goes on in a wind-down",
        "rules/margin.vy",
        "margin",
        "regs.winding_since != 0 or marks.is_expired(market, regs.time)",
        "marks.is_expired(market, regs.time)",
    ),
    Mutant(
        "goes on after its market",
        "rules/margin.vy",
        "margin",
        "regs.winding_since != 0 or marks.is_expired(market, regs.time)",
        "regs.winding_since != 0",
    ),
    Mutant(
        "goes on past the deadline",
        "rules/margin.vy",
        "margin",
        "positions.is_past_deadline(account, regs.time) or (",
        "(",
    ),
    Mutant(
        "goes on a second longer", "rules/margin.vy", "margin", "regs.expiry <= regs.time", "regs.expiry < regs.time"
    ),
    Mutant(
        "goes on at an old price",
        "rules/margin.vy",
        "margin",
        "if marks.is_fresh(market, regs.time) or regs",
        "if True or regs",
    ),
    Mutant(
        "closes only when fresh",
        "rules/margin.vy",
        "margin",
        "return self.is_closing(regs, account.positions[place])",
        "return False",
    ),
    Mutant(
        "reduces only when fresh",
        "rules/margin.vy",
        "margin",
        " or regs.flags & records.REDUCE_ONLY != 0:\n        return True",
        ":\n        return True",
    ),
    Mutant(
        "fired as if sent",
        "rules/orders.vy",
        "orders",
        "if not self.is_fired(regs) and distance",
        "if distance",
    ),
    Mutant("bought at any price", "rules/orders.vy", "orders", "min(regs.price, market.mark + width)", "regs.price"),
    Mutant("sold at any price", "rules/orders.vy", "orders", "max(regs.price, market.mark - width)", "regs.price"),
    Mutant(
        "limits of the resting moved",
        "rules/orders.vy",
        "orders",
        "if not self.is_fired(regs) and levels.can_rest(regs.flags):",
        "if False:",
    ),
    Mutant(
        "fired at its word",
        "rules/orders.vy",
        "orders",
        "if not self.is_fired(regs) and levels.can_rest(regs.flags):",
        "if levels.can_rest(regs.flags):",
    ),
    Mutant(
        "taken at its word",
        "rules/orders.vy",
        "orders",
        "if not self.is_fired(regs) and levels.can_rest(regs.flags):",
        "if not self.is_fired(regs):",
    ),
    Mutant(
        "takes over everything",
        "rules/backstop.vy",
        "backstop",
        "not margin.is_change_legal(equity, others, size, market, lots * sign, regs.price, 0)",
        "lots < 0",
    ),
    Mutant("not noted as drawn", "rules/backstop.vy", "backstop", "regs.time + phases.DRAWN_TIME", "regs.time"),
    Mutant(
        "a share too many",
        "rules/backstop.vy",
        "backstop",
        "// (worth + 1)",
        "// (worth + 1) + 1",
    ),
    Mutant("cap of nothing", "rules/backstop.vy", "backstop", "if market.backstop_cap != 0:", "if False:"),
    Mutant(
        "cap of the fill alone",
        "rules/backstop.vy",
        "backstop",
        "convert(most, int256) - size * sign",
        "convert(most, int256)",
    ),
    Mutant("all or half", "rules/backstop.vy", "backstop", "more < limit", "more < 0"),
    Mutant("dust taken", "rules/backstop.vy", "backstop", "size == 0 and dust < equity", "False"),
    Mutant(
        "void shares paid",
        "rules/backstop.vy",
        "backstop",
        "account.generation == backstop.generation else 0",
        "True else 0",
    ),
    Mutant("never void", "rules/backstop.vy", "backstop", "backstop.shares > worth * phases.VOID_PRICE", "False"),
    Mutant("generation of before", "rules/backstop.vy", "backstop", "payee.generation += 1", "payee.generation += 0"),
    Mutant(
        "no virtual shares",
        "rules/backstop.vy",
        "backstop",
        "backstop.shares + phases.VIRTUAL_SHARES",
        "backstop.shares",
    ),
    Mutant("generation not kept", "state/leaves.vy", "backstop", "leaf.generation << 192 | ", ""),
    Mutant("margin given out", "rules/backstop.vy", "backstop", "if amount > free", "if amount > equity"),
    Mutant(
        "stop not at its price", "rules/triggers.vy", "work", "mark <= market.stop_below", "mark < market.stop_below"
    ),
    Mutant("stays armed", "rules/triggers.vy", "work", "order.flags & ~records.ARMED", "order.flags"),
    Mutant("trigger lost", "state/leaves.vy", "book", " | leaf.trigger << 64", ""),
    Mutant(
        "crank in vain", "rules/fetch.vy", "fetch", "decode_crank(body).market != 0", "decode_crank(body).market > 255"
    ),
    Mutant("sender unasked", "rules/fetch.vy", "fetch", "regs.signer = sender", "regs.signer = convert(1, address)"),
    Mutant(
        "forced anywhere",
        "rules/fetch.vy",
        "fetch",
        "return is_message and records.is_canonical",
        "return records.is_canonical",
    ),
    Mutant(
        "parked for good", "rules/parking.vy", "fetch", "leaves.encode_parked(empty(leaves.Parked))", "before[place]"
    ),
    Mutant(
        "parked passed by", "rules/fetch.vy", "fetch", "regs.has_work != 0 or parking.is_anything_parked(regs)", "False"
    ),
    Mutant("busy for nobody", "rules/fetch.vy", "fetch", "not (is_parked or is_crank)", "regs.has_work != 0"),
    Mutant("a ninth page", "rules/bulk.vy", "fetch", "regs.bulk_pages == 0 or ", ""),
    Mutant("back at once", "judge.vy", "judge", "+ phases.LONG_GAP", "+ 60"),
    Mutant(
        "no time to return",
        "rules/wind_down.vy",
        "oracle",
        "regs.last_gap_end + phases.RETURN_TIME",
        "regs.last_gap_end",
    ),
    Mutant(
        "pages in the queue",
        "rules/fetch.vy",
        "fetch",
        "kind in [records.BULK, records.LEG_PAGE]",
        "kind == records.BULK",
    ),
    Mutant(
        "a crank in a name", "codec/records.vy", "fetch", "[REPORT, CRANK, BULK, LEG_PAGE]", "[REPORT, BULK, LEG_PAGE]"
    ),
    Mutant("wound down twice", "rules/wind_down.vy", "messages", "regs.winding_since != 0", "regs.winding_since == 1"),
    Mutant(
        "backstop deposits still taken",
        "rules/wind_down.vy",
        "fetch",
        "records.AMEND, records.BACKSTOP_DEPOSIT",
        "records.AMEND",
    ),
    Mutant(
        "dead a second early", "rules/wind_down.vy", "oracle", "ORACLE_DEATH < regs.time", "ORACLE_DEATH <= regs.time"
    ),
    Mutant("never over", "rules/crank.vy", "oracle", "market.expiry = regs.time", "market.expiry = market.expiry"),
    Mutant("margin called", "rules/liquidation.vy", "liquidation", "0 if regs.winding_since != 0 else ", ""),
    Mutant("stops enter", "rules/triggers.vy", "work", "elif regs.winding_since == 0 and", "elif"),
    Mutant("legs enter", "rules/bulk.vy", "work", "regs.winding_since == 0", "regs.winding_since != 1"),
    Mutant("still offers", "rules/backstop.vy", "backstop", "or regs.winding_since != 0", "or regs.winding_since == 1"),
    Mutant("level counted again", "rules/bitmaps.vy", "book", "(1 << bit) - 1", "1 << bit"),
    Mutant("tail lost", "rules/book.vy", "book", "level.tail = order.prev", "level.tail = order.next"),
    Mutant("highest ask", "rules/levels.vy", "book", "word & unsafe_sub(0, word)", "word"),
    Mutant("one word only", "rules/bitmaps.vy", "book", "is_empty = bitmap.word == 0", "is_empty = False"),
    Mutant("steps not counted", "judge.vy", "judge", "regs.steps += 1\n    return", "regs.steps += 0\n    return"),
    Mutant("input not begun", "judge.vy", "judge", "regs.started = regs.steps", "regs.started = regs.started"),
    Mutant("batch not begun", "judge.vy", "judge", "regs.steps = 0", "regs.steps = pre.steps"),
    Mutant(
        "a message is a record",
        "judge.vy",
        "judge",
        "input_index < header.message_count",
        "input_index <= header.message_count",
    ),
    Mutant("leaf not written", "state/witness.vy", "judge", "        root = new", "        root = old"),
)
