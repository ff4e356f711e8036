"""An account's money and keys: transfers, withdrawals, shares of the backstop, agents."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from setoff.shared.errors import DataError
from setoff.shared.sdk.answers import Refusal, Unavailable
from setoff.shared.sdk.bodies import next_session
from setoff.shared.sdk.market_scales import Number
from setoff.shared.sdk.submission import Submission, SubmitResult
from setoff.shared.wire.scopes import EVERYTHING, Scope

POLL_SECONDS: Final = 0.5
LOST: Final = 10.0
"""Seconds for which an exchange that has taken a withdrawal may be away before its number is given up."""


class Money(Submission):
    """What only the owner's own key may do."""

    async def transfer(self, peer: int, amount: Number) -> SubmitResult:
        """Move collateral to account `peer`, which may be a sub-account of one's own: a whole number of token units, or
        a decimal of the currency."""
        return await self.submit(await self._signed("Transfer", peer, await self._read_amount(amount)))

    async def withdraw(self, amount: Number) -> SubmitResult:
        """Take money out, as `transfer` has it; it is paid on L1 once the epoch is confirmed (`withdrawal`)."""
        return await self.submit(await self._signed("Withdraw", await self._read_amount(amount)))

    async def request_withdrawal(self, amount: Number) -> int:
        """`withdraw`, and wait until its epoch is complete; the number of the withdrawal, found by its account: others
        may withdraw at the same time.

        Raises as `submit`; once the withdrawal was taken, nothing but Unavailable("pending"), where its number is not
        to be had for more than LOST seconds: another one would be a second one.
        """
        before, account = int((await self.status())["withdrawals"]), await self.load()
        record = await self._signed("Withdraw", await self._read_amount(amount))
        taken = await self.submit(record)
        told_at = time.monotonic()
        while True:
            try:
                after = int((await self.status())["withdrawals"])
                told_at = time.monotonic()
                for index in range(before, after):
                    if (await self.withdrawal(index)).account == account:
                        return index
            except Refusal:
                pass  # its epoch is not complete yet
            except (Unavailable, DataError) as error:
                if time.monotonic() - told_at > max(self._patience, LOST):
                    text = f"the withdrawal was taken, as record {taken.sequence}; its number is not known yet: {error}"
                    lost = Unavailable(
                        "pending", text, {"sequence": str(taken.sequence), "record": "0x" + record.hex()}
                    )
                    lost.record = record
                    raise lost from error
            await asyncio.sleep(POLL_SECONDS)

    async def backstop_deposit(self, amount: Number) -> SubmitResult:
        """Ask for shares of the backstop vault, for an amount as `transfer` has it.

        They leave the account at once. When they are due (`request` of `account`), the next price makes them shares.
        """
        return await self.submit(await self._signed("BackstopDeposit", await self._read_amount(amount)))

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

    async def _read_amount(self, amount: Number) -> int:
        return amount if isinstance(amount, int) else (await self.scales()).read_amount(amount)
