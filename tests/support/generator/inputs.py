"""One input of any kind: as it should be, forged, refused, repeated or noise."""

from __future__ import annotations

from collections.abc import Callable

from tests.support.generator.bulks import Bulks
from tests.support.generator.listings import Listings
from tests.support.generator.owners import Owners
from tests.support.generator.players import (
    ACCOUNTS,
    ADDRESSES,
    SIGNERS,
    TRADERS,
)

from setoff.shared.codec import eip712, records, signatures
from setoff.shared.codec.hashing import keccak

RECORDS: dict[str, int] = {
    "order": 44,
    "fok": 4,
    "armed": 5,
    "cancel": 9,
    "cancel_all": 1,
    "amend": 6,
    "schedule_cancel": 2,
    "set_agent": 3,
    "transfer": 8,
    "withdraw": 6,
    "backstop_deposit": 3,
    "backstop_withdraw": 3,
    "bulk": 3,
    "stray leg page": 1,
    "report": 6,
    "crash": 1,
    "crank": 6,
    "forgery": 4,
    "noise": 5,
    "replay": 2,
}
"""How often each input is drawn."""
FORCEABLE = tuple(
    kind
    for kind in RECORDS
    if kind not in ("bulk", "stray leg page", "report", "crash", "crank", "forgery", "noise", "replay")
)
"""Those that an owner or an agent signs."""
MESSAGES: dict[str, int] = {
    "deposit": 10,
    "list_market": 10,
    "set_market": 6,
    "set_signer": 8,
    "set_terms": 5,
    "noise": 6,
    "queued": 5,
    "forced": 5,
    "strange deposit": 4,
    "late report": 4,
    "wind_down": 0,
}


