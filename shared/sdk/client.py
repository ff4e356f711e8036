"""The client of an exchange: signs, submits, and keeps a trader's nonces and order slots.

    async with SetoffClient("http://127.0.0.1:8700", KeySigner(key)) as client:
        result = await client.place(market=1, side=BUY, price=100, size=5)             # in ticks and lots
        await client.place("BTC-PERP", BUY, Decimal("77990"), Decimal("0.001"))         # in decimals
        await client.cancel(result.order_slot)
        await client.place_market(1, SELL, 5, flags=REDUCE_ONLY)
        isolated = client.at(sub=1)                                # the same owner's sub-account
    agent = SetoffClient(url, KeySigner(agent_key), account=7, agent=1)   # trades for account 7, cannot move its money

What the exchange refuses is raised as `Refusal`, whose `reason` is a string of the shared list; an exchange that does
not answer or asks to wait raises `Unavailable`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self, cast

import aiohttp

from setoff.shared.codec import records
from setoff.shared.codec.records import Leg, ReportBody
from setoff.shared.errors import StateError
from setoff.shared.sdk.answers import Refusal, Unavailable
from setoff.shared.sdk.bodies import get_bound, give_way, make_body, name_partner, next_session
from setoff.shared.sdk.market_scales import MarketScales, Number
from setoff.shared.sdk.order_entry import OrderEntry
from setoff.shared.sdk.signer import Signer
from setoff.shared.sdk.subscriptions import subscribe
from setoff.shared.state import keys
from setoff.shared.wire.api.channels import CHANNELS
from setoff.shared.wire.leg_pages import make_leg_pages
from setoff.shared.wire.receipts import SignedReceipt
from setoff.shared.wire.records import encode_body, encode_crank, encode_record
from setoff.shared.wire.scopes import EVERYTHING, Scope
from setoff.shared.wire.slippage import SLIPPAGE

if TYPE_CHECKING:  # what holds receipts against L1 takes as long to import as all the rest
    from setoff.shared.sdk.receipt_store import ReceiptStore
    from setoff.shared.wire.withdrawals import WithdrawalProof

HEARTBEAT: Final = 20.0
"""Seconds between pings of a stream; without an answer it ends."""
TIMEOUT: Final = 30.0
"""Seconds for one request."""
_ASK_AGAIN: Final = frozenset(
    ("nonce_used", "nonce_too_old", "nonce_too_far", "bad_signature", "agent_expired", "out_of_scope")
)
"""Reasons after which nonces are read again: another client uses the key too, or an agent was named anew."""


@dataclass(frozen=True, slots=True)
class SubmitResult:
    """A record that was taken: its number among all posted records, from 0, its batch and input index; for an order
    its slot of the account, the lots that rest in the book, and the fills as the API shows them; for a bulk record what
    each of its legs left there.

    `outcome`: "accepted", or the reason for which an order ended after it had traded. `is_paused`: there were so many
    makers that the exchange goes on with it after this answer, which is what came of it so far; of a bulk record the
    legs behind that page were not taken, and `legs` is as short. `signed`: the operator's signed receipts for it and
    its pages, as far as the client keeps them.
    """

    sequence: int
    batch: int
    input_index: int
    order_slot: int
    resting: int
    fills: tuple[Mapping[str, Any], ...]
    outcome: str = "accepted"
    legs: tuple[int, ...] = ()
    signed: tuple[SignedReceipt, ...] = ()
    is_paused: bool = False

    @property
    def filled(self) -> int:
        """Lots traded at once."""
        return sum(int(fill["size"]) for fill in self.fills)


class Nonces:
    """The nonces of one key, an owner's or an agent's, shared by its clients of all sub-accounts."""

    def __init__(self) -> None:
        self.next = 0  # 0: not known

    def take(self) -> int:
        """The next nonce."""
        nonce = self.next
        self.next += 1
        return nonce


class SetoffClient:
    """One connection to an exchange, with a signer also one account. An async context manager.

    The account is the signer's own, unless the signer is an agent: then `account` (a number or the owner's address) is
    whom it trades for, and `agent` its number there. With a `receipt_store` every signed receipt is checked and kept.
    `over_socket`: records go over one WebSocket (`order_entry.py`), which is opened with the first, and again when it
    has ended.
    """

    def __init__(
        self,
        url: str,
        signer: Signer | None = None,
        *,
        account: int | str = "",
        agent: int = 0,
        sub: int = 0,
        receipt_store: ReceiptStore | None = None,
        over_socket: bool = False,
    ) -> None:
        self._url = url.rstrip("/")
        self._signer = signer
        self._name = str(account)
        self._agent = agent
        self._sub = sub
        self._receipt_store = receipt_store
        self._http: aiohttp.ClientSession | None = None
        self._entry = _Entry(self._url) if over_socket else None
        self._chain_id = 0
        self._vault = b""
        self._scales: MarketScales | None = None
        self._account = 0
        self._nonces = Nonces()
        self._gives_way = False
        self._busy: set[int] = set()
        self._next_order_slot = 0

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT))
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._entry is not None:
            await self._entry.close()
        if self._http is not None:
            await self._http.close()
            self._http = None

    def at(self, sub: int) -> Self:
        """A client of another sub-account (0: the master itself) over the same connection, which must be open."""
        twin = type(self)(
            self._url, self._signer, account=self._name, agent=self._agent, sub=sub, receipt_store=self._receipt_store
        )
        twin._http, twin._entry = self._session(), self._entry
        twin._chain_id, twin._vault, twin._nonces = self._chain_id, self._vault, self._nonces
        twin._gives_way, twin._scales = self._gives_way, self._scales
        return twin

    # --- reads -----------------------------------------------------------------------------------------------------

    async def info(self) -> dict[str, Any]:
        """Chain, vault, domain, limits, markets and terms."""
        return await self._get("/v1/info")

    async def markets(self) -> list[dict[str, Any]]:
        """All markets."""
        found: list[dict[str, Any]] = (await self._get("/v1/markets"))["markets"]
        return found

    async def terms(self) -> dict[str, Any]:
        """What holds for the whole exchange: how fees fall with activity."""
        found: dict[str, Any] = (await self._get("/v1/markets"))["terms"]
        return found

    async def market(self, market: int | str) -> dict[str, Any]:
        """One market, by number or symbol. Raises Refusal("not_found")."""
        return await self._get(f"/v1/markets/{market}")

    async def book(self, market: int | str, depth: int = 20) -> dict[str, Any]:
        """The best levels of a market: `bids` and `asks`, best first."""
        return await self._get(f"/v1/book/{market}", depth=depth)

    async def account(self, account: int | str | None = None) -> dict[str, Any]:
        """An account by id or owner's address, by default the signer's. Raises Refusal("not_found")."""
        return await self._get(f"/v1/accounts/{self._own_name() if account is None else account}")

    async def orders(self, account: int | str | None = None) -> list[dict[str, Any]]:
        """An account's open and armed orders, by default the signer's."""
        shown = await self._get(f"/v1/orders/{self._own_name() if account is None else account}")
        found: list[dict[str, Any]] = shown["orders"]
        return found

    async def fills(self, after: int = -1, limit: int = 100, market: int = 0, account: int = 0) -> list[dict[str, Any]]:
        """Fills after number `after`, oldest first; without it the latest. 0: any market, any account."""
        query = {"limit": limit} | {k: v for k, v in (("market", market), ("account", account)) if v}
        if after >= 0:
            query["after"] = after
        found: list[dict[str, Any]] = (await self._get("/v1/fills", **query))["fills"]
        return found

    async def find(self, *, nonce: int | None = None, client: int | None = None) -> dict[str, Any]:
        """What became of the account's records with this nonce, or its orders with this client id: `records`, each with
        how far it is, and `orders`. Raises Unavailable where no history is kept."""
        query = {name: value for name, value in (("nonce", nonce), ("client", client)) if value is not None}
        return await self._get(f"/v1/lookup/{self._own_name()}", **query)

    async def backstop(self) -> dict[str, Any]:
        """The backstop vault."""
        return await self._get("/v1/backstop")

    async def batch(self, number: int) -> dict[str, Any]:
        """A closed batch."""
        return await self._get(f"/v1/batches/{number}")

    async def withdrawal(self, index: int) -> WithdrawalProof:
        """The vault's proof of a withdrawal. Raises Refusal("not_found") before its epoch is complete."""
        from setoff.shared.wire.withdrawals import WithdrawalProof

        return WithdrawalProof.from_json(await self._get(f"/v1/withdrawals/{index}"))

    async def status(self) -> dict[str, Any]:
        """Where the sequencer is."""
        return await self._get("/v1/status")

    async def now(self) -> int:
        """The exchange's time, unix seconds: L1's, by which orders expire."""
        return int((await self.status())["l1_time"])

    async def stream(self, channels: Iterable[str] = ("records", "fills", "batches")) -> AsyncIterator[dict[str, Any]]:
        """Messages {"channel", "data"} as they come. Ends when the exchange ends the connection, or no longer answers.

        Raises Refusal for a channel that there is not, Unavailable if the exchange cannot be reached.
        """
        asked = list(channels)
        if unknown := set(asked) - CHANNELS.keys():
            raise Refusal("missing_field", f"there is no channel {', '.join(unknown)}; there are {', '.join(CHANNELS)}")
        try:
            async with self._session().ws_connect(
                f"{self._url}/ws", params={"channels": ",".join(asked)}, heartbeat=HEARTBEAT
            ) as socket:
                async for message in socket:
                    if message.type is aiohttp.WSMsgType.TEXT:
                        yield json.loads(message.data)
        except aiohttp.ClientError as error:
            what = f"the exchange does not stream at {self._url.rpartition('@')[2]}: {type(error).__name__}"
            raise Unavailable("not_ready", what) from error

    def subscribe(
        self,
        channel: str,
        *,
        market: int | str | None = None,
        account: int | str | None = None,
        interval: str | None = None,
        after: int | None = None,
        patience: float = TIMEOUT,
    ) -> AsyncIterator[dict[str, Any]]:
        """What happens in a market or an account: "book", "best", "trades", "candles" (with an `interval`), "account",
        "account_fills", "account_records"; the account is by default the signer's.

        A lost connection is opened again, behind the last cursor: of trades and fills nothing is left out. Raises
        Refusal, and Unavailable if the exchange cannot be reached for `patience` seconds.
        """
        if account is None and channel.startswith("account"):
            account = self._own_name()
        named = {"market": market, "account": account, "interval": interval, "after": after}
        wanted = {"channel": channel} | {name: value for name, value in named.items() if value is not None}
        return subscribe(self._session(), self._url, wanted, patience)

    # --- orders ------------------------------------------------------------------------------------------------------

    async def place(
        self,
        market: int | str,
        side: int,
        price: Number,
        size: Number,
        flags: int = records.GTC,
        order_slot: int | None = None,
        *,
        expiry: int = 0,
        trigger: Number = 0,
        client: int = 0,
        partner: int | None = None,
    ) -> SubmitResult:
        """Place an order in a free order slot, unless `order_slot` names one.

        `market`: its number or symbol. `price` and `size`: whole numbers are ticks and lots, a Decimal or a text is in
        decimals, as the price 77990.5 and the size 0.001; InputError names the nearest ones for what lies between.
        `flags`: time in force, REDUCE_ONLY, self-trade rule; ABOVE or BELOW with a `trigger` (ticks of the mark) for
        an order that is armed. `expiry`: seconds; `client`: an id of one's own (see `cancel_client`); `partner`: order
        slot of an armed order on the other side of the mark: whichever fires takes the other out. An agent that has
        not all sub-accounts signs CANCEL_TAKER where no rule against self-trade is named: no other may be its.
        """
        account = await self.load()
        if order_slot is None:
            order_slot = await self._free_order_slot()
        flags = give_way(flags) if self._gives_way else flags
        number, ticks, lots, at = await self._read_order(market, price, size, trigger)
        fields = (number, side, flags, order_slot, ticks, lots, expiry, at, client, name_partner(partner))
        record = self.sign(make_body("Order", account, self._nonces.take(), self._agent, *fields))
        self._busy.add(order_slot)
        try:
            result = await self.submit(record)
        except Refusal as error:
            if error.reason != "order_slot_taken":
                self._busy.discard(order_slot)
            raise
        if not result.resting and not result.is_paused:
            self._busy.discard(order_slot)
        return result

    async def place_market(
        self, market: int | str, side: int, size: Number, *, flags: int = 0, slippage: int = SLIPPAGE, client: int = 0
    ) -> SubmitResult:
        """Trade up to `size` at once, at the mark or at most `slippage` ppm worse; what is left is given up."""
        shown = await self.market(market)
        bound = get_bound(int(shown["mark"]), side, min(slippage, int(shown["band"])))
        return await self.place(market, side, bound, size, flags | records.IOC, client=client)

    async def place_stop(
        self,
        market: int | str,
        side: int,
        size: Number,
        flags: int,
        trigger: Number,
        *,
        expiry: int = 0,
        client: int = 0,
        partner: int | None = None,
    ) -> SubmitResult:
        """Arm a market order: once the mark has risen (ABOVE in `flags`) or fallen (BELOW) to `trigger`, up to `size`
        trades at once, no farther from the mark then than an order may pay; what is left is given up."""
        worst = keys.MAX_TICK if side == records.BUY else 1
        flags = flags & ~records.TIME_IN_FORCE | records.IOC
        return await self.place(
            market, side, worst, size, flags, expiry=expiry, trigger=trigger, client=client, partner=partner
        )

    async def place_pair(
        self,
        market: int | str,
        side: int,
        size: Number,
        above: Number,
        below: Number,
        *,
        flags: int = records.REDUCE_ONLY,
        expiry: int = 0,
    ) -> tuple[SubmitResult, SubmitResult]:
        """Arm two market orders, as `place_stop`, of which one fires: when the mark has risen to `above` or fallen to
        `below` ticks. The other leaves then. Returns both, that above first; if one is refused there is none."""
        flags &= ~records.ARMED
        first = await self.place_stop(market, side, size, flags | records.ABOVE, above, expiry=expiry)
        try:
            second = await self.place_stop(
                market, side, size, flags | records.BELOW, below, expiry=expiry, partner=first.order_slot
            )
        except Refusal:
            await self.cancel(first.order_slot)
            raise
        return first, second

    async def close_position(self, market: int | str, *, slippage: int = SLIPPAGE) -> SubmitResult:
        """Close the position in a market at once, as far as the book takes it. Raises Refusal("not_reducing")."""
        sizes = {position["market"]: int(position["size"]) for position in (await self.account())["positions"]}
        size = sizes.get(await self._find_market(market), 0)
        if not size:
            raise Refusal("not_reducing", f"there is no position in market {market}")
        side = records.SELL if size > 0 else records.BUY
        return await self.place_market(market, side, abs(size), flags=records.REDUCE_ONLY, slippage=slippage)

    async def cancel(self, order_slot: int, client: int = 0) -> SubmitResult:
        """Take back the order in `order_slot`, if its client id is `client` (0: whatever it is)."""
        result = await self.submit(await self._signed("Cancel", order_slot, client))
        self._busy.discard(order_slot)
        return result

    async def cancel_client(self, client: int) -> SubmitResult:
        """Take back the order with this client id, wherever it is. Raises Refusal("unknown_order")."""
        for order in await self.orders():
            if int(order["client"]) == client:
                return await self.cancel(order["order_slot"], client)
        raise Refusal("unknown_order", f"no open order has client id {client}")

    async def cancel_all(self) -> SubmitResult:
        """Take back every order of the account at once, armed ones too."""
        result = await self.submit(await self._signed("CancelAll"))
        self._busy.clear()
        return result

    async def amend(self, order_slot: int, price: int, size: int) -> SubmitResult:
        """Give the order in `order_slot` a new price (ticks) and size (lots); less at the same price keeps its turn."""
        result = await self.submit(await self._signed("Amend", order_slot, price, size))
        if not result.resting and not result.is_paused:
            self._busy.discard(order_slot)
        return result

    async def schedule_cancel(self, deadline: int) -> SubmitResult:
        """Dead-man's switch: every order dies at `deadline` (seconds; 0: never) unless this is called again."""
        return await self.submit(await self._signed("ScheduleCancel", deadline))

    async def bulk(self, legs: Sequence[Leg]) -> SubmitResult:
        """Many orders and cancels under one signature, in slots of the caller's; what cannot be taken is passed over.

        Raises InputError("malformed_record") for no legs or too many.
        """
        first, leg_pages = make_leg_pages(legs)
        result = await self.submit(await self._signed("Bulk", first), leg_pages)
        for leg, resting in zip(legs, result.legs, strict=False):
            if leg.flags & records.CANCEL_LEG:
                self._busy.discard(leg.order_slot)
            elif resting or result.is_paused:
                self._busy.add(leg.order_slot)
        return result

    # --- money and keys ----------------------------------------------------------------------------------------------

    async def transfer(self, peer: int, amount: Number) -> SubmitResult:
        """Move collateral to account `peer`, which may be a sub-account of one's own: a whole number of token units, or
        a decimal of the currency."""
        return await self.submit(await self._signed("Transfer", peer, await self._read_amount(amount)))

    async def withdraw(self, amount: Number) -> SubmitResult:
        """Take money out, as `transfer` has it; it is paid on L1 once the epoch is confirmed (`withdrawal`)."""
        return await self.submit(await self._signed("Withdraw", await self._read_amount(amount)))

    async def backstop_deposit(self, amount: int) -> SubmitResult:
        """Ask for shares of the backstop vault, for `amount` token units.

        They leave the account at once. When they are due (`request` of `account`), the next price makes them shares.
        """
        return await self.submit(await self._signed("BackstopDeposit", amount))

    async def backstop_withdraw(self, shares: int) -> SubmitResult:
        """Ask for the money that `shares` of the backstop vault are worth.

        They stay at risk until the request is due (`request` of `account`); what they are worth with the next price
        comes into the account then, as far as the backstop's margin leaves it free.
        """
        return await self.submit(await self._signed("BackstopWithdraw", shares))

    async def set_agent(self, agent: int, address: bytes, expiry: int, scope: Scope = EVERYTHING) -> SubmitResult:
        """Let `address` (20 bytes) trade as agent number `agent` until `expiry` (seconds) within `scope`.

        Zeros take the right away, of whoever has that number; the orders that it has sent stay. Raises
        InputError("malformed_record") for a scope that no agent can have.
        """
        session = next_session(int((await self.account())["session"]), address)
        return await self.submit(await self._signed("SetAgent", agent, address, expiry, session, *scope.fields))

    # --- records ---------------------------------------------------------------------------------------------------

    async def report(self, signer: int, time: int, market: int, price: int) -> SubmitResult:
        """Report a price (ticks) at `time` (unix seconds) as oracle signer number `signer`."""
        await self._load_domain()
        return await self.submit(self.sign(encode_body("Report", ReportBody(signer, time, market, price))))

    async def crank(self, market: int) -> SubmitResult:
        """Let time pass on a market. Raises Refusal("not_due")."""
        return await self.submit(encode_crank(market))

    async def submit(self, record: bytes, leg_pages: Sequence[bytes] = ()) -> SubmitResult:
        """Submit a signed record of 124 bytes, a bulk record with its pages.

        One whose answer was lost (`Unavailable`) may be submitted again, the same bytes, over HTTP: an exchange that
        keeps a history answers what became of it, and it never counts twice. `find` looks it up, too.
        Raises Refusal or Unavailable; DataError("receipt_broken") if the record was taken, and its receipt is missing,
        wrong or worthless.
        """
        try:
            payload = encode_record(record, leg_pages)
            if self._entry is None:
                answer = await self._request("POST", "/v1/records", json=payload)
            else:
                answer = await self._entry.request(payload)
        except Refusal as error:
            if error.reason in _ASK_AGAIN:
                self._nonces.next = 0
            raise
        store, signed = self._receipt_store, tuple[SignedReceipt, ...]()
        if store is not None and not answer.get("is_repeat"):
            taken = leg_pages[: answer.get("leg_pages", 0)]
            signed = tuple(store.take([record, *taken], answer.get("receipts")))
        order_slot = 0
        if record[0] == records.ORDER:
            order_slot = records.decode_order(record).order_slot
        elif record[0] == records.AMEND:
            order_slot = records.decode_amend(record).order_slot
        return SubmitResult(
            answer["sequence"],
            answer["batch"],
            answer["input_index"],
            order_slot,
            int(answer["resting"]),
            tuple(answer["fills"]),
            answer["outcome"],
            tuple(int(resting) for resting in answer.get("legs", ())),
            signed,
            answer.get("is_paused", False),
        )

    def sign(self, body: bytes) -> bytes:
        """The 124-byte record of a 60-byte body; the exchange's domain is known once anything was sent."""
        return body + self._own_signer().sign(self._chain_id, self._vault, body)

    async def load(self) -> int:
        """The account traded for; with it domain, nonce and order slots are read if they are not known.

        Raises Refusal("not_found") before the first deposit has arrived, Refusal("bad_signature") for an agent whom the
        account does not name now.
        """
        await self._load_domain()
        if not self._account or not self._nonces.next:
            shown = await self.account()
            self._account = shown["account"]
            self._nonces.next = max(self._nonces.next, int(self._find_key(shown)["next_nonce"]))
            self._busy |= {order["order_slot"] for order in shown["orders"]}
        return self._account

    # --- inside ----------------------------------------------------------------------------------------------------

    def _find_key(self, shown: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the exchange shows of the key that signs: the owner's is the account's own."""
        if not self._agent:
            return shown
        for agent in shown["agents"]:
            if agent["agent"] == self._agent:
                self._gives_way = bool(agent["subs"])
                return cast("Mapping[str, Any]", agent)
        raise Refusal("bad_signature", f"account {shown['master']} has no agent {self._agent} who may trade now")

    async def scales(self, *, anew: bool = False) -> MarketScales:
        """Names of the markets, and what their ticks and lots are; read once, unless `anew`. Raises DataError."""
        if anew or self._scales is None:
            self._scales = MarketScales(await self.info())
        return self._scales

    async def _load_domain(self) -> None:
        if not self._vault:
            info = await self.info()
            self._chain_id = int(info["chain_id"])
            self._vault = bytes.fromhex(info["vault"].removeprefix("0x"))

    async def _find_market(self, market: int | str) -> int:
        """The number of a market, which may be new."""
        if isinstance(market, int):
            return market
        try:
            return (await self.scales()).find(market)
        except Refusal:
            return (await self.scales(anew=True)).find(market)

    async def _read_order(
        self, market: int | str, price: Number, size: Number, trigger: Number
    ) -> tuple[int, int, int, int]:
        """What of an order is signed: market, ticks, lots, ticks."""
        number = await self._find_market(market)
        if isinstance(price, int) and isinstance(size, int) and isinstance(trigger, int):
            return number, price, size, trigger
        scales = await self.scales()
        ticks, at = scales.read_price(number, price), scales.read_price(number, trigger)
        return number, ticks, scales.read_size(number, size), at

    async def _read_amount(self, amount: Number) -> int:
        return amount if isinstance(amount, int) else (await self.scales()).read_amount(amount)

    async def _signed(self, name: str, *fields: int | bytes) -> bytes:
        """The account's next record, of the signed type `name`."""
        return self.sign(make_body(name, await self.load(), self._nonces.take(), self._agent, *fields))

    async def _free_order_slot(self) -> int:
        """An order slot that nothing known occupies; slots freed by fills are found by asking."""
        count = keys.MAX_ORDER_SLOT + 1
        if len(self._busy) >= count:
            self._busy = {order["order_slot"] for order in await self.orders()}
        for step in range(count):
            order_slot = (self._next_order_slot + step) % count
            if order_slot not in self._busy:
                self._next_order_slot = (order_slot + 1) % count
                return order_slot
        raise Refusal("order_slot_taken", f"all {count} order slots of the account hold orders")

    def _own_signer(self) -> Signer:
        if self._signer is None:
            raise StateError("not_ready", "this client has no signer")
        return self._signer

    def _own_name(self) -> str:
        name = self._name or "0x" + self._own_signer().address.hex()
        return f"{name}.{self._sub}" if self._sub else name

    def _session(self) -> aiohttp.ClientSession:
        if self._http is None:
            raise StateError("not_ready", "use the client in an `async with` block")
        return self._http

    async def _get(self, path: str, **query: int) -> dict[str, Any]:
        return await self._request("GET", path, params={name: str(value) for name, value in query.items()})

    async def _request(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        try:
            async with self._session().request(method, self._url + path, **options) as response:
                answer = await response.json(content_type=None)
                status = response.status
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            what = f"the exchange does not answer at {self._url.rpartition('@')[2]}: {type(error).__name__}"
            raise Unavailable("not_ready", what) from error
        if status == 200 and isinstance(answer, dict):
            return answer
        reason, detail, numbers = "not_ready", f"HTTP status {status}", {}
        if isinstance(answer, dict):
            reason, detail = str(answer.get("reason", reason)), str(answer.get("detail", detail))
            numbers = answer.get("numbers", {})
        raise Refusal(reason, detail, numbers) if 400 <= status < 500 else Unavailable(reason, detail)


class _Entry:
    """The WebSocket of a client and of its twins, as long as it lasts."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._entry: OrderEntry | None = None
        self._opening = asyncio.Lock()

    async def request(self, payload: dict[str, Any]) -> dict[str, Any]:
        """See `OrderEntry`."""
        async with self._opening:
            if self._entry is None or not self._entry.is_open:
                await self.close()
                self._entry = await OrderEntry(self._url).__aenter__()
            entry = self._entry
        return await entry.request(payload)

    async def close(self) -> None:
        """End the connection."""
        entry, self._entry = self._entry, None
        if entry is not None:
            await entry.__aexit__()
