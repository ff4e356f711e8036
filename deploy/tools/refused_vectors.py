"""The vectors of what is refused: proofs, moves, joins, batches and data with one thing wrong, each with its reason.

Made of the steps of ``steps.json``, the game of ``histories.json`` and the batches of ``runs.json``. A verifier that
takes one of them believes what L1 does not, and one that sends one pays for a revert; a batch is refused by whoever
rebuilds it, because its inputs are not those of its header.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from setoff.deploy.tools.batch_vectors import FEW, list_unreadable
from setoff.shared.codec.hashing import hash_pair, keccak
from setoff.shared.codec.merkle import merkle_root
from setoff.shared.machine.batch import Batch
from setoff.shared.machine.witness import StepInput, StepProof, WitnessLeaf
from setoff.shared.rules import phases
from setoff.shared.state.registers import FIELDS, machine_hash
from setoff.shared.state.tree import DEPTH, Path

_LEAVES: Final = range(2, 6)
"""How many leaves a step has whose witness is changed: some, and few, for each proof stands in the file."""
_OTHER: Final = keccak(b"another")
_FEW: Final = 9
"""Of so many records and more a batch is not shown with other inputs, for each stands in the file as a whole."""


class Case(NamedTuple):
    """A step of an epoch, as the judge is asked about it."""

    first_batch: int
    position: int
    pre: bytes
    proof: StepProof


def build_refused(
    steps: Sequence[Mapping[str, Any]], history: Mapping[str, Any], batches: Sequence[Batch]
) -> dict[str, Any]:
    """The document, of the entries of two others as JSON has them, and of the run's batches."""
    steps, history = _read(steps), _read(history)
    return {
        "batch_count": 1,
        "proofs": [
            {"name": name, **case._asdict(), "proof": case.proof.encode(), "reason": reason}
            for name, case, reason in list_proofs(steps)
        ],
        "moves": list(list_moves(history)),
        "joins": list(list_joins(history)),
        "batches": list(list_batches(batches)),
        "data": list(list_unreadable([record for batch in batches for record in batch.records][:FEW])),
    }


def _read(value: Any) -> Any:
    """Bytes and numbers of what JSON has."""
    if isinstance(value, str):
        if value.startswith("0x"):
            return bytes.fromhex(value[2:])
        return int(value) if value.lstrip("-").isdigit() else value
    if isinstance(value, Mapping):
        return {name: _read(part) for name, part in value.items()}
    return [_read(part) for part in value] if isinstance(value, (list, tuple)) else value


# --- proofs -----------------------------------------------------------------------------------------------------------


def list_proofs(steps: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Case, str]]:
    """Name, case and reason of each proof."""

    def choose(name: str, holds: Callable[[Case], bool] = lambda case: True) -> Case:
        return next(case for step in steps if step["name"] == name and holds(case := read_case(step)))

    def has_leaves(case: Case) -> bool:
        leaves = case.proof.witness
        paths = [len(leaf.path.siblings) for leaf in leaves]
        return len(paths) in _LEAVES and min(paths) > 1 and bool(leaves[0].value and leaves[-1].value)

    for name in ("fetch order", "match", "sweep"):
        yield from change_state(name, choose(name))
    for name in ("margin", "unlink"):
        yield from change_witness(name, choose(name, has_leaves))
    yield from change_record("fetch order", choose("fetch order", lambda case: len(case.proof.step_input.siblings) > 1))
    yield from change_record("fetch crank", choose("fetch crank", lambda case: len(case.proof.step_input.siblings) > 1))
    yield from change_message("fetch deposit", choose("fetch deposit"))
    yield from change_header("fetch set_signer", choose("fetch set_signer"))
    for name in ("idle", "unused input", "unused batch"):
        case = choose(name)
        leaf = choose("margin", has_leaves).proof.witness[0]
        yield f"{name}: a leaf", with_witness(case, [leaf]), "witness_leaves"
    work = choose("work")
    yield "work: a phase that there is not", with_register(work, "phase", len(phases.NAMES)), "wrong_phase"
    yield "work: a phase far off", with_register(work, "phase", 2**256 - 1), "wrong_phase"


