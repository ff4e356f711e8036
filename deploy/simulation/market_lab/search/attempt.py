"""One try: a sequence of moves on a copy of the arena's state, what the honest do meanwhile, and what it came to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from setoff.deploy.simulation.market_lab.agents.traders import Arbitrageur
from setoff.deploy.simulation.market_lab.search.arena import (
    FALSE,
    HONEST,
    MONEY,
    SETTLING,
    Arena,
    make_maker,
    open_arena,
)
from setoff.deploy.simulation.market_lab.search.moves import (
    FLAGS,
    LEVELS,
    LOTS,
    OFFSETS,
    REFERENCES,
    SECONDS,
    SHARES,
    SIDES,
    Move,
)
from setoff.deploy.simulation.market_lab.search.watch import Watch
from setoff.deploy.simulation.market_lab.view import View
from setoff.deploy.simulation.market_lab.wealth import compute_equity, compute_marks, compute_wealth
from setoff.shared.codec import records
from setoff.shared.codec.integers import PPM
from setoff.shared.codec.records import Leg
from setoff.shared.state import keys
from setoff.shared.state.keys import MAX_TICK

MINUTE: Final = 60
ORDER_SLOTS: Final = 96
"""Order slots that single orders take in turn; stops and ladders have the others."""
STOP_SLOT: Final = 96
LADDER_SLOT: Final = 128
_FLAGS: Final = tuple(FLAGS.values())


@dataclass(frozen=True)
class Trial:
    """What a sequence came to; token units at the true price at the end.

    `profit`: the attackers'; `harm`: what the passive account that fared worst has less than without them, and `victim`
    which that is; `shrunk`: the most that insurance and backstop were down, or debts that the attackers left; `traits`:
    what kind of thing happened, for a search that keeps the best of each kind.
    """

    moves: tuple[Move, ...]
    profit: int
    harm: int
    victim: str
    shrunk: int
    breaches: tuple[str, ...]
    traits: tuple[int, ...]
    outcomes: tuple[str, ...] = field(default=(), compare=False)
    """Of each move, that of its last record."""


class Attempt:
    """Moves as they come, on a copy of the arena; the price moves in this direction, if at all."""

    def __init__(self, arena: Arena, direction: int = 1) -> None:
        self._arena = arena
        self._direction = direction
        self._exchange = arena.exchange.copy()
        self._pen = self._exchange.pen
        self._began = self._exchange.time
        self._watch = Watch(self._exchange, arena.passive.values(), arena.attackers)
        self._makers = [make_maker(account, arena.spread) for account in arena.makers]
        self._arbitrageur = Arbitrageur(arena.arbitrageur, MINUTE)
        self._price = self._quoted = self._first = arena.get_price(0, direction)
        self._is_pending = False
        self._silent_until = 0
        self._count = 0
        self._outcome = ""
        self._largest = 0
        self._farthest = 0
        self._has_staked = False
        self._do: dict[str, Callable[..., None]] = {
            "order": self._order,
            "ladder": self._ladder,
            "pair": self._pair,
            "flick": self._flick,
            "stop": self._stop,
            "amend": self._amend,
            "cancel all": self._cancel_all,
            "close": self._close,
            "transfer": self._transfer,
            "withdraw": self._withdraw,
            "deposit": self._deposit,
            "stake": self._stake,
            "unstake": self._unstake,
            "lie": self._lie,
            "silence": self._silence,
            "crank": self._crank,
            "others": self._let_others,
            "wait": self._wait,
        }

    def run(self, moves: Sequence[Move]) -> Trial:
        """All of them, then minutes in which only the honest act."""
        outcomes = []
        for move in moves:
            self._outcome = ""
            self._do[move.kind](*move.arguments)
            outcomes.append(self._outcome)
            self._look()
        self._silent_until = 0
        for _ in range(SETTLING):
            self._pass(MINUTE)
            self._let_others()
        return self._count_up(tuple(moves), tuple(outcomes))

    # --- what it came to ---------------------------------------------------------------------------------------------

    def get_wealth(self) -> dict[str, int]:
        """Of each passive account."""
        prices = {1: self._price}
        return {name: compute_wealth(self._exchange, account, prices) for name, account in self._arena.passive.items()}

    def _count_up(self, moves: tuple[Move, ...], outcomes: tuple[str, ...]) -> Trial:
        exchange, prices = self._exchange, {1: self._price}
        profit = debts = 0
        for account in self._arena.attackers:
            worth = compute_wealth(exchange, account, prices)
            inside = worth - exchange.withdrawn[account] + exchange.deposited[account]
            debts -= min(0, inside)
            profit += worth - min(0, inside)
        wealth = self.get_wealth()
        quiet = self._arena.quiet.get(self._direction, wealth)
        victim = min(wealth, key=lambda name: wealth[name] - quiet[name])
        kinds = sum(1 << kind for kind in self._watch.kinds)
        traits = (
            kinds,
            self._largest.bit_length() // 4,
            min(4, self._farthest * 1_000 // self._price // 5),
            int(self._has_staked),
            int(debts > 0),
        )
        return Trial(
            moves,
            profit,
            quiet[victim] - wealth[victim],
            victim,
            max(self._watch.shrunk, debts),
            tuple(self._watch.breaches),
            traits,
            outcomes,
        )

    def _look(self) -> None:
        sizes = [abs(self._exchange.position(account).size) for account in self._arena.attackers]
        self._largest = max(self._largest, *sizes)
        self._farthest = max(self._farthest, abs(self._exchange.market().mark - self._price))

    def _take(self, body: bytes) -> None:
        self._outcome = self._exchange.take(body)
        self._watch.check(body, self._outcome)

    def _take_all(self, bodies: Iterable[bytes]) -> None:
        for body in bodies:
            self._take(body)

    # --- the honest --------------------------------------------------------------------------------------------------

    def _pass(self, seconds: int) -> None:
        """A new batch, later. Makers are the first to see a new price."""
        if self._is_pending:
            self._let_others()
        self._exchange.wait(seconds)
        self._price = self._arena.get_price(self._exchange.time - self._began, self._direction)
        if self._price != self._quoted:
            self._quote()
        self._is_pending = True

    def _quote(self) -> None:
        self._quoted = self._price
        view = View(self._exchange, self._price)
        view.index = self._price
        for maker in self._makers:
            self._take_all(maker.act(view, self._pen))

    def _let_others(self) -> None:
        """The honest act now, where in the batch the attackers want it: reports, quotes, a crank."""
        self._is_pending = False
        if self._exchange.time >= self._silent_until:
            for number in range(HONEST):
                self._take(self._pen.report(number, self._price))
        self._take_all(self._arbitrageur.act(View(self._exchange, self._price), self._pen))
        self._quote()
        self._take(self._pen.crank())

    def _wait(self, seconds: int) -> None:
        """A long while in three parts, so that a try does not consist of what the honest do."""
        left = SECONDS[seconds]
        part = max(MINUTE, left // 3)
        while left > 0:
            self._pass(min(left, part))
            left -= part

    # --- the attackers -----------------------------------------------------------------------------------------------

    def _resolve(self, offset: int, reference: int) -> int:
        market = self._exchange.market()
        name = REFERENCES[reference]
        by_name = {
            "price": self._price,
            "index": market.index,
            "mark": market.mark,
            "best bid": market.best_bid,
            "best ask": market.best_ask,
        }
        price = by_name[name] or market.mark
        return max(1, min(MAX_TICK, price + price * OFFSETS[offset] // PPM))

    def _side(self, side: int) -> int:
        """BUY or SELL, also of what goes with the price or against it."""
        is_down = side >= len(SIDES) // 2 and self._price < self._first
        return side % 2 ^ is_down

    def _size(self, account: int, size: int, price: int) -> int:
        if size < len(LOTS):
            return LOTS[size]
        market = self._exchange.market()
        lot = max(market.mark, price) * market.unit * market.initial_margin
        return max(1, self._get_equity(account) * PPM * SHARES[size - len(LOTS)] // (100 * lot))

    def _get_equity(self, account: int) -> int:
        return compute_equity(self._exchange.machine, account, compute_marks(self._exchange.machine))

    def _get_free(self, account: int, share: int) -> int:
        """A share of what is above the margin of the position, about."""
        market, size = self._exchange.market(), abs(self._exchange.position(account).size)
        needed = size * market.mark * market.unit * market.initial_margin // PPM + market.order_margin if size else 0
        return (self._get_equity(account) - needed) * SHARES[share] // 100

    def _next_slot(self) -> int:
        self._count += 1
        return self._count % ORDER_SLOTS

    def _order(self, who: int, side: int, size: int, offset: int, reference: int, flags: int) -> None:
        account, price = self._arena.attackers[who], self._resolve(offset, reference)
        lots, side = self._size(account, size, price), self._side(side)
        if _FLAGS[flags] & records.REDUCE_ONLY:
            lots = max(1, min(lots, abs(self._exchange.position(account).size)))
        self._take(self._pen.order(account, side, price, lots, flags=_FLAGS[flags], order_slot=self._next_slot()))

    def _ladder(self, who: int, side: int, size: int, offset: int, reference: int, levels: int) -> None:
        account, price = self._arena.attackers[who], self._resolve(offset, reference)
        side = self._side(side)
        step = -1 if side == records.BUY else 1
        lots = max(1, self._size(account, size, price) // (LEVELS[levels] if size >= len(LOTS) else 1))
        flags = records.SELL_LEG if side == records.SELL else 0
        base = LADDER_SLOT + 32 * side
        legs = [
            Leg(flags, 1, base + number, max(1, min(MAX_TICK, price + step * number)), lots)
            for number in range(LEVELS[levels])
        ]
        self._take_all(self._pen.bulk(account, legs))

    def _pair(self, seller: int, buyer: int, size: int, offset: int, reference: int) -> None:
        """Two that collude trade with each other, if nobody stands between them."""
        price = self._resolve(offset, reference)
        lots = self._size(self._arena.attackers[buyer], size, price)
        for who, side, flags in ((seller, records.SELL, records.GTC), (buyer, records.BUY, records.IOC)):
            account = self._arena.attackers[who]
            self._take(self._pen.order(account, side, price, lots, flags=flags, order_slot=self._next_slot()))

    def _flick(self, who: int, side: int, size: int, offset: int, reference: int) -> None:
        """An order that stands for a crank alone, so that nobody but the crank ever meets it."""
        self._order(who, side, size, offset, reference, list(FLAGS).index("post-only"))
        self._crank()
        self._cancel_all(who)

    def _stop(self, who: int, side: int, size: int, offset: int, reference: int) -> None:
        account, trigger = self._arena.attackers[who], self._resolve(offset, reference)
        side = self._side(side)
        limit = MAX_TICK if side == records.BUY else 1
        flags = records.IOC | (records.ABOVE if trigger > self._exchange.market().mark else records.BELOW)
        lots = self._size(account, size, trigger)
        self._take(
            self._pen.order(account, side, limit, lots, flags=flags, trigger=trigger, order_slot=STOP_SLOT + side)
        )

    def _amend(self, who: int, size: int, offset: int, reference: int) -> None:
        account, price = self._arena.attackers[who], self._resolve(offset, reference)
        slot = self._count % ORDER_SLOTS
        self._take(self._pen.amend(account, slot, price, self._size(account, size, price)))

    def _cancel_all(self, who: int) -> None:
        self._take(self._pen.cancel_all(self._arena.attackers[who]))

    def _close(self, who: int) -> None:
        account = self._arena.attackers[who]
        size = self._exchange.position(account).size
        if size:
            side, limit = (records.SELL, 1) if size > 0 else (records.BUY, MAX_TICK)
            flags = records.IOC | records.REDUCE_ONLY
            self._take(self._pen.order(account, side, limit, abs(size), flags=flags, order_slot=self._next_slot()))

    def _transfer(self, who: int, peer: int, share: int) -> None:
        account, amount = self._arena.attackers[who], self._get_free(self._arena.attackers[who], share)
        if amount > 0 and who != peer:
            self._take(self._pen.transfer(account, self._arena.attackers[peer], amount))

    def _withdraw(self, who: int, share: int) -> None:
        account = self._arena.attackers[who]
        if (amount := self._get_free(account, share)) > 0:
            self._take(self._pen.withdraw(account, amount))

    def _deposit(self, who: int, share: int) -> None:
        self._exchange.deposit(keys.get_master(self._arena.attackers[who]), MONEY * SHARES[share] // 100)

    def _stake(self, who: int, share: int) -> None:
        account = self._arena.attackers[who]
        if (amount := self._get_free(account, share)) > 0:
            self._has_staked = True
            self._take(self._pen.backstop_deposit(account, amount))

    def _unstake(self, who: int, share: int) -> None:
        account = self._arena.attackers[who]
        if shares := self._exchange.account(account).shares * SHARES[share] // 100:
            self._take(self._pen.backstop_withdraw(account, shares))

    def _lie(self, offset: int) -> None:
        lie = self._price + self._price * OFFSETS[offset] // PPM
        self._take(self._pen.report(FALSE, lie))

    def _silence(self, seconds: int) -> None:
        """The operator leaves all honest reports out for so long."""
        self._silent_until = self._exchange.time + SECONDS[seconds]

    def _crank(self) -> None:
        self._take(self._pen.crank())


def prepare(weather: str = "flat", *, quorum: int = HONEST, **terms: Any) -> Arena:
    """An arena that knows how its passive accounts fare without attackers."""
    arena = open_arena(weather, quorum=quorum, **terms)
    quiet = {}
    for direction in arena.directions:
        attempt = Attempt(arena, direction)
        attempt.run(())
        quiet[direction] = attempt.get_wealth()
    return replace(arena, quiet=quiet)


def try_moves(arena: Arena, moves: Sequence[Move]) -> Trial:
    """Run a sequence on copies of the arena, one for each direction of the price; the profit is their mean."""
    trials = [Attempt(arena, direction).run(moves) for direction in arena.directions]
    worst = max(trials, key=lambda trial: trial.harm)
    return replace(
        worst,
        profit=sum(trial.profit for trial in trials) // len(trials),
        shrunk=max(trial.shrunk for trial in trials),
        breaches=tuple(dict.fromkeys(breach for trial in trials for breach in trial.breaches)),
        traits=tuple(map(max, zip(*(trial.traits for trial in trials), strict=True))),
        outcomes=trials[0].outcomes,
    )
