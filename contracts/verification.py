"""Whether the contracts on L1 are the ones this code was written for, wired to each other and on these terms.

Services ask at their start: a wrong address, another version or other parameters are found before anything is signed.
"""

from typing import Any, Final

from eth_abi.abi import decode

from setoff.contracts.compiler import compile_contract
from setoff.shared.codec.hashing import keccak
from setoff.shared.config.settings import Deployment
from setoff.shared.errors import ConfigError
from setoff.shared.l1.rpc import L1
from setoff.shared.machine.data import BLOBS, known_modules
from setoff.shared.machine.machine import Machine
from setoff.shared.params import Params

#: The judge's getters of its rule contracts, in the order of its constructor, and what is deployed for each.
RULES: Final[dict[str, str]] = {
    "FETCH": "rule_groups/fetch",
    "MESSAGES": "rule_groups/messages",
    "ORDERS": "rule_groups/orders",
    "MARGIN": "rule_groups/margin",
    "MATCHING": "rule_groups/matching",
    "BOOK": "rule_groups/book",
    "PAYMENTS": "rule_groups/payments",
    "ORACLE": "rule_groups/oracle",
    "LIQUIDATION": "rule_groups/liquidation",
    "BACKSTOP": "rule_groups/backstop",
    "WORK": "rule_groups/work",
}

#: What is deployed for each data availability module of the inbox.
MODULES: Final[dict[int, str]] = {BLOBS: "da/blobs"}


def check_deployment(l1: L1, deployment: Deployment, params: Params | None = None) -> None:
    """Check the code of every contract, that each names the others, the genesis, and (if given) the parameters.

    The token may be any contract. Raises ConfigError("wrong_deployment") with the first difference, ChainError if L1
    does not answer.
    """
    if l1.chain_id != deployment.chain_id:
        raise _wrong(f"L1 is chain {l1.chain_id}, the deployment on {deployment.chain_id}")
    if not l1.code(deployment.token):
        raise _wrong(f"there is no token at {deployment.token}")
    for name in ("queue", "vault", "inbox", "judge", "court", "receipts"):
        _check_code(l1, name, getattr(deployment, name))
    for getter, name in RULES.items():
        (address,) = _read(l1, deployment.judge, f"{getter}()", "address")
        _check_code(l1, name, address)
    _check_modules(l1, deployment)
    for contract, getter, target in (
        ("queue", "VAULT", "vault"),
        ("queue", "INBOX", "inbox"),
        ("vault", "TOKEN", "token"),
        ("vault", "QUEUE", "queue"),
        ("vault", "COURT", "court"),
        ("inbox", "QUEUE", "queue"),
        ("judge", "INBOX", "inbox"),
        ("judge", "QUEUE", "queue"),
        ("court", "INBOX", "inbox"),
        ("court", "JUDGE", "judge"),
        ("receipts", "INBOX", "inbox"),
    ):
        (found,) = _read(l1, getattr(deployment, contract), f"{getter}()", "address")
        if found.lower() != getattr(deployment, target).lower():
            raise _wrong(f"the {contract}'s {target} is {found}")
    (genesis,) = _read(l1, deployment.court, "start_of(uint256)", "bytes32", data=bytes(32))
    if genesis != Machine.genesis(deployment.domain).hash():
        raise _wrong("the court starts from another machine")
    (domain,) = _read(l1, deployment.receipts, "DOMAIN()", "bytes32")
    if domain != deployment.domain:
        raise _wrong("the receipts are of another domain")
    _check_terms(l1, deployment, params)


def _check_modules(l1: L1, deployment: Deployment) -> None:
    """Batches may come through any module of the inbox: one that this program cannot read would leave it blind."""
    (count,) = _read(l1, deployment.inbox, "module_count()", "uint256")
    for number in range(1, count + 1):
        (address,) = _read(l1, deployment.inbox, "module_at(uint256)", "address", data=number.to_bytes(32, "big"))
        if number in MODULES:
            _check_code(l1, MODULES[number], address)
        elif number not in known_modules():
            raise _wrong(f"the inbox has a data availability module {number}, at {address}, that is unknown here")
    if missing := set(MODULES) - set(range(1, count + 1)):
        raise _wrong(f"the inbox has no data availability module {missing.pop()}")


def _check_terms(l1: L1, deployment: Deployment, params: Params | None) -> None:
    terms = _read(l1, deployment.court, "get_terms()", *["uint256"] * 9)
    periods = tuple(
        _read(l1, deployment.inbox, f"{name}()", "uint256")[0] for name in ("MAX_SKEW", "FORCE_DELAY", "SILENCE")
    )
    (batches,) = _read(l1, deployment.inbox, "EPOCH_BATCHES()", "uint256")
    if terms[0] != deployment.epoch_batches:
        raise _wrong(f"an epoch has {terms[0]} batches, not {deployment.epoch_batches}")
    if terms[0] != batches:
        raise _wrong(f"an epoch has {terms[0]} batches for the court and {batches} for the inbox")
    if params is None:
        return
    if terms != params.terms():
        raise _wrong(f"the court's terms are {terms}, not {params.terms()}")
    (delay,) = _read(l1, deployment.queue, "LISTING_DELAY()", "uint256")
    if delay != params.listing_delay:
        raise _wrong(f"the queue's listing delay is {delay}")
    (wind_down,) = _read(l1, deployment.queue, "WIND_DOWN()", "uint256")
    if wind_down != params.wind_down:
        raise _wrong(f"the queue's time to the wind-down is {wind_down}")
    bond = tuple(_read(l1, deployment.receipts, f"{name}()", "uint256")[0] for name in ("BOND", "EXIT_DELAY"))
    if bond != (params.receipt_bond, params.exit_delay):
        raise _wrong(f"the receipt bond and its exit delay are {bond}")
    if periods != (params.max_skew, params.force_delay, params.silence):
        raise _wrong(f"the inbox's periods are {periods}")


def _check_code(l1: L1, name: str, address: str) -> None:
    compiled = compile_contract(name)
    code = l1.code(address)
    # After the code come the immutables, which their getters show.
    if len(code) != compiled.size or not code.startswith(bytes.fromhex(compiled.runtime)):
        raise _wrong(f"the code at {address} is not the {name}'s")


def _read(l1: L1, address: str, signature: str, *outputs: str, data: bytes = b"") -> tuple[Any, ...]:
    return decode(outputs, l1.call(address, keccak(signature.encode())[:4] + data))


def _wrong(detail: str) -> ConfigError:
    return ConfigError("wrong_deployment", detail)
