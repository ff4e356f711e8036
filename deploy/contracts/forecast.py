"""What a deployment would take, and why it would not work: known before anything is paid."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import pairwise
from statistics import median
from typing import Any, Final

from setoff.contracts.compiler import RUNTIME_LIMIT
from setoff.deploy.contracts.deployment import Progress
from setoff.deploy.contracts.plan import Step
from setoff.shared.codec.hashing import keccak
from setoff.shared.errors import ChainError
from setoff.shared.l1.answers import Block, take_quantity
from setoff.shared.l1.connection import L1
from setoff.shared.l1.endpoint import Refused
from setoff.shared.l1.rpc import GAS_CAP
from setoff.shared.l1.sender import add_margin, show_ether
from setoff.shared.params import GWEI, MAINNET

INITCODE_LIMIT: Final = 49_152
"""EIP-3860: bytes of a transaction that creates a contract."""
LOOKING: Final = ("vault", "receipts")
"""Contracts whose constructors look at others, so that no node can estimate them before those are there."""
CONSTRUCTOR_GAS: Final = 30_000
"""What a constructor of these runs takes, beside what the code's bytes cost; measured (`test_forecast.py`)."""
MILLION_TOKENS: Final = 10**6
LARGEST_DEPOSIT: Final = 2**96
"""Token units: `DEPOSIT_CAP` of the vault."""
ETHEREUM: Final = 1
"""Chain id, where money is real."""
DEVELOPMENT: Final = frozenset({1337, 31337})
"""Chain ids of nodes that make blocks on demand: the time between two says nothing there."""
LOOK_BACK: Final = 17
"""Blocks whose times are looked at."""

CANCUN: Final = bytes.fromhex("5f5c50" + "5f5f5f5e" + "5f5ff3")
"""Code that uses what Cancun brought (PUSH0, TLOAD, MCOPY), and creates nothing."""

FEES_ON_TRANSFER: Final = (
    "basisPointsRate()", "feeRate()", "transferFee()", "transferFeeRate()", "_taxFee()", "taxFee()", "totalFee()",
    "buyTax()", "sellTax()", "_liquidityFee()",
)  # fmt: skip
"""Functions by which tokens tell what they keep of a transfer."""
REBASING: Final = ("sharesOf(address)", "scaledBalanceOf(address)", "gonsForFragments(uint256)")
"""Functions of tokens whose balances change by themselves."""


@dataclass(frozen=True, slots=True)
class Creation:
    """One transaction of it."""

    name: str
    address: str
    is_there: bool
    gas: int
    """That it would use; 0 where the contract is there."""
    asked: int
    """Gas that it would ask for: no more than a block has room for."""
    code: int
    """Bytes at the address, at most EIP-170's."""
    initcode: int
    """Bytes of the transaction, at most EIP-3860's."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """All of it; money in wei."""

    chain: int
    account: str
    creations: tuple[Creation, ...]
    block_gas: int
    price: int
    """Wei a unit of gas, now."""
    highest: int
    """The most that is bid for one at first."""
    balance: int
    problems: tuple[str, ...]
    """Why nothing is sent."""
    warnings: tuple[str, ...]

    @property
    def gas(self) -> int:
        """Of all that is missing."""
        return sum(creation.gas for creation in self.creations)

    @property
    def cost(self) -> int:
        """At today's price."""
        return self.gas * self.price

    @property
    def at_most(self) -> int:
        """What the account has to hold for all to be sent at once, whatever they then take."""
        return sum(creation.asked for creation in self.creations) * self.highest

    def to_json(self) -> dict[str, Any]:
        """As the command prints it."""
        return {**asdict(self), "gas": self.gas, "cost": self.cost, "at_most": self.at_most}


def forecast(progress: Progress) -> Forecast:
    """What is still to be sent, and what speaks against it. Raises ChainError."""
    l1 = progress.l1
    head = l1.head()
    creations = tuple(_weigh(progress, head.gas_limit))
    price, highest = _find_prices(l1, head)
    found = Forecast(
        l1.chain_id, "0x" + l1.address.hex(), creations, head.gas_limit, price, highest, l1.balance(l1.address), (), ()
    )
    problems = [*_find_problems(progress, found)]
    warnings = [*_find_warnings(progress, found)]
    return Forecast(
        found.chain, found.account, creations, found.block_gas, price, highest, found.balance,
        tuple(problems), tuple(warnings),
    )  # fmt: skip


