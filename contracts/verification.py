"""Whether the contracts on L1 are the ones this code was written for, wired to each other and on these terms.

Services ask at their start: a wrong address, another version or other parameters are found before anything is signed.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from setoff.contracts.compiler import compile_contract
from setoff.shared.codec import eip712
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.errors import ChainError, ConfigError
from setoff.shared.l1.connection import L1
from setoff.shared.l1.contracts import INTERFACE, Contract
from setoff.shared.l1.da.registry import MODULES, own_contracts
from setoff.shared.l1.rpc import Address
from setoff.shared.l1.storage import is_vacant
from setoff.shared.machine.machine import Machine
from setoff.shared.params import Params, find_least_quorum, is_trial_period

View = Callable[..., Any]
"""What a contract's function returns, by both names and its arguments."""

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
    "AUCTION": "rule_groups/auction",
}
"""The judge's getters of its rule contracts, in the order of its constructor, and what is deployed for each."""


def check_deployment(l1: L1, deployment: Deployment, params: Params | None = None) -> None:
    """Check the code of every contract, that each names the others, the genesis, and (if given) the parameters.

    The token may be any contract. Raises ConfigError("wrong_deployment") with the first difference, ChainError if L1
    does not answer.
    """
    if l1.chain_id != deployment.chain_id:
        raise _wrong(f"L1 is chain {l1.chain_id}, the deployment on {deployment.chain_id}")
    contracts = {name: Contract(l1, interface, getattr(deployment, name)) for name, interface in INTERFACE.items()}

    def view(contract: str, function: str, *arguments: Any) -> Any:
        return contracts[contract].view(function, *arguments)

    if is_vacant(l1, contracts["token"].address):
        raise _wrong(f"there is no token at {deployment.token}")
    _check_version(view)
    for name in ("queue", "vault", "inbox", "judge", "court", "receipts"):
        _check_code(l1, name, getattr(deployment, name))
    for getter, name in RULES.items():
        _check_code(l1, name, view("judge", getter))
    _check_modules(l1, view)
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
        found = "0x" + view(contract, getter).hex()
        if found != getattr(deployment, target).lower():
            raise _wrong(f"the {contract}'s {target} is {found}")
    if view("court", "start_of", 0) != Machine.genesis(deployment.domain, deployment.backstop_delay).hash():
        raise _wrong("the court starts from another machine")
    if view("receipts", "DOMAIN") != deployment.domain:
        raise _wrong("the receipts are of another domain")
    _check_terms(deployment, view, params)


def _check_version(view: View) -> None:
    """Before the code is looked at, which differs then, too, and says less."""
    with suppress(ChainError):  # no judge at all
        if (version := view("judge", "version")) != eip712.VERSION:
            raise _wrong(
                f"its rules are version {version}, this program is for version {eip712.VERSION}: take the other"
            )


def _check_modules(l1: L1, view: View) -> None:
    """Batches may come through any module of the inbox: one that this program cannot read would leave it blind."""
    count, own = view("inbox", "module_count"), own_contracts()
    for number in range(1, count + 1):
        address = view("inbox", "module_at", number)
        if number in own:
            _check_code(l1, own[number], address)
        elif number not in MODULES:
            raise _wrong(
                f"the inbox has a data availability module {number}, at 0x{address.hex()}, that is unknown here"
            )
    if missing := set(own) - set(range(1, count + 1)):
        raise _wrong(f"the inbox has no data availability module {missing.pop()}")


def _check_terms(deployment: Deployment, view: View, params: Params | None) -> None:
    terms = view("court", "get_terms")
    periods = tuple(view("inbox", name) for name in ("MAX_SKEW", "FORCE_DELAY", "SILENCE"))
    batches, interval = view("inbox", "EPOCH_BATCHES"), view("inbox", "EPOCH_INTERVAL")
    least = view("vault", "LEAST_DEPOSIT")
    if least != deployment.least_deposit:
        raise _wrong(f"a deposit brings at least {least} token units, not {deployment.least_deposit}")
    if terms[0] != deployment.epoch_batches:
        raise _wrong(f"an epoch has {terms[0]} batches, not {deployment.epoch_batches}")
    if terms[0] != batches:
        raise _wrong(f"an epoch has {terms[0]} batches for the court and {batches} for the inbox")
    if terms[2] != interval:
        raise _wrong(f"epochs are claimed every {terms[2]} s at most, and begun every {interval} s at most")
    quorum, needed = view("queue", "LEAST_QUORUM"), find_least_quorum(terms[1])
    if quorum < needed:
        raise _wrong(
            f"the queue takes a quorum of {quorum} oracle signers: only a trial may do with less than {needed}"
        )
    if not is_trial_period(terms[1]) and deployment.backstop_delay < 2 * periods[0]:
        raise _wrong(
            f"requests of the backstop wait {deployment.backstop_delay} s: whoever posts could choose their price"
        )
    if params is None:
        return
    if deployment.backstop_delay != params.backstop_delay:
        raise _wrong(f"requests of the backstop wait {deployment.backstop_delay} s")
    if terms != params.terms():
        raise _wrong(f"the court's terms are {terms}, not {params.terms()}")
    delay = view("queue", "LISTING_DELAY")
    if delay != params.listing_delay:
        raise _wrong(f"the queue's listing delay is {delay}")
    wind_down = view("queue", "WIND_DOWN")
    if wind_down != params.wind_down:
        raise _wrong(f"the queue's time to the wind-down is {wind_down}")
    if quorum != params.least_quorum:
        raise _wrong(f"the queue's least quorum is {quorum}")
    bond = tuple(view("receipts", name) for name in ("BOND", "EXIT_DELAY"))
    if bond != (params.receipt_bond, params.exit_delay):
        raise _wrong(f"the receipt bond and its exit delay are {bond}")
    if periods != (params.max_skew, params.force_delay, params.silence):
        raise _wrong(f"the inbox's periods are {periods}")


def _check_code(l1: L1, name: str, address: Address) -> None:
    compiled = compile_contract(name)
    code = l1.code(address)
    # After the code come the immutables, which their getters show.
    if len(code) != compiled.size or not code.startswith(bytes.fromhex(compiled.runtime)):
        shown = address if isinstance(address, str) else "0x" + address.hex()
        raise _wrong(f"the code at {shown} is not the {name}'s")


def _wrong(detail: str) -> ConfigError:
    return ConfigError("wrong_deployment", detail)
