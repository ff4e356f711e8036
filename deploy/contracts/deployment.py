"""Putting the contracts on a chain, once: what was broken off goes on where it was."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from eth_utils.address import to_checksum_address

from setoff.contracts.compiler import compile_contract
from setoff.contracts.verification import check_deployment
from setoff.deploy.contracts.journal import Journal
from setoff.deploy.contracts.plan import CORE, Step, Wishes, contract_address, plan
from setoff.deploy.contracts.waves import WAIT_SECONDS, send_in_waves
from setoff.shared.codec.hashing import keccak
from setoff.shared.config.address_book import AddressBook
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.config.market_names import CURRENCY, MAX_DECIMALS, Collateral, MarketNames
from setoff.shared.errors import ChainError, ConfigError
from setoff.shared.l1.answers import take_quantity
from setoff.shared.l1.connection import L1
from setoff.shared.l1.contracts import TOKEN, Contract
from setoff.shared.l1.rpc import to_hex
from setoff.shared.params import Params, find_preset

LEAST_TOKENS: Final = 10
"""Whole tokens that a deposit brings at least, unless it is told otherwise."""
TEST_DECIMALS: Final = 6
"""Of the test token."""
PENDING_SECONDS: Final = 60.0
"""For which what a former run has sent is waited for; then it is sent again, for more."""
PENDING_PAUSE: Final = 0.2
PENDING_PATIENCE: Final = 2.0
"""For a node to say what waits: some never do."""

Tell = Callable[[str], object]


@dataclass(slots=True)
class Progress:
    """How far a deployment is: its steps, and which of them are on the chain already."""

    l1: L1
    wishes: Wishes
    journal: Journal
    steps: list[Step] = field(default_factory=list)
    there: set[str] = field(default_factory=set)
    """Names of the contracts that are there, as compiled and with the right arguments."""
    is_new: bool = True
    """Whether nothing of it was ever sent."""

    @property
    def missing(self) -> list[Step]:
        """What is still to be paid for."""
        return [step for step in self.steps if step.name not in self.there]

    def look(self, tell: Tell) -> None:
        """Read the chain, and number what is missing. Raises ConfigError if something else is at an address."""
        nonces, nonce = self.journal.nonces, self.l1.transaction_count(self.l1.address)
        if not nonces:
            nonces.update((name, nonce + place) for place, name in enumerate(self.wishes.names))
            self.journal.start = self.l1.head().number + 1
            self.journal.save()
            self._plan()
            return
        self.is_new = False
        self._plan()
        self.there = {step.name for step in self.steps if is_created(self.l1, step)}
        wanted = [nonces[step.name] for step in self.missing]
        if wanted != list(range(nonce, nonce + len(wanted))):
            self._number_anew(nonce, tell)

    def _number_anew(self, nonce: int, tell: Tell) -> None:
        """The account has sent something else meanwhile, or a creation has failed: what is missing comes later, and
        what names it with it. The rest stays."""
        nonces = self.journal.nonces
        while True:
            before = {step.name: step.code for step in self.steps}
            nonces.update((step.name, nonce + place) for place, step in enumerate(self.missing))
            self._plan()
            lost = [step.name for step in self.steps if step.name in self.there and step.code != before[step.name]]
            if not lost:
                break
            self.there.difference_update(lost)
            tell(f"{', '.join(lost)}: created again, since other contracts that they name come to another address")
        self.journal.save()

    def _plan(self) -> None:
        account = self.l1.address
        self.steps = plan(
            self.wishes, {name: contract_address(account, nonce) for name, nonce in self.journal.nonces.items()}
        )


def wish(
    l1: L1,
    params: Params,
    *,
    operator: bytes,
    lister: bytes,
    token: str | None = None,
    least_deposit: int | None = None,
    modules: Sequence[str] = (),
) -> Wishes:
    """What `deploy` is asked for, checked. Raises ConfigError."""
    params.check()
    if l1.code(operator):
        raise ConfigError("bad_config", "the operator's account has code: nobody could read what it posts")
    if least_deposit is None:
        least_deposit = LEAST_TOKENS * 10 ** find_decimals(l1, token)
    return Wishes(
        params, to_checksum_address(operator), to_checksum_address(lister), token, least_deposit, tuple(modules)
    )


def open_progress(l1: L1, wishes: Wishes, journal: Path | None = None, tell: Tell = lambda line: None) -> Progress:
    """What of it is there already. Raises ConfigError if the journal is of another deployment or chain."""
    progress = Progress(l1, wishes, Journal.open(journal, describe(l1, wishes)))
    progress.look(tell)
    return progress


def deploy(
    l1: L1,
    params: Params,
    *,
    operator: bytes,
    lister: bytes,
    token: str | None = None,
    least_deposit: int | None = None,
    modules: Sequence[str] = (),
    journal: Path | None = None,
    tell: Tell = lambda line: None,
    patience: float = WAIT_SECONDS,
) -> Deployment:
    """Create all contracts from the account of `l1`, wait until they are there, and check them; `tell` hears of each.

    `operator` posts batches and must be an account without code, `lister` lists markets and names oracle signers (20
    bytes each). Without the address of a `token`, an ERC-20, the test token is created too. `least_deposit` is in token
    units, by default `LEAST_TOKENS` whole tokens. `modules` are further data availability modules, contracts that are
    there, numbered after ours. With the file `journal` a deployment that was broken off goes on. `patience`: seconds
    for each to get into a block. Raises ConfigError on
    parameters that are not safe, ChainError if L1 refuses.
    """
    wishes = wish(
        l1, params, operator=operator, lister=lister, token=token, least_deposit=least_deposit, modules=modules
    )
    progress = open_progress(l1, wishes, journal, tell)
    create(progress, tell, patience)
    return finish(progress)


def create(progress: Progress, tell: Tell, patience: float = WAIT_SECONDS) -> None:
    """Create what is missing, in its order. Raises ChainError, ConfigError."""
    l1, journal, total = progress.l1, progress.journal, len(progress.steps)
    if progress.there:
        tell(f"{len(progress.there)} of {total} contracts are there already, and are not paid for again")
    if not progress.is_new and _wait_for_pending(l1, journal, tell):
        progress.look(tell)
    progress.is_new = False
    steps = progress.missing
    try:
        sent = send_in_waves(l1, [(None, step.code) for step in steps], patience)
        for step, receipt in zip(steps, sent, strict=True):
            if not receipt.succeeded or receipt.contract is None:
                raise ConfigError("wrong_deployment", f"{step.name} was not created")
            if to_checksum_address(receipt.contract) != step.address:
                raise ConfigError("wrong_deployment", f"{step.name} has another address: the account sent another one")
            if not progress.there:
                journal.start = receipt.block_number
                journal.save()
            progress.there.add(step.name)
            tell(f"{len(progress.there)} of {total}: {step.name} at {step.address}")
    except ChainError as error:
        before = len(progress.there)
        if error.reason == "pending":  # the journal knows of it: the same command again pays nothing twice
            raise ChainError("rpc_unreachable", error.detail) from error
        if error.reason == "rpc_unreachable":
            raise
        _wait_for_pending(l1, journal, tell)  # what a former run has sent may take the place of ours: it is the same
        progress.look(tell)
        if len(progress.there) <= before:
            raise
        create(progress, tell, patience)


def finish(progress: Progress) -> Deployment:
    """The deployment file of contracts that are all there, after a check. Raises ConfigError, ChainError."""
    l1, wishes, journal = progress.l1, progress.wishes, progress.journal
    params, addresses = wishes.params, {step.name: step.address for step in progress.steps}
    first = l1.block(journal.start)
    token = wishes.token or addresses["token"]
    others = {name: address for name, address in addresses.items() if name not in (*CORE, "token")}
    deployment = Deployment(
        chain_id=l1.chain_id,
        token=token,
        **{name: addresses[name] for name in CORE},
        block=first.number,
        block_hash="0x" + first.hash.hex(),
        epoch_batches=params.epoch_batches,
        least_deposit=wishes.least_deposit,
        backstop_delay=params.backstop_delay,
        names=MarketNames(find_collateral(l1, token)),
        book=AddressBook(
            wishes.operator,
            wishes.lister,
            to_checksum_address(l1.address),
            find_preset(params.terms()),
            compiler_version(),
            params.to_dict(),
            others,
            wishes.modules,
        ),
    )
    check_deployment(l1, deployment, params)
    return deployment


def describe(l1: L1, wishes: Wishes) -> dict[str, Any]:
    """What a journal is held against: another chain, account, wish or code is another deployment."""
    code = keccak(b"".join(bytes.fromhex(compile_contract(name).bytecode) for name in wishes.names))
    return {
        "chain": l1.chain_id,
        "first block": l1.block(0).hash.hex(),
        "account": to_checksum_address(l1.address),
        "operator": wishes.operator,
        "lister": wishes.lister,
        "token": wishes.token or "of its own",
        "least deposit": wishes.least_deposit,
        "modules": list(wishes.modules),
        **{name.replace("_", " "): value for name, value in wishes.params.to_dict().items()},
        "contracts' code": code.hex()[:16],
    }


def compiler_version() -> str:
    """Of what made the contracts' code."""
    from vyper import __long_version__

    return f"vyper {__long_version__}"


