"""Proposals to the L1 queue: markets and changes of them, the exchange's terms, signers; and what waits there."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, asdict, astuple, dataclass, fields
from pathlib import Path
from typing import Any, Final

from setoff.shared.codec import records
from setoff.shared.codec.layout import fields_of
from setoff.shared.codec.records import ExchangeTerms, ListMarketBody, MarketParameters
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.errors import ConfigError
from setoff.shared.l1.connection import L1
from setoff.shared.l1.contracts import QUEUE, Contract
from setoff.shared.l1.endpoint import Reverted
from setoff.shared.rules.fees import are_terms_sound
from setoff.shared.rules.listing import are_parameters_sound
from setoff.shared.state.keys import MAX_MARKET

ANNOUNCEMENT_SLACK: Final = 600
"""Seconds beyond the listing delay, for the block that an announcement gets into."""
_LIMITS: Final = {parameter.name: parameter.limits for parameter in fields_of(MarketParameters)}
_TERM_LIMITS: Final = {parameter.name: parameter.limits for parameter in fields_of(ExchangeTerms)}
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
        if self.message[0] == records.SET_TERMS:
            return "terms: " + _name_values(records.decode_set_terms(self.message).terms)
        kind = "market" if self.message[0] == records.LIST_MARKET else "change of market"
        market, parameters = records.decode_list_market(self.message)
        return f"{kind} {market}: {_name_values(parameters)}"


def make_terms(market: int, *sources: Mapping[str, Any]) -> ListMarketBody:
    """The parameters of a market; later sources win over earlier ones.

    Raises ConfigError on a name that is no parameter, a value that is no integer or not in its range, a parameter that
    is missing, and parameters that the rules would refuse.
    """
    given = _check_values("a market", _LIMITS, sources)
    missing = [name for name in _REQUIRED if name not in given]
    if missing:
        raise ConfigError("bad_config", f"these parameters are missing: {', '.join(missing)}")
    parameters = MarketParameters(**given)
    if not 1 <= market <= MAX_MARKET or not are_parameters_sound(parameters):
        raise ConfigError("bad_parameters", "the rules would refuse these: see section 8 of the protocol, LIST_MARKET")
    return ListMarketBody(market, parameters)


def make_exchange_terms(*sources: Mapping[str, Any]) -> ExchangeTerms:
    """The terms of the exchange; later sources win over earlier ones, and what none of them names is 0.

    Raises ConfigError on a name or value that terms cannot have, and on terms that the rules would refuse.
    """
    terms = ExchangeTerms(**_check_values("the exchange", _TERM_LIMITS, sources))
    if not are_terms_sound(terms):
        raise ConfigError("bad_parameters", "the rules would refuse these: see section 8 of the protocol, SET_TERMS")
    return terms


def _check_values(what: str, limits: Mapping[str, range], sources: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Values by name, of which the last counts. Raises ConfigError on what is no name, no integer or out of range."""
    given: dict[str, Any] = {name: value for source in sources for name, value in source.items()}
    unknown = [name for name in given if name not in limits]
    if unknown:
        raise ConfigError("bad_config", f"{what} has no parameter {', '.join(unknown)}")
    for name, value in given.items():
        if type(value) is not int or value not in limits[name]:
            raise ConfigError("bad_config", f"{name} = {value} is not in {limits[name].start}…{limits[name].stop - 1}")
    return given


def _name_values(parameters: MarketParameters | ExchangeTerms) -> str:
    return ", ".join(f"{name} {value}" for name, value in asdict(parameters).items() if value) or "none"


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


def encode_terms(terms: ExchangeTerms) -> bytes:
    """Call of the queue that proposes terms of the exchange."""
    return QUEUE.encode("propose_terms", (astuple(terms),))


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


def announce(l1: L1, deployment: Deployment, vault: bytes, days: float | None = None) -> None:
    """Announce the exchange that follows, by its vault (20 bytes; zero: none), `days` from now or as soon as may be.

    Raises ConfigError before anything is sent, Reverted("not_the_lister") with another key.
    """
    queue = Contract(l1, QUEUE, deployment.queue)
    delay = queue.view("LISTING_DELAY")
    wanted = delay + ANNOUNCEMENT_SLACK if days is None else int(days * 86_400)
    if any(vault) and wanted < delay:
        raise ConfigError(
            "too_early", f"an announcement is public for {delay} s at least, that is {delay / 86_400:g} days"
        )
    queue.transact("announce", vault, l1.now() + wanted if any(vault) else 0)


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
