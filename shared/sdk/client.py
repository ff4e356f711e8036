"""The client of an exchange: signs, submits, and keeps a trader's nonces and order slots.

    async with SetoffClient("http://127.0.0.1:8700", KeySigner(key)) as client:
        result = await client.place(market=1, side=BUY, price=100, size=5)             # in ticks and lots
        await client.place("BTC-PERP", BUY, Decimal("77990"), Decimal("0.001"))         # in decimals
        await client.cancel(result.order_slot)
        await client.place_market(1, SELL, 5, flags=REDUCE_ONLY)
        isolated = client.at(sub=1)                                # the same owner's sub-account
    agent = SetoffClient(url, KeySigner(agent_key), account=7, agent=1)   # trades for account 7, cannot move its money

What the exchange refuses is raised as `Refusal`, whose `reason` is a string of the shared list; an exchange that does
not answer or asks to wait raises `Unavailable`. After either the call may be repeated, but not after
`Unavailable("pending")`: then the record was sent, and its end is not known. Only the same bytes may be sent again
(`submit(error.record)`): they count once. A transfer, a withdrawal or an order that is made anew is a second one.
"""

from __future__ import annotations

from typing import Self

from setoff.shared.codec.records import ReportBody
from setoff.shared.sdk.money import Money
from setoff.shared.sdk.orders import Orders
from setoff.shared.sdk.submission import SubmitResult
from setoff.shared.wire.records import encode_body, encode_crank

__all__ = ["SetoffClient", "SubmitResult"]


class SetoffClient(Orders, Money):
    """One connection to an exchange, with a signer also one account. An async context manager.

    The account is the signer's own, unless the signer is an agent: then `account` (a number or the owner's address) is
    whom it trades for, and `agent` its number there. With a `receipt_store` every signed receipt is checked and kept.
    With a `deployment` (its file) records are signed for that one alone, and DataError is raised where the exchange
    names another; without it, for whichever the exchange names. With `listed` (`ListedUnits`) no decimal becomes ticks
    and lots before their worth was held against L1's listings. Off development chains the exchange's clock, by which
    orders expire, may be `clock_skew` seconds from this machine's. `over_socket`: records go over one WebSocket
    (`order_entry.py`), which is opened with the first, and again when it has ended. With a `patience` (seconds) a
    record that is not answered is sent again, the same bytes, over HTTP, before `Unavailable` is raised.

    What it shows is in `reads.py` and `history.py`, what it sends in `orders.py`, `money.py` and `submission.py`;
    `blocking.py` is the same without `await`.
    """

    def at(self, sub: int) -> Self:
        """A client of another sub-account (0: the master itself) over the same connection, which must be open."""
        twin = type(self)(
            self._url,
            self._signer,
            account=self._name,
            agent=self._agent,
            sub=sub,
            receipt_store=self._receipt_store,
            deployment=self._deployment,
            patience=self._patience,
            listed=self._listed,
            clock_skew=self._clock_skew,
        )
        twin._http, twin._entry = self._session(), self._entry
        twin._chain_id, twin._vault, twin._nonces = self._chain_id, self._vault, self._nonces
        twin._gives_way, twin._scales, twin._clock = self._gives_way, self._scales, self._clock
        return twin

    async def report(self, signer: int, time: int, market: int, price: int) -> SubmitResult:
        """Report a price (ticks) at `time` (unix seconds) as oracle signer number `signer`."""
        await self._load_domain()
        return await self.submit(self.sign(encode_body("Report", ReportBody(signer, time, market, price))))

    async def crank(self, market: int) -> SubmitResult:
        """Let time pass on a market. Raises Refusal("not_due")."""
        return await self.submit(encode_crank(market))
