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


MUTANTS = (
    Mutant("requirement rounds down", "codec/integers.vy", "margin", "(a + b - 1) // b", "a // b"),
    Mutant("rebate rounds up", "codec/integers.vy", "matching", "if a > 0 and quotient", "if quotient"),
    Mutant(
        "cost rounds down", "codec/integers.vy", "matching", "    return a // b\n", "    return self.div_floor(a, b)\n"
    ),
    Mutant("padding half checked", "codec/records.vy", "intake", "in range(4)", "in range(1)"),
    Mutant("half order refused", "codec/signatures.vy", "intake", "s > HALF_ORDER", "s >= HALF_ORDER"),
    Mutant("high s taken", "codec/signatures.vy", "intake", "s > HALF_ORDER", "s > CURVE_ORDER"),
    Mutant(
        "another type string", "codec/eip712.vy", "intake", "uint16 market,uint32 price", "uint32 market,uint32 price"
    ),
    Mutant(
        "size unsigned", "state/leaves.vy", "margin", "data -= convert(1 << width", "data -= 0 * convert(1 << width"
    ),
    Mutant("another bitmap word", "state/keys.vy", "book", "tick >> (24 - 8 * depth)", "tick >> (25 - 8 * depth)"),
    Mutant("nonce one too old", "rules/intake.vy", "intake", "age >= NONCE_WINDOW", "age > NONCE_WINDOW"),
    Mutant("window one short", "rules/intake.vy", "intake", "jump < NONCE_WINDOW", "jump < NONCE_WINDOW - 1"),
    Mutant("rebate above the fee", "rules/listing.vy", "intake", "-convert(listing.taker_fee, int256)", "-2**31"),
    Mutant("payee pays", "rules/funds.vy", "payments", "payee.collateral += ", "payee.collateral -= "),
    Mutant("upper median", "rules/oracle.vy", "payments", "(count - 1) // 2", "count // 2"),
    Mutant("report taken twice", "rules/oracle.vy", "payments", "regs.nonce <= oracle", "regs.nonce < oracle"),
    Mutant("edge of the band", "rules/orders.vy", "matching", "> market.band", ">= market.band"),
    Mutant("asks unlimited", "rules/orders.vy", "matching", "position.asks + regs.size", "regs.size"),
    Mutant("worse side", "rules/matching.vy", "matching", "best <= limit if", "best < limit if"),
    Mutant(
        "wrong side",
        "rules/matching.vy",
        "matching",
        "self.get_best(market, other)",
        "self.get_best(market, regs.side)",
    ),
    Mutant(
        "maker's fee to nobody",
        "rules/matching.vy",
        "matching",
        "traded_market.fees += fee",
        "traded_market.fees -= fee",
    ),
    Mutant(
        "flip keeps cost",
        "rules/positions.vy",
        "matching",
        "filled.cost = (size + delta) * lot",
        "filled.cost = delta * lot",
    ),
    Mutant("ratio ignored", "rules/margin.vy", "margin", "after < before and (", "after < before or ("),
    Mutant("exact funds refused", "rules/margin.vy", "margin", "equity + change >= after", "equity + change > after"),
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
    Mutant("tail lost", "rules/book.vy", "book", "level.tail = order.prev", "level.tail = order.next"),
    Mutant("highest ask", "rules/book.vy", "book", "word & unsafe_sub(0, word)", "word"),
    Mutant("one word only", "rules/book.vy", "book", "is_empty = bitmap.word == 0", "is_empty = False"),
    Mutant("steps not counted", "judge.vy", "judge", "regs.steps += 1\n    return", "regs.steps += 0\n    return"),
    Mutant("batch not begun", "judge.vy", "judge", "regs.steps = 0", "regs.steps = pre.steps"),
    Mutant("a message is a record", "judge.vy", "judge", "slot < header.message_count", "slot <= header.message_count"),
    Mutant("leaf not written", "state/witness.vy", "judge", "        root = new", "        root = old"),
)