def is_created(l1: L1, step: Step) -> bool:
    """Whether the contract is there, as compiled and with these arguments.

    Raises ConfigError if something else is there.
    """
    code = l1.code(step.address)
    if not code:
        return False
    compiled = step.compiled
    if len(code) != compiled.size or not code.startswith(bytes.fromhex(compiled.runtime)):
        raise ConfigError("wrong_deployment", f"the code at {step.address} is not the {step.name}'s")
    if compiled.immutables and code != make_runtime(l1, step):
        raise ConfigError("wrong_deployment", f"the {step.name} at {step.address} was created with other arguments")
    return True


def make_runtime(l1: L1, step: Step) -> bytes:
    """The code that the creation leaves, arguments included, as L1 itself makes it; nothing is sent."""
    return l1.call(None, step.code)


def find_decimals(l1: L1, token: str | None) -> int:
    """Decimals of a token, by default of the test token. Raises ConfigError if it does not tell."""
    if token is None:
        return TEST_DECIMALS
    try:
        return int(Contract(l1, TOKEN, token).view("decimals"))
    except ChainError:
        raise ConfigError(
            "bad_config", "the token does not say how many decimals it has: name a least deposit"
        ) from None


def find_collateral(l1: L1, token: str) -> Collateral:
    """What a token calls itself, as far as it does."""
    contract, found = Contract(l1, TOKEN, token), Collateral()
    with contextlib.suppress(ChainError):
        found = replace(found, decimals=min(int(contract.view("decimals")), MAX_DECIMALS))
    with contextlib.suppress(ChainError):
        symbol = str(contract.view("symbol"))
        found = replace(found, symbol=symbol if CURRENCY.fullmatch(symbol) else found.symbol)
    return found


def _wait_for_pending(l1: L1, journal: Journal, tell: Tell) -> bool:
    """Whether a former run's transactions were under way. They are paid for already, if a block takes them: nothing is
    sent in their place so long."""
    first, last = min(journal.nonces.values()), max(journal.nonces.values())
    count, until = l1.transaction_count(l1.address), time.monotonic() + PENDING_SECONDS
    try:
        question = ("eth_getTransactionCount", to_hex(l1.address), "pending")
        pending = l1.ask(*question, take=take_quantity, patience=PENDING_PATIENCE)
    except ChainError:  # a node that shows no pending block
        return False
    if not first <= count < pending <= last + 1:
        return False
    tell(f"{pending - count} transactions of a former run are under way: they are waited for")
    while (mined := l1.transaction_count(l1.address)) < pending and time.monotonic() < until:
        if mined > count:
            count, until = mined, time.monotonic() + PENDING_SECONDS
        time.sleep(PENDING_PAUSE)
    return True
