"""An account's money and keys: transfers, withdrawals, shares of the backstop, agents."""

from __future__ import annotations

import asyncio
from typing import Final

from setoff.shared.sdk.answers import Refusal
from setoff.shared.sdk.bodies import next_session
from setoff.shared.sdk.market_scales import Number
from setoff.shared.sdk.submission import Submission, SubmitResult
from setoff.shared.wire.scopes import EVERYTHING, Scope

POLL_SECONDS: Final = 0.5


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
        may withdraw at the same time."""
        before = int((await self.status())["withdrawals"])
        await self.withdraw(amount)
        account = await self.load()
        while True:
            after = int((await self.status())["withdrawals"])
            for index in range(before, after):
                try:
                    if (await self.withdrawal(index)).account == account:
                        return index
                except Refusal:
                    break  # its epoch is not complete yet
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
