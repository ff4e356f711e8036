"""Messages of the vault and of the lister."""

from __future__ import annotations

from tests.support.generator.players import (
    ACCOUNTS,
    ADDRESSES,
    AMOUNT_EDGES,
    LONER,
    ORACLES,
    SIGNERS,
    TRADERS,
    Players,
)
from tests.support.machines.listing_edges import at_edge, listing_edges, tiered, with_tiers

from setoff.shared.codec import records
from setoff.shared.codec.integers import PPM
from setoff.shared.state import keys, leaves

CALLING = 2
"""The market that holds calls."""


class Listings(Players):
    """Deposits, markets and oracle signers, sound and at every edge."""

    def funds(self) -> int:
        return self.rng.choice((2**95, 2**96 - 1)) if self.is_large else self.rng.choice((10**5, 10**6, 3 * 10**6))

    def deposit_of(self, account: int, amount: int, owner: bytes | None = None) -> bytes:
        owner = ADDRESSES[TRADERS[account]] if owner is None else owner
        return records.encode(records.DepositBody(account, owner, amount))

    def deposit(self) -> bytes:
        return self.deposit_of(
            self.rng.randint(1, ACCOUNTS), self.funds() if self.is_large else self.rng.randint(1, 10**5)
        )

    def strange_deposit(self) -> bytes:
        rng = self.rng
        account = rng.choice((0, 1, 3, LONER, keys.MAX_ACCOUNT + 1, 2**32 - 1))
        owner = rng.choice((bytes(20), b"\xff" * 20, rng.randbytes(20)))
        return self.deposit_of(
            account, rng.choice((*AMOUNT_EDGES[: 5 if self.is_large else 2], 2**96, 2**128 - 1)), owner
        )

    def listing(self, market: int) -> records.ListMarketBody:
        rng = self.rng
        if self.is_large:
            # The last kind asks so little margin that only the position limit stops an account.
            unit, margin = rng.choice(((2**32 - 1, PPM), (2**31, PPM // 3), (1, 1)))
            maintenance = rng.choice((1, max(1, margin // 2)))
        else:
            unit, margin, maintenance = rng.choice((1, 1, 3)), rng.choice((50_000, 100_000, 333_333)), 25_000
        taker = rng.choice((0, 1, 500, 777, records.MAX_FEE if self.is_large else 999))
        m = records.MarketParameters(
            unit,
            margin,
            maintenance,
            taker,
            rng.choice((-taker, -taker // 2, 0, 100, records.MAX_FEE if self.is_large else 7)),
            rng.choice((PPM, 500_000, 200_000)),
            max_age=rng.choice((60, 400, 3000, 2**32 - 1)),
            step_band=rng.choice((20_000, 50_000)) if market == CALLING else rng.choice((PPM, PPM, PPM, 250_000)),
            funding_cap=rng.choice((0, 5_000, records.MAX_FEE)),
            close_out=rng.choice((0, 0, 0, maintenance // 3, maintenance // 3, maintenance)),
            max_open_interest=rng.choice((2**44, 2**44, 2**44, 40_000)),
            max_position=rng.choice((records.MAX_POSITION, records.MAX_POSITION, 30_000)),
            impact=rng.choice((0, 1, 5)),
            expiry=self.time + rng.choice((1, 300, 2500)) if market > 2 and rng.random() < 0.5 else 0,
            order_margin=rng.choice((0, 0, 0, 1, 2**40 if self.is_large else 30)),
            backstop_cap=rng.choice((0, 0, 250_000, PPM, 2**32 - 1)),
            call_minutes=1 if market == CALLING else 0,
        )
        has_tiers = rng.random() < 0.4 and margin + 20 <= PPM
        return records.ListMarketBody(market, tiered(m) if has_tiers else m)

    def list_market(self) -> bytes:
        """The next market once in a while (an account has eight places), otherwise a parameter at or over its edge."""
        rng = self.rng
        next_market = self.machine.regs.markets + 1
        sound = self.listing(next_market)
        if next_market <= 10 or (rng.random() < 0.3 and next_market <= keys.MAX_MARKET):
            return records.encode(sound)
        m = with_tiers(sound)
        return records.encode(at_edge(m, *rng.choice(listing_edges(m))))

    def set_market(self) -> bytes:
        """Other parameters of a market, or one of them at or over its edge."""
        rng = self.rng
        m = self.listing(rng.randint(0, self.machine.regs.markets + 1) if rng.random() < 0.2 else rng.randint(1, 3))
        if rng.random() < 0.4:
            m = with_tiers(m)
            m = at_edge(m, *rng.choice(listing_edges(m)))
        return records.encode(records.SetMarketBody(*m))

    def set_terms(self) -> bytes:
        """Terms that reach down to what is traded here, or one of them at or over its edge."""
        rng = self.rng
        high = rng.choice((7, 300, 2**90 if self.is_large else 5_000))
        terms = {
            "low": rng.choice((0, high // 5)),
            "high": high,
            "taker_saving": rng.choice((0, 77_000, 150_000)),
            "maker_saving": rng.choice((0, 90_000, 150_000)),
            "most_rebate": rng.choice((0, 111_111, 200_000)),
            "backstop_share": rng.choice((0, 99_999)),
            "treasury_share": rng.choice((0, 333_333, 900_001)),
            "insurance_floor": rng.choice((0, 0, 1_000, 2**32 - 1)),
            "treasury": rng.choice((0, 1, 1, keys.MAX_ACCOUNT)),
            "scale_from": rng.choice((0, 10, 5_000)),
            "scale_most": rng.choice((0, 3_333, 10_000, 10_000, 10_001)),
        }
        if rng.random() < 0.3:
            name, value = rng.choice(list(terms)), rng.choice((0, 1, PPM, PPM + 1, 2**32 - 1))
            terms[name] = min(value, 2**16 - 1) if name.startswith("scale") else value
        return records.encode(records.SetTermsBody(records.ExchangeTerms(**terms)))

    def signer(self, index: int, quorum: int, max_age: int) -> bytes:
        owner = ADDRESSES[ORACLES[index]] if index in ORACLES else self.rng.randbytes(20)
        return records.encode(records.SetSignerBody(index, owner, quorum, max_age))

    def set_signer(self) -> bytes:
        rng = self.rng
        if rng.random() < 0.6:
            return self.signer(rng.randrange(SIGNERS), rng.choice((1, 1, 2, 3)), rng.choice((30, 60, 120)))
        index = rng.choice((leaves.MAX_SIGNERS - 1, leaves.MAX_SIGNERS, 2**16 - 1, 5))
        return self.signer(index, rng.choice((0, 1, 2, 8, 2**16 - 1)), rng.choice((0, 60, 60)))
