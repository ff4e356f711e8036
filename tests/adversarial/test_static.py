"""What a static analyser would look for, read off the contracts' syntax trees.

Slither 0.11 (the analyser that knows Vyper best) cannot read Vyper 0.4.3 with modules: its compiler front end passes no
imported files on, and for a file without imports it does not know the shape of the source map. So these are the checks
of its list that apply, as assertions on `vyper.ast`; each exception is named with its reason.
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from vyper.ast import nodes as vy
from vyper.ast import parse_to_ast

from setoff.contracts.compiler import ROOT

FILES = {path.relative_to(ROOT).as_posix(): path for path in sorted(ROOT.rglob("*.vy"))}

# On one worker, so that the files are parsed once; and by none that only collects.
pytestmark = pytest.mark.xdist_group("static")


@cache
def trees() -> dict[str, vy.Module]:
    """The syntax tree of each file."""
    return {name: parse_to_ast(path.read_text()) for name, path in FILES.items()}


OUTGOING = {
    "inbox.vy: post_data": "the data availability module, one of those named at the deployment",
    "da/blobs.vy: _element": "to the precompile that evaluates points, and it cannot but answer",
    "vault.vy: _deposit": "the token, and the message that goes with the deposit",
    "vault.vy: withdraw": "the token",
    "court/payments.vy: collect": "the payment, pulled by its owner",
    "court/payments.vy: _burn": "to an address without code or key",
}
"""Calls that change something elsewhere."""
RAW_ARGUMENTS = {"da/blobs.vy: _element": {"max_outsize", "is_static_call", "revert_on_failure"}}
"""Arguments of a raw call, beside the value: a failure of this one is looked at, and none other is."""
PAYABLE = {"court/claims.vy: claim", "court/histories.vy: join", "receipts.vy: deposit_bond"}
FORBIDDEN = {
    *("selfdestruct", "raw_revert", "raw_log", "create_minimal_proxy_to", "create_copy_of", "create_from_blueprint"),
    *("raw_create", "unsafe_add", "unsafe_sub", "unsafe_mul", "unsafe_div", "pow_mod256", "blockhash", "blobhash"),
    "breakpoint",
}
ENVIRONMENT = {
    "block.number": set[str](),
    "block.prevrandao": set[str](),
    "block.difficulty": set[str](),
    "block.coinbase": set[str](),
    "tx.origin": {"inbox.vy: post"},
    "tx.gasprice": {"court/credits.vy: _credit"},
}
"""Names of the environment that a contract must not depend on, with where they are allowed."""
ALLOWED = {("da/blobs.vy", "blobhash")}
"""Where something forbidden is what the file is for."""
MOST_TURNS = 1024


def functions() -> Iterator[tuple[str, vy.FunctionDef]]:
    for name, tree in trees().items():
        for function in tree.get_children(vy.FunctionDef):
            yield f"{name}: {function.name}", function


def decorators(function: vy.FunctionDef) -> set[str]:
    return {d.id for d in function.decorator_list if isinstance(d, vy.Name)}


def changes_state(function: vy.FunctionDef) -> bool:
    return "external" in decorators(function) and not decorators(function) & {"view", "pure", "deploy"}


def constants(name: str) -> dict[str, int]:
    """Integer constants of a file, as far as they are plain numbers."""
    found = {}
    for variable in trees()[name].get_children(vy.VariableDecl):
        if variable.is_constant and isinstance(variable.value, vy.Int):
            found[variable.target.id] = variable.value.value
    return found


def test_there_is_something_to_look_at() -> None:
    names = {name for name, function in functions() if changes_state(function)}
    assert len(FILES) > 20
    assert {
        "court/claims.vy: claim",
        "court/matches.vy: prove",
        "court/payments.vy: collect",
        "vault.vy: withdraw",
    } <= names


def goes_out(function: vy.FunctionDef) -> bool:
    """Whether a function itself calls another contract otherwise than to ask."""
    calls = {call.func.node_source_code for call in function.get_descendants(vy.Call)}
    return bool(calls & {"raw_call", "send"} or function.get_descendants(vy.ExtCall))


def reaches_out(name: str, function: vy.FunctionDef) -> bool:
    """Whether it does, or anything it calls in its own file; or pays, which is in another."""
    here = {other.name: other for other in trees()[name].get_children(vy.FunctionDef)}
    todo, done = [function], set()
    while todo:
        current = todo.pop()
        if goes_out(current):
            return True
        done.add(current.name)
        for call in current.get_descendants(vy.Call):
            called = call.func.node_source_code
            if called in ("payments._burn", "stakes._slash", "stakes._close"):
                return True
            target = here.get(called.removeprefix("self."))
            if target is not None and target.name not in done:
                todo.append(target)
    return False


def test_every_call_that_changes_something_is_locked() -> None:
    """All of the court and of the vault; elsewhere a call that asks others, but tells nobody, needs no lock."""
    for name, function in functions():
        file = name.split(":")[0]
        if changes_state(function) and "nonreentrant" not in decorators(function):
            assert not file.startswith("court/") and file not in ("court.vy", "vault.vy"), name
            assert not reaches_out(file, function), name
        if "internal" in decorators(function):
            assert "nonreentrant" not in decorators(function), name


def test_nothing_goes_out_but_what_has_to() -> None:
    for name, function in functions():
        assert not goes_out(function) or name in OUTGOING, name
        for call in function.get_descendants(vy.Call):
            if call.func.node_source_code in ("raw_call", "send"):
                # No delegation, and no failure passed over.
                assert {keyword.arg for keyword in call.keywords} <= RAW_ARGUMENTS.get(name, {"value"}), name


def test_what_is_owed_is_written_off_before_it_is_paid() -> None:
    collect = dict(functions())["court/payments.vy: collect"]
    lines = [statement.node_source_code for statement in collect.body]
    cleared = next(n for n, line in enumerate(lines) if line.startswith("self.owed[owner] = 0"))
    paid = next(n for n, line in enumerate(lines) if line.startswith("raw_call("))
    assert cleared < paid == len(lines) - 1


def test_only_claims_joins_and_the_operators_bond_take_money() -> None:
    found = {name for name, function in functions() if "payable" in decorators(function)}
    assert found == PAYABLE
    assert not any(function.name in ("__default__", "__receive__") for _, function in functions())


@pytest.mark.parametrize("word", sorted(FORBIDDEN))
def test_no_contract_uses(word: str) -> None:
    for name, tree in trees().items():
        if word.startswith("unsafe_") and name.split("/")[0] in ("rules", "state"):
            continue  # where differential tests and bounds cover each; never where money is
        for call in tree.get_descendants(vy.Call):
            assert call.func.node_source_code.split(".")[-1] != word or (name, word) in ALLOWED, name


def test_the_environment_decides_nothing_but_time() -> None:
    for name, function in functions():
        for attribute in function.get_descendants(vy.Attribute):
            source = attribute.node_source_code
            assert source not in ENVIRONMENT or name in ENVIRONMENT[source], f"{name} reads {source}"


def test_every_loop_has_a_constant_bound() -> None:
    loops = 0
    for name, function in functions():
        for loop in function.get_descendants(vy.For):
            loops += 1
            iterated = loop.iter
            if isinstance(iterated, vy.Call) and iterated.func.node_source_code == "range":
                bounds = [k.value for k in iterated.keywords if k.arg == "bound"] or list(iterated.args)
                known = constants(name.split(":")[0])
                for bound in bounds:
                    size = bound.value if isinstance(bound, vy.Int) else known.get(bound.node_source_code)
                    assert size is None or size <= MOST_TURNS, f"{name}: {iterated.node_source_code}"
                    # What is not a number here is a constant of another file: the compiler insists on one.
                    assert size is not None or bound.node_source_code.split(".")[-1].isupper(), name
            else:
                # Over an array in memory or calldata, whose length its type bounds; never over storage.
                assert "self." not in iterated.node_source_code, f"{name}: {iterated.node_source_code}"
    assert loops > 10


ANNOUNCED = {"queue.vy: successor"}
"""Addresses that are only told, and that nothing goes by."""


def test_nobody_owns_anything() -> None:
    """No address or contract in storage that a call could replace: who may do what is fixed at deployment."""
    for name, tree in trees().items():
        for variable in tree.get_children(vy.VariableDecl):
            kind = variable.annotation.node_source_code
            is_fixed = variable.is_constant or variable.is_immutable
            is_told = (place := f"{name}: {variable.target.id}") in ANNOUNCED
            assert is_fixed or is_told or not kind.startswith(("address", "public(address")), place
            if is_told:
                uses = [node.get_ancestor(vy.Assign) for node in tree.get_descendants(vy.Attribute)
                        if node.node_source_code == f"self.{variable.target.id}"]  # fmt: skip
                assert uses and all(use is not None and use.target.attr == variable.target.id for use in uses), place
            interfaces = {i.name for i in tree.get_children(vy.InterfaceDef)}
            assert is_fixed or kind.removeprefix("public(").rstrip(")") not in interfaces, name
    for name, function in functions():
        for word in ("owner", "admin", "pause", "upgrade", "set_"):
            is_setter = changes_state(function) and function.name.startswith((word, f"set_{word}"))
            assert not is_setter or name == "queue.vy: set_signer", name


def test_every_assertion_has_a_reason() -> None:
    for name, function in functions():
        for assertion in function.get_descendants(vy.Assert):
            assert assertion.msg is not None, f"{name}: {assertion.node_source_code}"
        for statement in function.get_descendants(vy.Raise):
            assert statement.exc is not None, f"{name}: {statement.node_source_code}"


def test_the_files_are_those_of_the_contracts() -> None:
    assert all(isinstance(path, Path) and path.exists() for path in FILES.values())
