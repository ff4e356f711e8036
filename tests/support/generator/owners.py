"""What only the owner of an account may sign."""

from __future__ import annotations

from tests.support.generator.players import (
    ADDRESSES,
    AMOUNT_EDGES,
    HANDS,
    MAX_UINT64,
    SUBS,
    Players,
)

from setoff.shared.codec import records
from setoff.shared.rules.agents import CLOSES_ONLY, SESSION_BITS
from setoff.shared.rules.exits import compute_hours, compute_room, get_taken
from setoff.shared.rules.margin import EVERY, compute_health
from setoff.shared.state import keys


class Owners(Players):
    """Money and agents."""

    def some_amount(self, account: int) -> int:
        rng = self.rng
        if rng.random() < 0.06:
            return rng.choice(AMOUNT_EDGES)
        regs, leaf = self.machine.regs, self.read_account(account)
        equity, requirement = compute_health(regs, self.state, leaf, EVERY)
        free = equity - requirement
        if free > 0 and rng.random() < 0.45:
            hours = compute_hours(regs.limited_since, 0, self.time)
            room = compute_room(free, get_taken(leaf, regs.limited_since), hours)
            return min(max(1, rng.choice((free, free + 1, free - 1, free // 2, room, room + 1))), 2**96)
        return rng.randint(1, 2**90 if self.is_large else 5000)

    def transfer(self) -> bytes:
        rng = self.rng
        account, peer = self.some_account(), self.some_account()
        if rng.random() < 0.6:
            peer = keys.sub_account(keys.get_master(account), rng.choice((0, 1, SUBS)))
        return self.transfer_of(account, peer & 0xFFFFFFFF, self.some_amount(account))

    def transfer_of(self, account: int, peer: int, amount: int) -> bytes:
        body = records.TransferBody(account, self.next_nonce(account), peer, amount)
        return self.by(account, records.encode(body))

    def withdraw(self) -> bytes:
        account = self.some_account()
        body = records.WithdrawBody(account, self.next_nonce(account), self.some_amount(account))
        return self.by(account, records.encode(body))

    def backstop_deposit(self) -> bytes:
        account = self.some_account()
        amount = self.rng.choice((1, 1000, self.some_amount(account)))
        amount = amount // 8 + 1 if self.is_poor else amount
        body = records.BackstopDepositBody(account, self.next_nonce(account), amount)
        return self.by(account, records.encode(body))

    def backstop_withdraw(self) -> bytes:
        account = self.some_account()
        held = self.read_account(account).shares
        shares = self.rng.choice((held, held + 1, held // 2, 1, self.rng.choice(AMOUNT_EDGES)))
        body = records.BackstopWithdrawBody(account, self.next_nonce(account), shares)
        return self.by(account, records.encode(body))

    def name_agent(self, account: int, agent: int, expiry: int) -> bytes:
        key = HANDS.get((account, agent))
        address = ADDRESSES[key] if key and self.rng.random() < 0.95 else bytes(20)
        session = self.next_session(account)
        if any(address):
            self.nonces[account, agent] = session << SESSION_BITS
        body = records.SetAgentBody(
            account, self.next_nonce(account), agent, address, expiry, session, *self.some_scope()
        )
        return self.by(account, records.encode(body))

    def some_scope(self) -> tuple[int, int, bytes, int]:
        """Sub-accounts, kinds, markets and limits of an agent, mostly all of them."""
        rng = self.rng
        subs = rng.choice((0, 0, 0, 1, 0b11, 0b110, 1 << keys.MAX_SUB))
        kinds = rng.choice(
            (0, 0, 0, 1 << records.ORDER, records.AGENT_KINDS, records.AGENT_KINDS & ~(1 << records.BULK))
        )
        markets = rng.choice((b"", b"", b"", b"\1", b"\2", b"\0\1\2", bytes(range(1, 9)), b"\xff" * 8))
        if rng.random() < 0.03:
            kinds = rng.choice((1, 1 << records.WITHDRAW, 2**16 - 1))
        limits = rng.choice((0, 0, 0, 0, 0, 1, 100, 1023, 3 << 10 | 512, CLOSES_ONLY, CLOSES_ONLY | 50, 2**16 - 1))
        return subs, kinds, markets.ljust(8, b"\0"), limits

    def set_agent(self) -> bytes:
        rng = self.rng
        agent = rng.choice((1, 1, 2, 2, keys.MAX_AGENT)) if rng.random() < 0.9 else rng.choice((0, 9, 255))
        expiry = self.time + rng.choice((0, 1, 100, 10**6)) if rng.random() < 0.95 else MAX_UINT64
        return self.name_agent(self.some_account(), agent, expiry)
