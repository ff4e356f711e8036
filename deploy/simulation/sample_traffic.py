"""Inputs made by hand: traders and oracle signers with known keys, what they sign, and the batches it is posted in.

Conformance vectors, scenarios and tests play on it. Keys are derived from the account's number, so every run gives the
same bytes; they are worth nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from setoff.shared.codec import eip712, records, signatures
from setoff.shared.codec.hashing import keccak
from setoff.shared.machine.batch import Batch
from setoff.shared.machine.data import ZERO
from setoff.shared.rules.agents import SESSION_BITS
from setoff.shared.state import keys
from setoff.shared.wire.scopes import EVERYTHING, Scope

CHAIN_ID: Final = 31337
VAULT: Final = keccak(b"setoff scene vault")[12:]
START_TIME: Final = 1_800_000_000
"""Unix seconds of the first batch."""


def trader_key(account: int) -> bytes:
    """Private key (32 bytes) of the trader who owns `account`."""
    return keccak(b"setoff scene trader %d" % account)


def oracle_key(number: int) -> bytes:
    """Private key (32 bytes) of oracle signer `number`."""
    return keccak(b"setoff scene oracle %d" % number)


def agent_key(master: int, agent: int) -> bytes:
    """Private key (32 bytes) of agent number `agent` of a master account."""
    return keccak(b"setoff scene agent %d of %d" % (agent, master))


def market_body(market: int = 1, **parameters: int) -> records.ListMarketBody:
    """Parameters of a market.

    By default 10 token units a lot and tick, 10 % initial and 5 % maintenance margin, 5 bp taker and -2 bp maker fee, a
    price band and a step band of 100 %; `mark` alone is set by reports then, and no funding flows while the book is
    thinner than an impact of 2**40 lots.
    """
    fields: dict[str, int] = {
        "unit": 10,
        "initial_margin": 100_000,
        "maintenance_margin": 50_000,
        "taker_fee": 500,
        "maker_fee": -200,
        "band": 1_000_000,
        "step_band": 1_000_000,
        "impact": 2**40,
    }
    return records.ListMarketBody(market, records.MarketParameters(**(fields | parameters)))


def stamp_all(messages: Iterable[bytes], time: int) -> list[bytes]:
    """The messages as the queue has them: those that have no time yet were queued at `time`, unix seconds."""
    return [body if len(body) == records.MESSAGE_BYTES else records.stamp_message(body, time) for body in messages]


class SampleTraffic:
    """Signs records and seals batches. Nonces and order slots count up for each account unless they are given."""

    def __init__(self, chain_id: int = CHAIN_ID, vault: bytes = VAULT) -> None:
        self.domain = eip712.domain_separator(chain_id, vault)
        self.time = START_TIME
        self._nonces: dict[tuple[int, int], int] = {}
        self._sessions: dict[int, int] = {}
        self._order_slots: dict[int, int] = {}
        self._parent = ZERO
        self._queue_hash = ZERO
        self._number = 0
        self._messages = 0
        self._records = 0

    # --- messages ----------------------------------------------------------------------------------------------------

    def deposit(self, account: int, amount: int) -> bytes:
        """Deposit of `amount` token units for the trader of `account`."""
        owner = signatures.address_of(trader_key(account))
        return records.encode(records.DepositBody(account, owner, amount))

    def list_market(self, market: int = 1, **parameters: int) -> bytes:
        """Listing of a market with the parameters of `market_body`."""
        return records.encode(market_body(market, **parameters))

    def set_market(self, market: int = 1, **parameters: int) -> bytes:
        """Change of a market to the parameters of `market_body`."""
        return records.encode(records.SetMarketBody(*market_body(market, **parameters)))

    def set_signer(self, number: int = 0, quorum: int = 1, max_age: int = 60) -> bytes:
        """Registration of oracle signer `number`."""
        owner = signatures.address_of(oracle_key(number))
        return records.encode(records.SetSignerBody(number, owner, quorum, max_age))

    def set_terms(self, **terms: int) -> bytes:
        """The exchange's terms."""
        return records.encode(records.SetTermsBody(records.ExchangeTerms(**terms)))

    # --- records -----------------------------------------------------------------------------------------------------

    def sign(self, body: bytes, private_key: bytes) -> bytes:
        """The 124-byte record of a 60-byte body."""
        return body + signatures.sign(eip712.digest(self.domain, body), private_key)

    def sign_for(self, account: int, agent: int, body: bytes) -> bytes:
        """The record of a body of `account`, signed by its owner or by its agent number `agent`."""
        master = keys.get_master(account)
        return self.sign(body, agent_key(master, agent) if agent else trader_key(master))

    def force(self, account: int, record: bytes) -> bytes:
        """The message with which the owner of `account` sends a record's body instead of signing it."""
        owner = signatures.address_of(trader_key(keys.get_master(account)))
        return records.encode(records.ForcedBody(owner, record[: records.BODY_BYTES]))

    def next_nonce(self, account: int, agent: int = 0) -> int:
        """A nonce of the owner of `account`, or of its agent, that has not been given out."""
        key = keys.get_master(account), agent
        self._nonces[key] = self._nonces.get(key, 0) + 1
        return self._nonces[key]

    def next_session(self, account: int) -> int:
        """A session of the agents of `account` that has not been given out."""
        self._sessions[account] = self._sessions.get(account, 0) + 1
        return self._sessions[account]

    def order(
        self,
        account: int,
        side: int,
        price: int,
        size: int,
        *,
        market: int = 1,
        flags: int = records.GTC,
        order_slot: int | None = None,
        nonce: int | None = None,
        expiry: int = 0,
        trigger: int = 0,
        client: int = 0,
        partner: int = 0,
        agent: int = 0,
    ) -> bytes:
        """A signed order; `order_slot` is the order slot after the account's last one unless given."""
        if order_slot is None:
            order_slot = self._order_slots.get(account, 0)
        self._order_slots[account] = (order_slot + 1) % 256
        if nonce is None:
            nonce = self.next_nonce(account, agent)
        body = records.OrderBody(
            account, nonce, market, side, flags, order_slot, price, size, expiry, trigger, client, partner, agent
        )
        return self.sign_for(account, agent, records.encode(body))

    def cancel(
        self, account: int, order_slot: int, nonce: int | None = None, *, client: int = 0, agent: int = 0
    ) -> bytes:
        """A signed cancel of the order in `order_slot`."""
        nonce = self.next_nonce(account, agent) if nonce is None else nonce
        body = records.CancelBody(account, nonce, order_slot, client, agent)
        return self.sign_for(account, agent, records.encode(body))

    def cancel_all(self, account: int, *, agent: int = 0) -> bytes:
        """A signed cancel of every order."""
        body = records.CancelAllBody(account, self.next_nonce(account, agent), agent)
        return self.sign_for(account, agent, records.encode(body))

    def amend(self, account: int, order_slot: int, price: int, size: int, *, agent: int = 0) -> bytes:
        """A signed change of the order in `order_slot`."""
        body = records.AmendBody(account, self.next_nonce(account, agent), order_slot, price, size, agent)
        return self.sign_for(account, agent, records.encode(body))

    def schedule_cancel(self, account: int, deadline: int, *, agent: int = 0) -> bytes:
        """A signed dead-man's switch; `deadline` in seconds, 0 for none."""
        body = records.ScheduleCancelBody(account, self.next_nonce(account, agent), deadline, agent)
        return self.sign_for(account, agent, records.encode(body))

    def set_agent(
        self,
        account: int,
        agent: int,
        expiry: int,
        address: bytes | None = None,
        *,
        session: int | None = None,
        scope: Scope = EVERYTHING,
    ) -> bytes:
        """The owner's signed naming of agent number `agent`; its key is `agent_key` unless an address is given.

        Its records have the nonces of this session from now on.
        """
        if address is None:
            address = signatures.address_of(agent_key(keys.get_master(account), agent))
        session = self.next_session(account) if session is None else session
        self._sessions[account] = max(session, self._sessions.get(account, 0))
        if agent:
            self._nonces[account, agent] = session << SESSION_BITS
        body = records.SetAgentBody(account, self.next_nonce(account), agent, address, expiry, session, *scope.fields)
        return self.sign_for(account, 0, records.encode(body))

    def bulk(self, account: int, legs: Sequence[records.Leg], *, agent: int = 0) -> list[bytes]:
        """The signed bulk record of these legs, and the pages that follow it."""
        leg_pages: list[bytes] = []
        following = ZERO
        for start in reversed(range(0, len(legs), records.LEGS_PER_PAGE)):
            leg_pages.insert(0, records.encode_leg_page(legs[start : start + records.LEGS_PER_PAGE], following))
            following = keccak(leg_pages[0])
        body = records.BulkBody(account, self.next_nonce(account, agent), following, agent)
        return [self.sign_for(account, agent, records.encode(body)), *leg_pages]

    def transfer(self, account: int, peer: int, amount: int, nonce: int | None = None) -> bytes:
        """A signed transfer of `amount` token units."""
        nonce = self.next_nonce(account) if nonce is None else nonce
        body = records.TransferBody(account, nonce, peer, amount)
        return self.sign_for(account, 0, records.encode(body))

    def withdraw(self, account: int, amount: int, nonce: int | None = None) -> bytes:
        """A signed withdrawal of `amount` token units."""
        nonce = self.next_nonce(account) if nonce is None else nonce
        body = records.WithdrawBody(account, nonce, amount)
        return self.sign_for(account, 0, records.encode(body))

    def backstop_deposit(self, account: int, amount: int) -> bytes:
        """A signed deposit of `amount` token units into the backstop vault."""
        body = records.BackstopDepositBody(account, self.next_nonce(account), amount)
        return self.sign_for(account, 0, records.encode(body))

    def backstop_withdraw(self, account: int, shares: int) -> bytes:
        """A signed withdrawal of `shares` of the backstop vault."""
        body = records.BackstopWithdrawBody(account, self.next_nonce(account), shares)
        return self.sign_for(account, 0, records.encode(body))

    def report(self, number: int, price: int, *, market: int = 1, time: int | None = None) -> bytes:
        """Oracle signer `number`'s price; `time` is now unless given."""
        body = records.ReportBody(number, self.time if time is None else time, market, price)
        return self.sign(records.encode(body), oracle_key(number))

    def crank(self, market: int = 1) -> bytes:
        """A crank of a market, which nobody signs."""
        return records.encode_crank(market)

    # --- batches -----------------------------------------------------------------------------------------------------

    @property
    def queue_hash(self) -> bytes:
        """The hash of the L1 queue after the last sealed batch."""
        return self._queue_hash

    def seal(self, messages: Sequence[bytes] = (), inputs: Sequence[bytes] = ()) -> Batch:
        """The next batch, at the present time: messages, of which those without a time are queued now, then records."""
        messages = stamp_all(messages, self.time)
        counts = (self._messages, self._records)
        batch = Batch.seal(self._parent, self._number, self.time, *counts, self._queue_hash, messages, inputs)
        self._parent = batch.header.hash()
        self._queue_hash = batch.header.queue_hash
        self._messages += len(messages)
        self._records += len(inputs)
        self._number += 1
        return batch


