"""Whether what is on a chain is what was compiled here: for anybody, with a node and the deployment file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from eth_utils.address import to_checksum_address

from setoff.contracts.compiler import compile_contract
from setoff.contracts.verification import RULES, check_deployment
from setoff.deploy.contracts.deployment import make_runtime
from setoff.deploy.contracts.plan import CORE, Step, Wishes, plan
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.errors import ConfigError
from setoff.shared.l1.connection import L1
from setoff.shared.l1.contracts import INTERFACE, Contract
from setoff.shared.l1.da.registry import own_contracts
from setoff.shared.l1.endpoint import Refused
from setoff.shared.params import PRESETS, Params


@dataclass(frozen=True, slots=True)
class Verified:
    """A contract whose every byte is as compiled."""

    name: str
    address: str
    size: int
    """Bytes."""
    arguments: str
    """How what its constructor was given was checked; empty: it takes nothing."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What the contracts were made for, and who says so."""

    wishes: Wishes
    are_told: bool
    """Whether the file tells them; otherwise they were read from L1."""


def verify_contracts(l1: L1, deployment: Deployment) -> tuple[Terms, list[Verified]]:
    """Hold every contract against the compiler's code, and what its constructor was given against the file.

    Raises ConfigError("wrong_deployment") with the first difference, ChainError.
    """
    params = deployment.book.params
    check_deployment(l1, deployment, params)
    terms = _find_terms(l1, deployment, params)
    return terms, list(_verify(l1, deployment, terms.wishes))


def _find_terms(l1: L1, deployment: Deployment, params: Params | None) -> Terms:
    book, views = deployment.book, {name: Contract(l1, INTERFACE[name], getattr(deployment, name)) for name in CORE}
    operator = "0x" + views["inbox"].view("OPERATOR").hex()
    lister = "0x" + views["queue"].view("LISTER").hex()
    for who, told, found in (("operator", book.operator, operator), ("lister", book.lister, lister)):
        if told and told.lower() != found:
            raise ConfigError("wrong_deployment", f"the {who} is {found}, not {told}")
    count = views["inbox"].view("module_count")
    own = len(own_contracts())
    modules = tuple("0x" + views["inbox"].view("module_at", number).hex() for number in range(own + 1, count + 1))
    found = params
    if found is None:
        terms = tuple(views["court"].view("get_terms"))
        found = next((known for known in PRESETS.values() if known.terms() == terms), None)
        if found is None:
            raise ConfigError("wrong_deployment", "the file tells no parameters, and L1 has those of no preset")
        check_deployment(l1, deployment, found)
    return Terms(
        Wishes(found, operator, lister, deployment.token, deployment.least_deposit, modules), params is not None
    )


def _verify(l1: L1, deployment: Deployment, wishes: Wishes) -> Iterator[Verified]:
    judge = Contract(l1, INTERFACE["judge"], deployment.judge)
    inbox = Contract(l1, INTERFACE["inbox"], deployment.inbox)
    at: dict[str, str] = {name: getattr(deployment, name) for name in CORE}
    at |= {name: "0x" + judge.view(getter).hex() for getter, name in RULES.items()}
    at |= {name: "0x" + inbox.view("module_at", number).hex() for number, name in own_contracts().items()}
    for name, address in deployment.book.contracts.items():
        if name in at and at[name].lower() != address.lower():
            raise ConfigError("wrong_deployment", f"the contracts use a {name} at {at[name]}, not at {address}")
    for step in plan(wishes, {name: to_checksum_address(address) for name, address in at.items()}):
        yield _verify_step(l1, step)
    token = compile_contract("token")
    if l1.code(deployment.token) == bytes.fromhex(token.runtime):
        yield Verified("token", deployment.token, token.size, "")


def _verify_step(l1: L1, step: Step) -> Verified:
    code, compiled = l1.code(step.address), step.compiled
    if not code.startswith(bytes.fromhex(compiled.runtime)) or len(code) != compiled.size:
        raise ConfigError("wrong_deployment", f"the code at {step.address} is not the {step.name}'s")
    if not compiled.immutables:
        return Verified(step.name, step.address, len(code), "")
    try:
        expected = make_runtime(l1, step)
    except Refused:  # a node that runs no creation in a call: the getters, which are in the code, were asked
        return Verified(step.name, step.address, len(code), "by its own words")
    if code != expected:
        raise ConfigError("wrong_deployment", f"the {step.name} at {step.address} was created with other arguments")
    return Verified(step.name, step.address, len(code), f"{compiled.immutables} bytes")
