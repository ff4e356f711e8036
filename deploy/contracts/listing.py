"""Proposals to the L1 queue: markets, changes of their parameters, oracle signers; and what waits there."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, asdict, astuple, dataclass, fields
from pathlib import Path
from typing import Any, Final

from setoff.shared.codec import records
from setoff.shared.codec.layout import fields_of
from setoff.shared.codec.records import ListMarketBody, MarketParameters
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.errors import ConfigError
from setoff.shared.l1.connection import L1
from setoff.shared.l1.contracts import QUEUE, Contract
from setoff.shared.l1.endpoint import Reverted
from setoff.shared.rules.listing import are_parameters_sound
from setoff.shared.state.keys import MAX_MARKET

_LIMITS: Final = {parameter.name: parameter.limits for parameter in fields_of(MarketParameters)}
_REQUIRED: Final = [parameter.name for parameter in fields(MarketParameters) if parameter.default is MISSING]


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposal that waits: its id, the message it would queue (124 bytes), and when it may be (unix seconds)."""

    id: int
    message: bytes
    enactable: int
    expiry: int

    def describe(self) -> str:
        """What it would do, for people."""
        if self.message[0] == records.SET_SIGNER:
            signer = records.decode_set_signer(self.message)
            return f"signer {signer.number}: 0x{signer.owner.hex()}, quorum {signer.quorum}, age {signer.max_age} s"
        kind = "market" if self.message[0] == records.LIST_MARKET else "change of market"
        market, parameters = records.decode_list_market(self.message)
        return f"{kind} {market}: " + ", ".join(
            f"{name} {value}" for name, value in asdict(parameters).items() if value
        )


def make_terms(market: int, *sources: Mapping[str, Any]) -> ListMarketBody:
    """The parameters of a market; later sources win over earlier ones.

    Raises ConfigError on a name that is no parameter, a value that is no integer or not in its range, a parameter that
    is missing, and parameters that the rules would refuse.
    """
    given: dict[str, Any] = {name: value for source in sources for name, value in source.items()}
    unknown = [name for name in given if name not in _LIMITS]
    if unknown:
        raise ConfigError("bad_config", f"a market has no parameter {', '.join(unknown)}")
    missing = [name for name in _REQUIRED if name not in given]
    if missing:
        raise ConfigError("bad_config", f"these parameters are missing: {', '.join(missing)}")
    for name, value in given.items():
        limits = _LIMITS[name]
        if type(value) is not int or value not in limits:
            raise ConfigError("bad_config", f"{name} = {value} is not in {limits.start}…{limits.stop - 1}")
    parameters = MarketParameters(**given)
    if not 1 <= market <= MAX_MARKET or not are_parameters_sound(parameters):
        raise ConfigError("bad_parameters", "the rules would refuse these: see section 8 of the protocol, LIST_MARKET")
    return ListMarketBody(market, parameters)


def to_names(market: ListMarketBody) -> dict[str, int]:
    """A market and its parameters by name."""
    return {"market": market.market, **asdict(market.parameters)}


def load_terms(path: Path) -> dict[str, Any]:
    """Parameters from a TOML file. Raises ConfigError if it cannot be read."""
    try:
        return tomllib.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise ConfigError("bad_config", f"{path}: {error}") from None


def parse_settings(settings: Iterable[str]) -> dict[str, int]:
    """Parameters typed as NAME=VALUE. Raises ConfigError."""
    found = {}
    for setting in settings:
        name, _, value = setting.partition("=")
        try:
            found[name] = int(value)
        except ValueError:
            raise ConfigError("bad_config", f"'{setting}' is not NAME=INTEGER") from None
    return found


def encode_listing(market: ListMarketBody) -> bytes:
    """Call of the queue that proposes a market."""
    return QUEUE.encode("propose_listing", _to_abi(market))


def encode_change(market: ListMarketBody) -> bytes:
    """Call of the queue that proposes other parameters of a market."""
    return QUEUE.encode("propose_change", _to_abi(market))


def encode_signer(number: int, signer: bytes, quorum: int, max_age: int) -> bytes:
    """Call of the queue that proposes an oracle signer (20 bytes)."""
    return QUEUE.encode("propose_signer", number, signer, quorum, max_age)


def check_quorum(l1: L1, deployment: Deployment, quorum: int) -> None:
    """Raises ConfigError("quorum_too_small") if the queue of this deployment takes none as small."""
    least = Contract(l1, QUEUE, deployment.queue).view("LEAST_QUORUM")
    if quorum < least:
        raise ConfigError(
            "quorum_too_small",
            f"a price takes at least {least} signers here, one of them false perhaps; {quorum} would do in a trial",
        )


def propose(l1: L1, deployment: Deployment, call: bytes) -> Proposal:
    """Send one of those calls with the lister's key. Raises Reverted("not_the_lister") with another one."""
    receipt = l1.transact(deployment.queue, call)
    proposed = QUEUE.events["Proposed"]
    (fields,) = (proposed.decode(log) for log in receipt.logs if log.topics[0] == proposed.topic)
    expiry = fields["enactable"] + Contract(l1, QUEUE, deployment.queue).view("ENACTABLE_TIME")
    return Proposal(fields["id"], fields["body"], fields["enactable"], expiry)


def enact(l1: L1, deployment: Deployment, id: int) -> None:
    """Queue a proposal whose delay has passed; anybody may, those before it first.

    Raises Reverted("too_early", "earlier_proposal", "proposal_expired" or "no_such_proposal").
    """
    Contract(l1, QUEUE, deployment.queue).transact("enact", id)


def revoke(l1: L1, deployment: Deployment, id: int) -> None:
    """Take back a proposal, with the lister's key. Raises Reverted("not_the_lister" or "no_such_proposal")."""
    Contract(l1, QUEUE, deployment.queue).transact("revoke", id)


def find_proposals(l1: L1, deployment: Deployment) -> list[Proposal]:
    """All proposals that wait, in the order in which they can be queued; those that have expired, too."""
    queue, found = Contract(l1, QUEUE, deployment.queue), []
    lasting = queue.view("ENACTABLE_TIME")
    for id in range(queue.view("next_proposal"), queue.view("proposal_count")):
        try:
            message, enactable = queue.view("proposal_at", id)
        except Reverted:
            continue  # taken back
        found.append(Proposal(id, message, enactable, enactable + lasting))
    return found


def _to_abi(market: ListMarketBody) -> tuple[int, tuple[int, ...]]:
    return market.market, astuple(market.parameters)