def bare_gas(step: Step) -> int:
    """Gas of a creation without what its constructor does: the transaction, its calldata (EIP-2028, EIP-7623) and
    initcode (EIP-3860), and the code that is kept."""
    zeros = step.code.count(0)
    tokens = zeros + 4 * (len(step.code) - zeros)
    words = -(-len(step.code) // 32)
    memory = 3 * words + words * words // 512
    return 53_000 + max(4 * tokens + 2 * words + 200 * step.compiled.size + memory, 10 * tokens)


def _weigh(progress: Progress, block_gas: int) -> Iterator[Creation]:
    """Every step: what is missing as the node estimates it; the rest is reckoned, and as much dearer as the node finds
    the others, for on some chains gas has other prices."""
    l1 = progress.l1
    estimates: dict[str, int] = {}
    for step in progress.missing:
        if step.name not in LOOKING:
            try:
                estimates[step.name] = l1.estimate_gas(l1.address, None, step.code)
            except Refused:  # it has no room for it, or no money: what it would use is reckoned
                continue
    bare = sum(bare_gas(step) for step in progress.steps if step.name in estimates)
    dearer = max(1.0, sum(estimates.values()) / bare) if bare else 1.0
    for step in progress.steps:
        is_there = step.name in progress.there
        gas = 0 if is_there else estimates.get(step.name) or int((bare_gas(step) + CONSTRUCTOR_GAS) * dearer)
        asked = 0 if is_there else max(gas, min(add_margin(gas), block_gas or GAS_CAP))
        yield Creation(step.name, step.address, is_there, gas, asked, step.compiled.size, len(step.code))


def _find_prices(l1: L1, head: Block) -> tuple[int, int]:
    """Wei a unit of gas: of now, and the most that is bid at first; with the tip that the sender gives."""
    try:
        tip = max(l1.ask("eth_maxPriorityFeePerGas", take=take_quantity, patience=1.0), GWEI)
    except ChainError:
        tip = GWEI
    return head.base_fee + tip, 2 * head.base_fee + tip


def _find_problems(progress: Progress, found: Forecast) -> Iterator[str]:
    l1, wishes = progress.l1, progress.wishes
    for creation in found.creations:
        if creation.code > RUNTIME_LIMIT or creation.initcode > INITCODE_LIMIT:
            sizes = f"{creation.code} bytes of code, {creation.initcode} to create it"
            yield f"{creation.name} has {sizes}: more than EIP-170 or EIP-3860 let it have"
    least = max((creation.gas for creation in found.creations), default=0)
    if found.block_gas and least > found.block_gas:
        largest = max(found.creations, key=lambda creation: creation.gas)
        yield (
            f"a block of this chain has room for {found.block_gas:,} gas, and the {largest.name} alone takes "
            f"{largest.gas:,}: take a chain with larger blocks"
        )
    if least > GAS_CAP:
        yield f"one transaction would take {least:,} gas, and may use {GAS_CAP:,} (EIP-7825)"
    try:
        l1.call(None, CANCUN)
    except Refused as error:
        yield f"the chain does not run code for Cancun, which the contracts are ({error.message})"
    if found.balance < found.cost:
        yield (
            f"{found.account} has {show_ether(found.balance)} ETH, and what is missing takes {show_ether(found.cost)} "
            f"ETH at {found.price / GWEI:.3f} gwei a gas: send {show_ether(found.cost - found.balance)} ETH more there"
        )
    if found.chain == ETHEREUM and wishes.params != MAINNET:
        yield "this is Ethereum itself, where money is real: only --preset mainnet is for it"
    blocks = find_block_time(l1)
    if blocks > wishes.params.inclusion and found.chain not in DEVELOPMENT:
        yield (
            f"a block comes every {blocks:.0f} s here, and the parameters give a transaction {wishes.params.inclusion} "
            "s to get into one (inclusion): take a preset with longer periods"
        )
    if wishes.token is not None:
        yield from _find_token_problems(l1, wishes.token)


def _find_token_problems(l1: L1, token: str) -> Iterator[str]:
    code = l1.code(token)
    if not code:
        yield f"there is no contract at the token's address {token} on this chain"
        return
    decimals = _view(l1, token, "decimals()")
    if decimals is not None and MILLION_TOKENS * 10**decimals >= LARGEST_DEPOSIT:
        yield f"the token has {decimals} decimals: the vault takes fewer than {LARGEST_DEPOSIT:,} units at once"
    if _view(l1, token, "totalSupply()") is None:
        yield f"what is at {token} does not tell a total supply: it is no ERC-20"
    for function in FEES_ON_TRANSFER:
        fee = _view(l1, token, function)
        if fee:
            yield f"the token keeps a part of each transfer ({function} is {fee}): the vault would refuse every deposit"


def _find_warnings(progress: Progress, found: Forecast) -> Iterator[str]:
    l1, wishes = progress.l1, progress.wishes
    params = wishes.params
    if found.cost <= found.balance < found.at_most:
        yield (
            f"{found.account} has {show_ether(found.balance)} ETH: enough at today's price, but the node wants up to "
            f"{show_ether(found.at_most)} ETH there for all at once: if it refuses, the same command goes on"
        )
    needed = params.stake + params.bond + params.receipt_bond
    if (has := l1.balance(wishes.operator)) < needed:
        yield (
            f"the operator {wishes.operator} has {show_ether(has)} ETH: beside gas it needs {show_ether(needed)} ETH "
            "for its stake, a bond and the bond of its receipts before it can run"
        )
    if wishes.token is not None:
        yield from _find_token_doubts(l1, wishes.token)


def _find_token_doubts(l1: L1, token: str) -> Iterator[str]:
    code = l1.code(token)
    for function in FEES_ON_TRANSFER:
        if _view(l1, token, function) == 0:
            yield f"the token can keep a part of each transfer ({function} is 0 now): then no deposit would be taken"
    if any(b"\x63" + keccak(function.encode())[:4] in code for function in REBASING):
        yield "the token's balances may change by themselves: what the vault owes would not be what it holds"
    if (decimals := _view(l1, token, "decimals()")) is not None and decimals < 2:
        yield f"the token has {decimals} decimals: prices in it are coarse"


def find_block_time(l1: L1) -> float:
    """Seconds from one block to the next, the middle of the last ones; 0 while there are too few."""
    head = l1.head()
    first = max(1, head.number - LOOK_BACK + 1)
    times = [l1.block(number).timestamp for number in range(first, head.number)] + [head.timestamp]
    if len(times) < LOOK_BACK // 2:
        return 0.0
    return float(median(later - earlier for earlier, later in pairwise(times)))


def _view(l1: L1, contract: str, function: str) -> int | None:
    """A number that a function without arguments returns; None if there is none."""
    try:
        answer = l1.call(contract, keccak(function.encode())[:4])
    except Refused:
        return None
    return int.from_bytes(answer, "big") if len(answer) == 32 else None