class Inputs(Bulks, Owners, Listings):
    """Draws inputs by weights."""

    def draw(self, weights: dict[str, int], where: str) -> list[bytes]:
        """One input of a kind drawn by `weights`; a bulk record comes with its pages."""
        kind = self.rng.choices(list(weights), list(weights.values()))[0]
        if kind == "noise":
            return [self.noise(is_message=where == "message")]
        if kind == "queued":
            return self.draw(RECORDS, "record")
        if kind == "bulk":
            return self.bulk()
        if kind == "late report":
            return [self.late_report()]
        if kind.startswith("refuse "):
            return [self.refused(kind.removeprefix("refuse "))]
        body = self.maker(kind)()
        if where == "record":
            self.sent.append(body)
        return [body]

    def maker(self, kind: str) -> Callable[[], bytes]:
        """What draws inputs of a kind."""
        makers: dict[str, Callable[[], bytes]] = {
            "order": self.order,
            "fok": self.fok,
            "armed": self.armed,
            "cancel": self.cancel,
            "cancel_all": self.cancel_all,
            "amend": self.amend,
            "schedule_cancel": self.schedule_cancel,
            "set_agent": self.set_agent,
            "transfer": self.transfer,
            "withdraw": self.withdraw,
            "backstop_deposit": self.backstop_deposit,
            "backstop_withdraw": self.backstop_withdraw,
            "stray leg page": self.stray_leg_page,
            "report": self.report,
            "crash": self.crash,
            "crank": self.crank,
            "forgery": self.forgery,
            "replay": self.replay,
            "deposit": self.deposit,
            "strange deposit": self.strange_deposit,
            "list_market": self.list_market,
            "set_market": self.set_market,
            "set_signer": self.set_signer,
            "set_terms": self.set_terms,
            "forced": self.forced,
            "wind_down": lambda: records.encode(records.WindDownBody()),
        }
        return makers[kind]

    def forced(self) -> bytes:
        """A record of any type in the name of whoever signed it, and once in a while of another or of nobody."""
        rng = self.rng
        record = self.bulk()[0] if rng.random() < 0.05 else self.maker(rng.choice(FORCEABLE))()
        signer = signatures.recover(eip712.digest(self.machine.regs.domain, record), record[records.BODY_BYTES :])
        sender = rng.choices((signer, bytes(20), ADDRESSES[TRADERS[1]]), (20, 1, 1))[0]
        body = rng.choice((self.crank, self.report))() if rng.random() < 0.05 else record
        return records.encode(records.ForcedBody(sender or bytes(20), body[: records.BODY_BYTES]))

    def forgery(self) -> bytes:
        """A record whose signature, or whose body under a signature, was tampered with."""
        rng = self.rng
        makers = (
            self.order,
            self.order,
            self.cancel,
            self.cancel_all,
            self.amend,
            self.schedule_cancel,
            self.set_agent,
            self.transfer,
            self.withdraw,
            self.backstop_deposit,
            self.backstop_withdraw,
            self.report,
            lambda: self.bulk()[0],
        )
        record = rng.choice(makers)()
        body, r, s = record[:60], record[60:92], int.from_bytes(record[92:], "big")
        order = signatures.CURVE_ORDER
        low = s & (2**255 - 1)
        forged = {
            "bit": lambda: self.flip(record),
            "parity": lambda: body + r + (s ^ 2**255).to_bytes(32, "big"),
            "high s": lambda: body + r + (((order - low) & (2**255 - 1)) | (s & 2**255)).to_bytes(32, "big"),
            "no s": lambda: body + r + bytes(32),
            "half": lambda: body + r + signatures.HALF_ORDER.to_bytes(32, "big"),
            "over half": lambda: body + r + (signatures.HALF_ORDER + 1).to_bytes(32, "big"),
            "no r": lambda: body + bytes(32) + record[92:],
            "r is n": lambda: body + order.to_bytes(32, "big") + record[92:],
            "r over n": lambda: body + b"\xff" * 32 + record[92:],
            "small r": lambda: body + rng.randint(1, 9).to_bytes(32, "big") + record[92:],
            "random": lambda: body + rng.randbytes(64),
            "another's": lambda: self.sign(TRADERS[rng.randint(1, ACCOUNTS)], body),
        }
        return rng.choice(list(forged.values()))()

    def flip(self, record: bytes) -> bytes:
        bit = self.rng.randrange(len(record) * 8)
        return (int.from_bytes(record, "big") ^ 1 << bit).to_bytes(len(record), "big")

    def refused(self, name: str) -> bytes:
        """A well-formed input of this name that its fetch refuses."""
        rng = self.rng
        market = rng.choice((0, self.machine.regs.markets + 2, 2**16 - 1))
        plain: dict[str, Callable[[], bytes]] = {
            "crank": lambda: records.encode_crank(market),
            "report": lambda: self.report_of(0, self.time, market, 1),
            "leg_page": self.stray_leg_page,
            "deposit": lambda: self.deposit_of(1, 0),
            "list_market": lambda: records.encode(self.listing(market)),
            "set_market": lambda: records.encode(records.SetMarketBody(*self.listing(market))),
            "set_signer": lambda: self.signer(0, rng.choice((0, 8)), 60),
            "set_terms": lambda: records.encode(records.SetTermsBody(records.ExchangeTerms(low=1))),
            "forced": lambda: records.encode(records.ForcedBody(bytes(20), self.cancel()[: records.BODY_BYTES])),
            "wind_down": lambda: records.encode(records.WindDownBody()),
        }
        if name in plain:
            return plain[name]()
        record = self.bulk()[0] if name == "bulk" else self.maker(name)()
        return self.sign(keccak(b"nobody"), record[: records.BODY_BYTES])

    def queue(self, body: bytes) -> bytes:
        """The message with a time: it has waited for some seconds or days, or has come after the batch's own time."""
        waited = self.rng.choices((0, 30, 61, 3600, 10**5, -30), (6, 2, 2, 1, 1, 1))[0]
        return records.stamp_message(body, max(0, self.time - waited))

    def late_report(self) -> bytes:
        """A message with a report of about the time at which it was queued."""
        market, queued_at = self.some_market(), self.time - self.rng.choice((1, 40, 100, 5000))
        age = self.rng.choices((0, 10, 60, 61, -60, -61), (8, 4, 1, 1, 1, 1))[0]
        report = self.report_of(self.rng.randrange(SIGNERS), queued_at - age, market, self.next_price(market))
        return records.stamp_message(report, queued_at)

    def replay(self) -> bytes:
        return self.rng.choice(self.sent) if self.sent else self.order()

    def noise(self, *, is_message: bool) -> bytes:
        """Bytes of any type: random, zero, or well-formed but in the wrong place or with something in the padding."""
        rng = self.rng
        kind = rng.choice((*range(records.UNUSED + 2), 0x7F, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0xFF))
        shape = rng.randrange(4)
        if shape == 0:
            return bytes([kind]) + rng.randbytes(123)
        if shape == 1:
            return bytes([kind]) + bytes(123)
        makers = (
            self.deposit,
            self.list_market,
            self.set_market,
            self.set_signer,
            self.set_terms,
            self.forced,
            lambda: records.encode(records.WindDownBody()),
            self.order,
            self.cancel,
            self.amend,
            self.crank,
            self.backstop_deposit,
            self.report,
        )
        body = rng.choice(makers)()
        if shape == 2 and not is_message:
            return body
        at = rng.choice((80, 81, 111, 112, 122, 123) if body[0] >= records.FIRST_MESSAGE else (59, 58, 50, 48))
        return body[:at] + bytes([rng.randint(1, 255)]) + body[at + 1 :]
