"""Which contracts there are, what creates each, and where it will be. They name each other, so every address is
computed before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from eth_abi.abi import encode
from eth_utils.abi import collapse_if_tuple
from eth_utils.address import to_checksum_address

from setoff.contracts.compiler import Compiled, compile_contract
from setoff.contracts.verification import RULES
from setoff.shared.codec.hashing import keccak
from setoff.shared.l1.da.registry import own_contracts
from setoff.shared.params import Params

CORE: Final = ("queue", "vault", "inbox", "judge", "court", "receipts")


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a deployment is to be: addresses as 0x-strings, the least deposit in token units."""

    params: Params
    operator: str
    """Who posts batches, an account without code."""
    lister: str
    """Who lists markets and names oracle signers."""
    token: str | None
    """The collateral, an ERC-20; None: the test token is created, too."""
    least_deposit: int
    modules: tuple[str, ...] = ()
    """Further data availability modules, contracts that are there, numbered after ours."""

    @property
    def names(self) -> list[str]:
        """The contracts to create, in their order: some constructors look at contracts before them."""
        return [*(() if self.token else ("token",)), *RULES.values(), *own_contracts().values(), *CORE]


@dataclass(frozen=True, slots=True)
class Step:
    """One contract to create: its name, its address and the code that creates it, arguments included."""

    name: str
    address: str
    code: bytes

    @property
    def compiled(self) -> Compiled:
        """What the compiler made of it."""
        return compile_contract(self.name)


def plan(wishes: Wishes, at: Mapping[str, str]) -> list[Step]:
    """The contracts in the order in which they are created, each at the address that `at` has for its name."""
    params = wishes.params
    token = wishes.token or at["token"]
    periods = (params.max_skew, params.force_delay, params.silence, params.epoch_batches, params.claim_interval)
    modules = [*(at[name] for name in own_contracts().values()), *wishes.modules]
    arguments: dict[str, list[Any]] = {
        "queue": [
            at["vault"],
            at["inbox"],
            wishes.lister,
            params.listing_delay,
            params.wind_down,
            params.least_quorum,
        ],
        "vault": [token, at["queue"], at["court"], wishes.least_deposit],
        "inbox": [at["queue"], wishes.operator, *periods, modules],
        "judge": [at["inbox"], at["queue"], *(at[name] for name in RULES.values())],
        "court": [at["vault"], at["inbox"], at["judge"], params.terms(), params.backstop_delay],
        "receipts": [at["vault"], at["inbox"], params.receipt_bond, params.exit_delay],
    }
    return [Step(name, at[name], creation_code(name, arguments.get(name, []))) for name in wishes.names]


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