def play_epoch(traffic: SampleTraffic) -> list[Batch]:
    """Six batches in which every step of the rulebook occurs, and many inputs are refused.

    The first trades in one market; the second prunes makers and forces a record through L1; the third is empty; in the
    fourth one account has a place in eight markets, so that probing it touches as many leaves as a step can; the fifth
    has every other kind of record; in the sixth a price falls, an
    account is liquidated, a dated future settles, and an auction is held.
    """
    steps = (_open_market, _prune_makers, _do_nothing, _fill_places, _use_everything, _crash)
    return [step(traffic) for step in steps]


def _open_market(traffic: SampleTraffic) -> Batch:
    messages = [traffic.deposit(account, 1_000_000) for account in range(1, 5)]
    messages += [traffic.list_market(1), *(traffic.set_signer(number, quorum=2) for number in range(3))]
    inputs = [
        traffic.report(0, 100),
        traffic.report(1, 102),
        traffic.order(1, records.SELL, 101, 5),
        traffic.order(2, records.SELL, 101, 5),
        traffic.order(1, records.SELL, 103, 5),
        traffic.order(3, records.BUY, 102, 8),
        traffic.order(3, records.BUY, 102, 4, flags=records.IOC),
        traffic.order(4, records.BUY, 99, 6, flags=records.POST_ONLY),
        traffic.order(4, records.BUY, 103, 6, flags=records.POST_ONLY),
        traffic.order(4, records.BUY, 103, 2**30),
        traffic.withdraw(1, 250_000),
        traffic.withdraw(1, 2_500_000),
        traffic.transfer(2, 4, 1_234),
    ]
    return traffic.seal(messages, inputs)


