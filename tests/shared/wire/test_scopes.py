"""The scope of an agent as a leaf, a record and JSON have it."""

import pytest

from setoff.shared.codec import records
from setoff.shared.errors import InputError
from setoff.shared.rules.agents import set_agent
from setoff.shared.state.leaves import Agent
from setoff.shared.wire.scopes import EVERYTHING, KINDS, Scope

SCOPES = (
    EVERYTHING,
    Scope(subs=(0,)),
    Scope(subs=(0, 7, 15), kinds=("Cancel",), markets=(1,)),
    Scope(kinds=tuple(KINDS), markets=(255, 1, 2, 3, 4, 5, 6, 7)),
    Scope(closes_only=True),
    Scope(max_size=1),
    Scope(max_size=1023),
    Scope(closes_only=True, max_size=2**31),
)


@pytest.mark.parametrize("scope", SCOPES)
def test_what_an_owner_signs_is_what_the_leaf_says(scope: Scope) -> None:
    agent = Agent()
    set_agent(agent, records.SetAgentBody(1, 1, 1, b"\1" * 20, 2**40, 7, *scope.fields))
    assert Scope.of(agent) == scope
    lists = {"subs": [*scope.subs], "kinds": [*scope.kinds], "markets": [*scope.markets]}
    assert scope.to_json() == {**lists, "closes_only": scope.closes_only, "max_size": str(scope.max_size)}


@pytest.mark.parametrize(
    "scope",
    [
        Scope(subs=(16,)),
        Scope(subs=(-1,)),
        Scope(kinds=("Withdraw",)),
        Scope(kinds=("order",)),
        Scope(markets=(0,)),
        Scope(markets=(256,)),
        Scope(markets=tuple(range(1, 10))),
        Scope(max_size=-1),
        Scope(max_size=2**31 + 1),
    ],
    ids=str,
)
def test_refuses_what_no_agent_can_have(scope: Scope) -> None:
    with pytest.raises(InputError, match="malformed_record"):
        _ = scope.fields
