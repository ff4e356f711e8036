"""Who sends inputs: accounts and agents with their keys and nonces, oracle signers; and the edges of fields."""

from __future__ import annotations

from random import Random

from setoff.shared.codec import eip712, signatures
from setoff.shared.codec.hashing import keccak
from setoff.shared.machine.machine import Machine
from setoff.shared.rules import phases
from setoff.shared.rules.agents import SESSION_BITS
from setoff.shared.rules.nonces import MAX_NONCE_JUMP
from setoff.shared.state import keys
from setoff.shared.state.leaves import Account, Market
from setoff.shared.state.store import State

ACCOUNTS = 8
SUBS = 2
SIGNERS = 5
ORDER_SLOTS = 6
LONER = ACCOUNTS + 1
"""The account that spends its nonces."""

TRADERS = {account: keccak(b"trader %d" % account) for account in range(1, LONER + 1)}
HANDS = {(account, agent): keccak(b"agent %d of %d" % (agent, account)) for account in TRADERS for agent in (1, 2)}
ORACLES = {index: keccak(b"oracle %d" % index) for index in range(SIGNERS)}
ADDRESSES = {key: signatures.address_of(key) for key in (*TRADERS.values(), *HANDS.values(), *ORACLES.values())}

PRICE_EDGES = (0, 1, keys.MAX_TICK, keys.MAX_TICK + 1, 2**32 - 1)
MAX_UINT64 = 2**64 - 1
SIZE_EDGES = (0, 1, phases.MAX_ORDER_SIZE, phases.MAX_ORDER_SIZE + 1, MAX_UINT64)
AMOUNT_EDGES = (0, 1, phases.MAX_AMOUNT - 1, phases.MAX_AMOUNT, 2**128 - 1)
ORDER_SLOT_EDGES = (0, keys.MAX_ORDER_SLOT, keys.MAX_ORDER_SLOT + 1, 2**16 - 1)
ACCOUNT_EDGES = (
    0,
    LONER + 1,
    keys.MAX_ACCOUNT,
    keys.sub_account(0, 1),
    keys.sub_account(1, keys.MAX_SUB),
    keys.sub_account(1, keys.MAX_SUB + 1),
    keys.sub_account(LONER + 1, 1),
    2**32 - 1,
)
FLAG_EDGES = (24, 96, 127, 128, 255, 32, 64)


class Players:
    """Keys, nonces and draws that every kind of input needs."""

    def __init__(self, seed: int, machine: Machine, *, is_large: bool = False) -> None:
        self.rng = Random(seed)
        self.machine = machine
        self.state = State(machine.state.tree)
        """As it was when the batch was begun."""
        self.is_large = is_large  # sizes, prices and money near their bounds
        self.is_poor = not is_large  # a backstop that can take over little
        self.time = 1_700_000_000
        self.nonces: dict[tuple[int, int], int] = {}
        self.sessions: dict[int, int] = {}
        self.sent: list[bytes] = []
        self.drift: dict[int, int] = {}

    def sign(self, key: bytes, body: bytes) -> bytes:
        return body + signatures.sign(eip712.digest(self.machine.regs.domain, body), key)

    def by(self, account: int, body: bytes, agent: int = 0) -> bytes:
        master = keys.get_master(account)
        key = HANDS.get((master, agent)) if agent and self.rng.random() < 0.95 else TRADERS.get(master)
        return self.sign(key or ORACLES[0], body)

    def next_nonce(self, account: int, agent: int = 0) -> int:
        rng = self.rng
        account = keys.get_master(account)
        top = (self.state.agent(account, agent) if agent else self.state.account(account)).nonce_top
        last = self.nonces.get((account, agent), 0)
        if not top <= last < top + MAX_NONCE_JUMP // 2:
            last = top  # one that was far was taken after all, or was not
        nonce = last + 1
        if account == LONER and not agent:
            nonce += rng.choice((0, 1, 254, 255, 256))
        elif rng.random() < 0.05:
            nonce += rng.choice((1, 30, 255))
        elif rng.random() < 0.06:
            return max(0, nonce - rng.choice((1, 2, 5, 255, 256, 257)))  # used, unused below the top, or too old
        if rng.random() < 0.003:
            far = (MAX_NONCE_JUMP - 1, MAX_NONCE_JUMP, 1 << SESSION_BITS, MAX_UINT64)
            return min(last + rng.choice(far), MAX_UINT64)
        self.nonces[account, agent] = min(nonce, MAX_UINT64)
        return self.nonces[account, agent]

    def next_session(self, account: int) -> int:
        """Mostly the one behind the account's last."""
        rng = self.rng
        last = max(self.sessions.get(account, 0), self.read_account(account).session)
        if rng.random() < 0.15:
            far = rng.choice((-1, 0, 0, 2, MAX_NONCE_JUMP, MAX_NONCE_JUMP + 1, 2**32))
            return min(max(0, last + far), 2**32 - 1)
        self.sessions[account] = min(last + 1, 2**32 - 1)
        return self.sessions[account]

    def some_account(self) -> int:
        rng = self.rng
        if rng.random() < 0.03:
            return rng.choice(ACCOUNT_EDGES)
        if rng.random() < 0.06:
            return LONER
        return keys.sub_account(rng.randint(1, ACCOUNTS), rng.choice((0, 0, 0, 0, 1, SUBS)))

    def some_agent(self) -> int:
        """Number of the agent who signs, mostly the owner himself."""
        rng = self.rng
        return rng.choice((1, 1, 1, 2, keys.MAX_AGENT, keys.MAX_AGENT + 1, 255)) if rng.random() < 0.15 else 0

    def some_market(self) -> int:
        markets = self.machine.regs.markets
        if self.rng.random() < 0.03:
            return self.rng.choice((0, markets + 1, 2**16 - 1))
        return self.rng.randint(1, max(1, min(markets, 12))) if self.rng.random() < 0.2 else self.rng.choice((1, 1, 2))

    def read_account(self, account: int) -> Account:
        return self.state.account(account)

    def read_market(self, market: int) -> Market:
        return self.state.market(market)

    def first_price(self, market: int) -> int:
        return keys.MAX_TICK - 5 * market if self.is_large else (100, 1000, 255)[market % 3]