def _prune_makers(traffic: SampleTraffic) -> Batch:
    traffic.time += 10
    forced = traffic.cancel(4, 0)
    inputs = [
        traffic.order(5, records.SELL, 105, 10),
        *(traffic.report(number, 110) for number in range(3)),
        traffic.order(3, records.BUY, 105, 15),
        traffic.order(3, records.SELL, 105, 2),
        traffic.order(4, records.SELL, 106, 1, nonce=200),
        traffic.order(4, records.SELL, 106, 1, nonce=201),
        traffic.order(4, records.SELL, 106, 1, nonce=202),
        traffic.cancel(4, 3),
        traffic.cancel(4, 3),
        traffic.report(1, 111),
        forced,
        bytes(124),
    ]
    return traffic.seal([forced, traffic.deposit(5, 1_010), traffic.deposit(1, 0)], inputs)


def _do_nothing(traffic: SampleTraffic) -> Batch:
    traffic.time += 1
    return traffic.seal()


def _fill_places(traffic: SampleTraffic) -> Batch:
    traffic.time += 1
    listings = [traffic.list_market(market, unit=market) for market in range(2, 8)]
    listings.append(traffic.list_market(8, unit=8, call_minutes=1, max_age=600))
    inputs = [traffic.report(number, 100 + market, market=market) for market in range(2, 9) for number in (0, 1)]
    inputs += [traffic.order(2, records.SELL, 100 + market, market, market=market) for market in range(2, 9)]
    inputs.append(traffic.order(4, records.BUY, 110, 2, market=5))
    inputs += [traffic.order(3, records.BUY, 112, 9, market=8), traffic.order(1, records.SELL, 104, 3, market=8)]
    return traffic.seal(listings, inputs)


