"""Putting the contracts on a chain. They name each other, so every address is computed before anything is sent."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from eth_abi.abi import encode
from eth_utils.abi import collapse_if_tuple
from eth_utils.address import to_checksum_address

from setoff.contracts.compiler import compile_contract
from setoff.contracts.verification import RULES, check_deployment
from setoff.deploy.contracts.waves import send_in_waves
from setoff.shared.codec.hashing import keccak
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.config.market_names import CURRENCY, MAX_DECIMALS, Collateral, MarketNames
from setoff.shared.errors import ChainError, ConfigError
from setoff.shared.l1.answers import TransactionReceipt
from setoff.shared.l1.connection import L1
from setoff.shared.l1.contracts import TOKEN, Contract
from setoff.shared.l1.da.registry import own_contracts
from setoff.shared.params import Params

CORE: Final = ("queue", "vault", "inbox", "judge", "court", "receipts")
LEAST_TOKENS: Final = 10
"""Whole tokens that a deposit brings at least, unless it is told otherwise."""
TEST_DECIMALS: Final = 6
"""Of the test token."""


@dataclass(frozen=True, slots=True)
class Step:
    """One contract to create: its name, its address and the code that creates it, arguments included."""

    name: str
    address: str
    code: bytes


def deploy(
    l1: L1,
    params: Params,
    *,
    operator: bytes,
    lister: bytes,
    token: str | None = None,
    least_deposit: int | None = None,
    modules: Sequence[str] = (),
    tell: Callable[[str], object] = lambda line: None,
) -> Deployment:
    """Create all contracts from the account of `l1`, wait until they are there, and check them; `tell` hears of each.

    `operator` posts batches and must be an account without code, `lister` lists markets and names oracle signers (20
    bytes each). Without the address of a `token`, an ERC-20, the test token is created too. `least_deposit` is in token
    units, by default `LEAST_TOKENS` whole tokens. `modules` are further data availability modules, contracts that are
    there, numbered after ours. Raises ConfigError on parameters that are not safe, ChainError if L1 refuses.
    """
    params.check()
    if l1.code(operator):
        raise ConfigError("bad_config", "the operator's account has code: nobody could read what it posts")
    if least_deposit is None:
        least_deposit = LEAST_TOKENS * 10 ** find_decimals(l1, token)
    nonce = l1.transaction_count(l1.address)
    steps = plan(
        params,
        l1.address,
        nonce,
        operator=operator,
        lister=lister,
        token=token,
        least_deposit=least_deposit,
        modules=modules,
    )
    receipts = _create(l1, steps, tell)
    first = min(receipts, key=lambda receipt: receipt.block_number)
    addresses = {step.name: step.address for step in steps}
    deployment = Deployment(
        chain_id=l1.chain_id,
        token=token or addresses["token"],
        **{name: addresses[name] for name in CORE},
        block=first.block_number,
        block_hash="0x" + first.block_hash.hex(),
        epoch_batches=params.epoch_batches,
        least_deposit=least_deposit,
        backstop_delay=params.backstop_delay,
        names=MarketNames(find_collateral(l1, token or addresses["token"])),
    )
    check_deployment(l1, deployment, params)
    return deployment


def _create(l1: L1, steps: Sequence[Step], tell: Callable[[str], object]) -> list[TransactionReceipt]:
    """Create the contracts in their order."""
    receipts: list[TransactionReceipt] = []
    sent = send_in_waves(l1, [(None, step.code) for step in steps])  # some constructors look at contracts before them
    for step, receipt in zip(steps, sent, strict=True):
        if not receipt.succeeded or receipt.contract is None:
            raise ConfigError("wrong_deployment", f"{step.name} was not created")
        if to_checksum_address(receipt.contract) != step.address:
            raise ConfigError("wrong_deployment", f"{step.name} has another address: the account sent another one")
        receipts.append(receipt)
        tell(f"{len(receipts)} of {len(steps)}: {step.name} at {step.address}")
    return receipts


def plan(
    params: Params,
    deployer: bytes,
    nonce: int,
    *,
    operator: bytes,
    lister: bytes,
    token: str | None = None,
    least_deposit: int,
    modules: Sequence[str] = (),
) -> list[Step]:
    """The contracts in the order in which `deployer` creates them, from its transaction number `nonce` on."""
    names = [*(() if token else ("token",)), *RULES.values(), *own_contracts().values(), *CORE]
    at = {name: contract_address(deployer, nonce + place) for place, name in enumerate(names)}
    periods = (params.max_skew, params.force_delay, params.silence, params.epoch_batches, params.claim_interval)
    arguments: dict[str, list[Any]] = {
        "queue": [
            at["vault"],
            at["inbox"],
            to_checksum_address(lister),
            params.listing_delay,
            params.wind_down,
            params.least_quorum,
        ],
        "vault": [token or at["token"], at["queue"], at["court"], least_deposit],
        "inbox": [
            at["queue"],
            to_checksum_address(operator),
            *periods,
            [*(at[name] for name in own_contracts().values()), *modules],
        ],
        "judge": [at["inbox"], at["queue"], *(at[name] for name in RULES.values())],
        "court": [at["vault"], at["inbox"], at["judge"], params.terms(), params.backstop_delay],
        "receipts": [at["vault"], at["inbox"], params.receipt_bond, params.exit_delay],
    }
    return [Step(name, at[name], creation_code(name, arguments.get(name, []))) for name in names]


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


def creation_code(name: str, arguments: list[Any]) -> bytes:
    """Bytecode that creates a contract, with its constructor's arguments."""
    compiled = compile_contract(name)
    inputs: list[dict[str, Any]] = next(
        (entry["inputs"] for entry in compiled.abi if entry["type"] == "constructor"), []
    )
    return bytes.fromhex(compiled.bytecode) + encode([collapse_if_tuple(spec) for spec in inputs], arguments)


def contract_address(deployer: bytes, nonce: int) -> str:
    """Address of the contract that an account creates in its transaction number `nonce`: the hash of both in RLP."""
    number = nonce.to_bytes((nonce.bit_length() + 7) // 8, "big")
    if len(number) != 1 or nonce >= 0x80:
        number = bytes([0x80 + len(number)]) + number
    body = bytes([0x80 + len(deployer)]) + deployer + number
    return to_checksum_address(keccak(bytes([0xC0 + len(body)]) + body)[12:])