def read_case(step: Mapping[str, Any]) -> Case:
    """An entry of ``steps.json``."""
    given = step["input"]
    registers = dict.fromkeys(FIELDS, 0) | {
        name: int.from_bytes(value, "big") if isinstance(value, bytes) else value
        for name, value in step["registers"].items()
    }
    words = b"".join(registers[name].to_bytes(32, "big") for name in FIELDS)
    step_input = StepInput(
        tuple(given["header"]), given["message"], given["record_page"], tuple(given["siblings"]), given["queue_hash"]
    )
    witness = tuple(
        WitnessLeaf(leaf["key"], leaf["old"], Path(leaf["bitmap"], tuple(leaf["siblings"]))) for leaf in step["witness"]
    )
    proof = StepProof(step["state_root"], words, step_input, witness)
    return Case(step["first_batch"], step["position"], step["pre"], proof)


def change_state(name: str, case: Case) -> Iterator[tuple[str, Case, str]]:
    """Another machine before."""
    proof = case.proof
    yield f"{name}: another hash before", case._replace(pre=_OTHER), "wrong_pre"
    yield f"{name}: no hash before", case._replace(pre=bytes(32)), "wrong_pre"
    yield f"{name}: another root", case._replace(proof=proof._replace(state_root=_OTHER)), "wrong_pre"
    for register in ("domain", "time", "return_phase"):
        other = with_register(case, register, 77)
        yield f"{name}: another {register}", other._replace(pre=case.pre), "wrong_pre"


def with_register(case: Case, name: str, value: int) -> Case:
    """The case with another register, of the machine that has it."""
    at = 32 * FIELDS.index(name)
    words = case.proof.registers
    words = words[:at] + value.to_bytes(32, "big") + words[at + 32 :]
    pre = machine_hash(case.proof.state_root, keccak(words))
    return case._replace(pre=pre, proof=case.proof._replace(registers=words))


def with_witness(case: Case, witness: Sequence[WitnessLeaf]) -> Case:
    """The case with other leaves."""
    return case._replace(proof=case.proof._replace(witness=tuple(witness)))


def change_witness(name: str, case: Case) -> Iterator[tuple[str, Case, str]]:
    """Leaves too many and too few, of another key, value or path."""
    leaves = list(case.proof.witness)
    yield f"{name}: the last leaf is missing", with_witness(case, leaves[:-1]), "witness_leaves"
    yield f"{name}: no leaf", with_witness(case, []), "witness_leaves"
    yield f"{name}: a leaf more", with_witness(case, [*leaves, leaves[-1]]), "witness_leaves"
    yield f"{name}: leaves in another order", with_witness(case, leaves[::-1]), "witness_key"
    for place in (0, len(leaves) - 1):
        which = f"{name}: leaf {place}"
        leaf = leaves[place]

        def put(place: int = place, leaf: WitnessLeaf = leaf, **fields: Any) -> Case:
            return with_witness(case, [*leaves[:place], leaf._replace(**fields), *leaves[place + 1 :]])

        bitmap, siblings = leaf.path
        lowest = bitmap & -bitmap
        yield f"{which} is of another key", put(key=leaf.key ^ 1), "witness_key"
        yield f"{which} is of a key beyond 40 bits", put(key=leaf.key | 1 << DEPTH), "witness_key"
        yield f"{which} is a byte short", put(value=leaf.value[:-1]), "witness_value"
        yield f"{which} has one byte", put(value=leaf.value[:1]), "witness_value"
        for which_sibling in (0, len(siblings) - 1):
            others = [_OTHER if i == which_sibling else sibling for i, sibling in enumerate(siblings)]
            path = Path(bitmap, tuple(others))
            yield f"{which} has another sibling {which_sibling}", put(path=path), "witness_path"
        for what, path in (
            ("a sibling less", Path(bitmap, siblings[:-1])),
            ("a sibling more", Path(bitmap, (*siblings, _OTHER))),
            ("a bit less", Path(bitmap ^ lowest, siblings)),
            ("a bit and a sibling less", Path(bitmap ^ lowest, siblings[1:])),
            ("a bit beyond the root", Path(bitmap | 1 << DEPTH, siblings)),
            ("a bit and a sibling beyond the root", Path(bitmap | 1 << DEPTH, (*siblings, _OTHER))),
            ("no path", Path(0, ())),
        ):
            yield f"{which} has {what}", put(path=path), "witness_path"


def with_input(case: Case, **fields: Any) -> Case:
    """The case with another input."""
    return case._replace(proof=case.proof._replace(step_input=case.proof.step_input._replace(**fields)))


