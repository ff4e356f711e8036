"""The client of an exchange: signs, submits, and keeps a trader's nonces and order slots.

    async with SetoffClient("http://127.0.0.1:8700", KeySigner(key)) as client:
        receipt = await client.place(market=1, side=BUY, price=100, size=5)
        await client.cancel(receipt.place)

What the exchange refuses is raised as `Refusal`, whose `reason` is a string of the shared list; an exchange that does
not answer or asks to wait raises `Unavailable`.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

import aiohttp

from setoff.shared.client.signer import Signer
from setoff.shared.client.wire import encode_record
from setoff.shared.client.withdrawals import WithdrawalProof
from setoff.shared.codec import records
from setoff.shared.codec.records import CancelBody, OrderBody, ReportBody, TransferBody, WithdrawBody
from setoff.shared.errors import InputError, StateError
from setoff.shared.state import keys

TIMEOUT: Final = 30.0  # seconds


class Refusal(InputError):
    """The exchange refused; nothing was changed."""


class Unavailable(StateError):
    """The exchange cannot take anything now. Whether a record that was on its way was taken is unknown."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """An accepted record: its gap-free number, its batch and slot; for an order its slot of the account, the lots that
    rest in the book, and the fills as the API shows them."""

    sequence: int
    batch: int
    slot: int
    place: int
    resting: int
    fills: tuple[Mapping[str, Any], ...]

    @property
    def filled(self) -> int:
        """Lots traded at once."""
        return sum(int(fill["size"]) for fill in self.fills)


class SetoffClient:
    """One connection to an exchange, with a signer also one account. An async context manager."""

    def __init__(self, url: str, signer: Signer | None = None) -> None:
        self._url = url.rstrip("/")
        self._signer = signer
        self._http: aiohttp.ClientSession | None = None
        self._chain_id = 0
        self._vault = b""
        self._account = 0
        self._nonce = 0
        self._busy: set[int] = set()
        self._next_place = 0

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT))
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._http is not None:
            await self._http.close()
            self._http = None

    # --- reads -----------------------------------------------------------------------------------------------------

    async def info(self) -> dict[str, Any]:
        """Chain, vault, domain, limits and markets."""
        return await self._get("/v1/info")

    async def markets(self) -> list[dict[str, Any]]:
        """All markets."""
        found: list[dict[str, Any]] = (await self._get("/v1/markets"))["markets"]
        return found

    async def book(self, market: int, depth: int = 20) -> dict[str, Any]:
        """The best levels of a market: `bids` and `asks`, best first."""
        return await self._get(f"/v1/book/{market}", depth=depth)

    async def account(self, account: int | str | None = None) -> dict[str, Any]:
        """An account by id or owner's address, by default the signer's. Raises Refusal("not_found")."""
        return await self._get(f"/v1/accounts/{self._own_name() if account is None else account}")

    async def orders(self, account: int | str | None = None) -> list[dict[str, Any]]:
        """An account's open orders, by default the signer's."""
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

    async def batch(self, number: int) -> dict[str, Any]:
        """A closed batch."""
        return await self._get(f"/v1/batches/{number}")

    async def withdrawal(self, index: int) -> WithdrawalProof:
        """The vault's proof of a withdrawal. Raises Refusal("not_found") before its epoch is complete."""
        return WithdrawalProof.from_json(await self._get(f"/v1/withdrawals/{index}"))

    async def status(self) -> dict[str, Any]:
        """Where the sequencer is."""
        return await self._get("/v1/status")

    async def stream(self, channels: Iterable[str] = ("records", "fills", "batches")) -> AsyncIterator[dict[str, Any]]:
        """Messages {"channel", "data"} as they come. Ends when the exchange ends the connection."""
        async with self._session().ws_connect(f"{self._url}/ws", params={"channels": ",".join(channels)}) as socket:
            async for message in socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    yield json.loads(message.data)

    # --- records ---------------------------------------------------------------------------------------------------

    async def place(
        self, market: int, side: int, price: int, size: int, flags: int = records.GTC, place: int | None = None
    ) -> Receipt:
        """Place an order of `size` lots at `price` ticks, in a free order slot unless `place` names one."""
        account = await self.load()
        if place is None:
            place = await self._free_place()
        self._busy.add(place)
        body = records.encode_order(OrderBody(account, self._take_nonce(), market, side, flags, place, price, size))
        try:
            receipt = await self.submit(self.sign(body))
        except Refusal as error:
            if error.reason != "slot_taken":
                self._busy.discard(place)
            raise
        if not receipt.resting:
            self._busy.discard(place)
        return receipt

    async def cancel(self, place: int) -> Receipt:
        """Take back the order in slot `place`."""
        account = await self.load()
        receipt = await self.submit(self.sign(records.encode_cancel(CancelBody(account, self._take_nonce(), place))))
        self._busy.discard(place)
        return receipt

    async def transfer(self, peer: int, amount: int) -> Receipt:
        """Move `amount` token units of collateral to account `peer`."""
        account = await self.load()
        body = records.encode_transfer(TransferBody(account, self._take_nonce(), peer, amount))
        return await self.submit(self.sign(body))

    async def withdraw(self, amount: int) -> Receipt:
        """Take `amount` token units out; they are paid on L1 once the epoch is confirmed (`withdrawal`)."""
        account = await self.load()
        body = records.encode_withdraw(WithdrawBody(account, self._take_nonce(), amount))
        return await self.submit(self.sign(body))

    async def report(self, signer: int, time: int, market: int, price: int) -> Receipt:
        """Report a price (ticks) at `time` (unix seconds) as oracle signer number `signer`."""
        await self._load_domain()
        return await self.submit(self.sign(records.encode_report(ReportBody(signer, time, market, price))))

    async def submit(self, record: bytes) -> Receipt:
        """Submit a signed record of 124 bytes. Raises Refusal or Unavailable."""
        try:
            answer = await self._request("POST", "/v1/records", json=encode_record(record))
        except Refusal as error:
            if error.reason in ("nonce_used", "nonce_too_old"):
                self._nonce = 0  # somebody else uses the account too: ask again
            raise
        place = records.decode_order(record).place if record[0] == records.ORDER else 0
        return Receipt(
            answer["sequence"],
            answer["batch"],
            answer["slot"],
            place,
            int(answer["resting"]),
            tuple(answer["fills"]),
        )

    def sign(self, body: bytes) -> bytes:
        """The 124-byte record of a 60-byte body; the exchange's domain is known once anything was sent."""
        return body + self._own_signer().sign(self._chain_id, self._vault, body)

    async def load(self) -> int:
        """The signer's account; with it domain, nonce and order slots are read if they are not known.

        Raises Refusal("not_found") before the first deposit has arrived.
        """
        await self._load_domain()
        if not self._account or not self._nonce:
            shown = await self.account()
            self._account = shown["account"]
            self._nonce = max(self._nonce, int(shown["next_nonce"]))
            self._busy |= {order["slot"] for order in shown["orders"]}
        return self._account

    # --- inside ----------------------------------------------------------------------------------------------------

    async def _load_domain(self) -> None:
        if not self._vault:
            info = await self.info()
            self._chain_id = int(info["chain_id"])
            self._vault = bytes.fromhex(info["vault"].removeprefix("0x"))

    def _take_nonce(self) -> int:
        nonce = self._nonce
        self._nonce += 1
        return nonce

    async def _free_place(self) -> int:
        """An order slot that nothing known occupies; slots freed by fills are found by asking."""
        count = keys.MAX_SLOT + 1
        if len(self._busy) >= count:
            self._busy = {order["slot"] for order in await self.orders()}
        for step in range(count):
            place = (self._next_place + step) % count
            if place not in self._busy:
                self._next_place = (place + 1) % count
                return place
        raise Refusal("slot_taken", f"all {count} order slots of the account hold orders")

    def _own_signer(self) -> Signer:
        if self._signer is None:
            raise StateError("not_ready", "this client has no signer")
        return self._signer

    def _own_name(self) -> str:
        return "0x" + self._own_signer().address.hex()

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
            raise Unavailable("not_ready", f"the exchange does not answer: {type(error).__name__}") from error
        if status == 200 and isinstance(answer, dict):
            return answer
        reason, detail = "not_ready", f"HTTP status {status}"
        if isinstance(answer, dict):
            reason, detail = str(answer.get("reason", reason)), str(answer.get("detail", detail))
        raise Refusal(reason, detail) if 400 <= status < 500 else Unavailable(reason, detail)