def _use_everything(traffic: SampleTraffic) -> Batch:
    traffic.time += 1
    sub = keys.sub_account(7, 1)
    funds = {6: 17_000, 7: 1_000_000, 8: 1_000_000, 9: 7_000, 10: 1_000}
    messages = [traffic.deposit(account, amount) for account, amount in funds.items()]
    messages += [
        traffic.list_market(9, impact=2**40),
        traffic.set_market(
            9,
            impact=1,
            close_out=10_000,
            tier1_size=500,
            tier1_initial=200_000,
            tier1_maintenance=100_000,
            order_margin=20,
        ),
        traffic.list_market(10, unit=1, expiry=traffic.time + 60),
    ]
    legs = [
        records.Leg(records.POST_ONLY, 9, 10, 90, 3),
        records.Leg(records.SELL_LEG, 9, 11, 120, 4),
        records.Leg(records.CANCEL_LEG, 9, 10),
        records.Leg(records.CANCEL_LEG, 9, 12),
        *(records.Leg(0, 9, 20 + n, 80 - n, 1) for n in range(5)),
    ]
    inputs = [
        *(traffic.report(number, 100, market=market) for market in (9, 10) for number in (0, 1)),
        traffic.order(10, records.BUY, 90, 1, market=9, order_slot=0),
        traffic.withdraw(10, 861),
        traffic.withdraw(10, 860),
        traffic.order(10, records.BUY, 120, 1, market=9, flags=records.ABOVE, trigger=110),
        traffic.cancel(10, 0),
        traffic.withdraw(10, 140),
        traffic.backstop_deposit(8, 2_400),
        traffic.transfer(7, sub, 50_000),
        traffic.set_agent(7, 1, traffic.time + 1_000),
        traffic.order(7, records.SELL, 100, 5, market=9, agent=1, client=3),
        traffic.order(7, records.SELL, 101, 150, market=9),
        traffic.order(8, records.SELL, 101, 150, market=9, expiry=traffic.time + 300),
        traffic.order(6, records.BUY, 100, 6, market=9, flags=records.FOK),
        traffic.order(6, records.BUY, 101, 150, market=9, flags=records.FOK),
        traffic.order(9, records.BUY, 101, 60, market=9),
        traffic.order(sub, records.BUY, 99, 8, market=9, order_slot=0),
        traffic.amend(sub, 0, 99, 5),
        traffic.amend(sub, 0, 98, 9),
        traffic.cancel_all(sub),
        traffic.schedule_cancel(7, traffic.time + 500),
        *traffic.bulk(7, legs),
        traffic.order(6, records.SELL, 90, 1, market=9, flags=records.REDUCE_ONLY),
        traffic.order(8, records.BUY, 93, 10, market=9),
        traffic.order(8, records.SELL, 80, 2, market=9, flags=records.BELOW | records.IOC, trigger=95),
        traffic.order(sub, records.SELL, 80, 2, market=9, flags=records.BELOW, trigger=95),
        traffic.order(7, records.BUY, 130, 2, market=9, flags=records.ABOVE | records.REDUCE_ONLY, trigger=105),
        traffic.order(4, records.BUY, 5, 1, market=9, flags=records.BELOW, trigger=96),
        traffic.cancel_all(sub),
        *(traffic.order(sub, records.BUY, 97, 1, market=9) for _ in range(2)),
        traffic.schedule_cancel(sub, traffic.time),
        traffic.order(sub, records.BUY, 96, 1, market=9),
        traffic.schedule_cancel(sub, traffic.time),
        traffic.schedule_cancel(sub, 0),
        traffic.order(7, records.BUY, 100, 20, market=10),
        traffic.order(8, records.SELL, 100, 20, market=10),
        traffic.crank(9),
        traffic.crank(9),
        traffic.backstop_withdraw(8, 100 << 10),
    ]
    return traffic.seal(messages, inputs)


def _crash(traffic: SampleTraffic) -> Batch:
    traffic.time += 60
    inputs = [
        *(traffic.report(number, 92, market=9) for number in (0, 1)),
        traffic.order(7, records.BUY, 94, 100, market=9),
        traffic.crank(9),
        traffic.crank(10),
        traffic.withdraw(7, 400_000),
        traffic.order(4, records.BUY, keys.MAX_TICK, 1, market=9, flags=records.IOC),
        traffic.crank(0),
        traffic.crank(8),
    ]
    return traffic.seal((), inputs)