def change_record(name: str, case: Case) -> Iterator[tuple[str, Case, str]]:
    """A record that is not the batch's at that place."""
    given = case.proof.step_input
    page, siblings = given.record_page, given.siblings
    flipped = page[:-1] + bytes([page[-1] ^ 1])
    for what, fields in (
        ("another page", {"record_page": flipped}),
        ("a page that is a record short", {"record_page": page[:-124]}),
        ("a page that is a byte short", {"record_page": page[:-1]}),
        ("no page", {"record_page": b""}),
        ("another sibling", {"siblings": (_OTHER, *siblings[1:])}),
        ("siblings in another order", {"siblings": siblings[::-1]}),
        ("a sibling less", {"siblings": siblings[:-1]}),
        ("a sibling more", {"siblings": (*siblings, _OTHER)}),
    ):
        yield f"{name}: {what}", with_input(case, **fields), "wrong_input"


def change_message(name: str, case: Case) -> Iterator[tuple[str, Case, str]]:
    """A message that is not the queue's at that place."""
    given = case.proof.step_input
    message = given.message
    for what, fields in (
        ("another message", {"message": message[:40] + bytes([message[40] ^ 1]) + message[41:]}),
        ("another stamp", {"message": message[:-1] + bytes([message[-1] ^ 1])}),
        ("a message without a stamp", {"message": message[:-8]}),
        ("no message", {"message": b""}),
        ("another queue before", {"queue_hash": _OTHER}),
    ):
        yield f"{name}: {what}", with_input(case, **fields), "wrong_input"


def change_header(name: str, case: Case) -> Iterator[tuple[str, Case, str]]:
    """A header that is not that of the batch."""
    header: tuple[Any, ...] = case.proof.step_input.header
    for place, word in enumerate(header):
        other: Any = _OTHER if isinstance(word, bytes) else word + 1
        words = (*header[:place], other, *header[place + 1 :])
        yield f"{name}: another word {place} of the header", with_input(case, header=words), "wrong_input"
    yield f"{name}: of another batch", case._replace(first_batch=case.first_batch + 1), "wrong_input"


# --- moves and joins --------------------------------------------------------------------------------------------------


def list_moves(history: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Moves of the game with one thing wrong: its first, one in the middle, and the last, which opens a leaf."""
    nodes = {"truth": history["root"], "lie": history["lie"]["root"]}
    for level, move in enumerate(history["moves"]):
        mover = move["mover"]
        opponent = "lie" if mover == "truth" else "truth"
        good = {name: move[name] for name in ("index", "children", "their_child", "common", "mine", "theirs")}
        place = {"level": level, "mover": nodes[mover], "opponent": nodes[opponent]}
        if level in (0, 3, len(history["moves"]) - 1):
            for what, fields, reason in change_move(good, merkle_root(move["children"])):
                yield {"name": f"level {level}: {what}", **place, **good, **fields, "reason": reason}
            swapped = {"mover": place["opponent"], "opponent": place["mover"]}
            yield {"name": f"level {level}: the sides exchanged", **place, **good, **swapped, "reason": "wrong_opening"}
        nodes = {mover: merkle_root(move["children"]), opponent: move["their_child"]}
    yield agree()


def agree() -> dict[str, Any]:
    """A last move at a leaf that is the same on both sides, which differ to the right of it."""
    index, level = 10, 6
    siblings = {
        name: [keccak(b"%s %d" % (name.encode(), n)) for n in range(5)] for name in ("common", "mine", "theirs")
    }
    lists: dict[str, list[bytes]] = {name: [] for name in siblings}
    nodes = {"mine": _OTHER, "theirs": _OTHER}
    for height in range(5):
        if index >> height & 1:
            lists["common"].append(left := siblings["common"][height])
            nodes = {name: hash_pair(left, node) for name, node in nodes.items()}
        else:
            for name, node in nodes.items():
                lists[name].append(siblings[name][height])
                nodes[name] = hash_pair(node, siblings[name][height])
    place = {"level": level, "mover": nodes["mine"], "opponent": nodes["theirs"]}
    good = {"index": index, "children": [_OTHER], "their_child": _OTHER, **lists}
    return {"name": f"level {level}: a leaf on which both agree", **place, **good, "reason": "children_equal"}


def change_move(good: Mapping[str, Any], child: bytes) -> Iterator[tuple[str, dict[str, Any], str]]:
    """What is wrong, other fields, and the reason."""
    index, children = good["index"], list(good["children"])
    yield "an index of 32", {"index": 32}, "child_index"
    yield "an index far off", {"index": 2**256 - 1}, "child_index"
    yield "as many nodes as there are not", {"children": [*children, _OTHER][:31]}, "children_length"
    yield "no nodes", {"children": []}, "children_length"
    yield "another node", {"children": [_OTHER, *children[1:]]}, "wrong_opening"
    yield "the same child on both sides", {"their_child": child}, "children_equal"
    yield "another child of the opponent's", {"their_child": _OTHER}, "wrong_opening"
    yield "the index next to it", {"index": index ^ 1}, "wrong_opening"
    for name in ("common", "mine", "theirs"):
        siblings = list(good[name])
        if siblings:
            yield f"another sibling in {name}", {name: [_OTHER, *siblings[1:]]}, "wrong_opening"
            yield f"a sibling less in {name}", {name: siblings[:-1]}, "wrong_opening"
        if len(siblings) < 5:
            yield f"a sibling more in {name}", {name: [*siblings, _OTHER]}, "wrong_opening"


def list_joins(history: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Joins whose children do not lead to their end."""
    join = history["join"]
    children, path = join["children"], join["path"]
    for what, fields, reason in (
        ("another end", {"end": _OTHER}, "history_end"),
        ("no end", {"end": bytes(32)}, "zero_hash"),
        ("another last child", {"children": [*children[:31], _OTHER]}, "history_end"),
        ("children in another order", {"children": children[::-1]}, "history_end"),
        ("another lowest sibling", {"path": [_OTHER, *path[1:]]}, "history_end"),
        ("another highest sibling", {"path": [*path[:-1], _OTHER]}, "history_end"),
        ("siblings in another order", {"path": path[::-1]}, "history_end"),
    ):
        yield {"name": what, **join, **fields, "reason": reason}


# --- batches ----------------------------------------------------------------------------------------------------------


def list_batches(batches: Sequence[Batch]) -> Iterator[dict[str, Any]]:
    """Headers with other inputs than theirs: of the first batch with a message and several records, and of an empty
    one."""
    chosen = next(b for b in batches if len(b.messages) == 1 and 2 < len(b.records) < _FEW)
    empty = next(b for b in batches if not b.header.inputs)
    for name, batch, changes in (
        *((name, chosen, changes) for name, changes in change_inputs(chosen)),
        ("without inputs, a data root", empty, {"header": {"data_root": _OTHER}}),
        ("without inputs, a record", empty, {"records": chosen.records[:1]}),
    ):
        header = batch.header
        words = {field: getattr(header, field) for field in header.__slots__}
        before = batches[header.number - 1].header.queue_hash
        good = {"messages": batch.messages, "records": batch.records, "queue_hash": before}
        yield {
            "name": name,
            **good,
            **changes,
            "header": words | dict(changes.get("header", {})),
            "reason": "data_mismatch",
        }


def change_inputs(batch: Batch) -> Iterator[tuple[str, dict[str, Any]]]:
    """What is wrong, and what is other then."""
    (message,), (first, second, *rest) = batch.messages, batch.records
    header = batch.header
    yield "another message", {"messages": [message[:-1] + bytes([message[-1] ^ 1])]}
    yield "a message without a stamp", {"messages": [message[:-8]]}
    yield "no message", {"messages": []}
    yield "a message more", {"messages": [message, message]}
    yield "another record", {"records": [first[:-1] + bytes([first[-1] ^ 1]), second, *rest]}
    yield "records in another order", {"records": [second, first, *rest]}
    yield "records cut elsewhere", {"records": [first + second[:4], second[4:], *rest]}
    yield "a record less", {"records": [first, second, *rest[:-1]]}
    yield "a record more", {"records": [first, second, *rest, first]}
    yield "no record", {"records": []}
    yield "another queue before", {"queue_hash": _OTHER}
    for field, value in (
        ("message_count", header.message_count + 1),
        ("record_count", header.record_count + 1),
        ("module", 1),
        ("data_root", _OTHER),
        ("queue_hash", _OTHER),
    ):
        yield f"another {field} in the header", {"header": {field: value}}
