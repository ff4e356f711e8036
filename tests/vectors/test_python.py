"""The vectors against the Python implementation, each by the shortest way through it."""

from typing import Any

import pytest
from tests.support.vectors import load

from setoff.shared import errors
from setoff.shared.codec import eip712, receipts, records, signatures
from setoff.shared.codec.hashing import keccak
from setoff.shared.codec.merkle import climb, merkle_root
from setoff.shared.dispute.bisection import Move, verify_move
from setoff.shared.machine.batch import Batch, Header, epoch_hash, extend_queue_hash, verify_record
from setoff.shared.machine.blobs import BLOBS, commit, hash_commitment, pack
from setoff.shared.machine.data import data_root
from setoff.shared.machine.epoch import EpochRun
from setoff.shared.machine.machine import Machine
from setoff.shared.rules import phases
from setoff.shared.rules.fetch import step_fetch
from setoff.shared.rules.step import apply_step, begin_batch
from setoff.shared.state import leaves
from setoff.shared.state.registers import FIELDS, Registers, machine_hash
from setoff.shared.state.store import State, encode_leaf
from setoff.shared.state.tree import EMPTY, Path, Tree, fold

CODEC = load("codec")
LEAVES = load("leaves")
TREE = load("tree")
BATCHES = load("batches")
RUN = load("runs")
STEPS = load("steps")
HISTORY = load("histories")
SCENES = load("scenes")

BODIES = {kind.title.lower(): kind.body for kind in records.TYPES.values()}


def registers(named: dict[str, Any]) -> Registers:
    regs = Registers()
    for name, value in named.items():
        setattr(regs, name, value)
    return regs


def batches() -> list[Batch]:
    return [Batch(Header(**b["header"]), tuple(b["messages"]), tuple(b["records"])) for b in RUN["batches"]]


# --- codec ------------------------------------------------------------------------------------------------------------


def test_bodies_and_messages() -> None:
    for entry in CODEC["records"] + CODEC["messages"]:
        fields = entry["fields"]
        if entry["name"] in ("list_market", "set_market"):
            parameters = {name: value for name, value in fields.items() if name != "market"}
            fields = {"market": fields["market"], "parameters": records.MarketParameters(**parameters)}
        if entry["name"] == "set_terms":
            fields = {"terms": records.ExchangeTerms(**fields)}
        assert records.encode(BODIES[entry["name"]](**fields)) == entry.get("body", entry.get("message"))


def test_cranks_and_pages() -> None:
    for entry in CODEC["cranks"]:
        assert records.encode_crank(entry["fields"]["market"]) == entry["record"]
    for entry in CODEC["leg_pages"]:
        legs = [records.Leg(**leg) for leg in entry["legs"]]
        assert records.encode_leg_page(legs, entry["following"]) == entry["leg_page"]
        assert keccak(entry["leg_page"]) == entry["hash"]


def test_canonical_inputs() -> None:
    for entry in CODEC["canonical"]:
        assert records.is_canonical(entry["input"]) == entry["canonical"]


def test_typed_data() -> None:
    domain = CODEC["domain"]
    assert eip712.domain_separator(domain["chain_id"], domain["vault"]) == domain["separator"]
    for entry in CODEC["records"]:
        assert records.struct_hash(entry["body"]) == entry["struct_hash"]
        assert eip712.digest(domain["separator"], entry["body"]) == entry["digest"]
        assert signatures.recover(entry["digest"], entry["signature"]) == entry["signer"]


def test_signatures() -> None:
    valid = 0
    for entry in CODEC["signatures"]:
        assert signatures.recover(entry["digest"], entry["signature"]) == entry["signer"]
        valid += entry["signer"] is not None
    assert 10 < valid < len(CODEC["signatures"]) - 10


def test_receipts() -> None:
    running = bytes(32)
    for number, entry in enumerate(CODEC["receipts"]):
        running = receipts.extend(running, keccak(entry["body"]))
        assert (entry["sequence"], entry["record"], entry["running"]) == (number, keccak(entry["body"]), running)
        receipt = receipts.Receipt(*(entry[name] for name in receipts.Receipt._fields))
        assert receipts.digest(CODEC["domain"]["separator"], receipt) == entry["digest"]
        assert receipts.recover(CODEC["domain"]["separator"], receipt, entry["signature"]) == entry["signer"]


# --- leaves and tree --------------------------------------------------------------------------------------------------


def test_leaves() -> None:
    for entry in LEAVES["leaves"]:
        leaf = getattr(leaves, f"decode_{entry['kind']}")(entry["value"])
        assert encode_leaf(entry["key"], leaf) == entry["value"]
        for name, value in entry["fields"].items():
            if name == "positions":
                for position, fields in zip(leaf.positions, value, strict=True):
                    assert {field: getattr(position, field) for field in fields} == fields
            else:
                assert getattr(leaf, name) == value


def test_registers_and_machine_hashes() -> None:
    for entry in LEAVES["registers"]:
        regs = registers(entry["fields"])
        assert regs.encode() == entry["words"]
        assert Registers.decode(entry["words"]).encode() == entry["words"]
        assert keccak(entry["words"]) == regs.hash() == entry["hash"]
        assert machine_hash(entry["state_root"], entry["hash"]) == entry["machine_hash"]


def test_trees_and_paths() -> None:
    assert list(EMPTY) == TREE["empty"]
    for entry in TREE["trees"]:
        tree = Tree(map(tuple, entry["leaves"]))
        assert tree.root == entry["root"]
        for path in entry["paths"]:
            found = Path(path["bitmap"], tuple(path["siblings"]))
            assert tree.prove(path["key"]) == found
            assert fold(path["key"], path["value"], found) == entry["root"]


def test_tree_updates() -> None:
    tree = Tree()
    for entry in TREE["updates"]:
        assert tree.update(dict(entry["changes"])) == entry["root"]


# --- batches and runs -------------------------------------------------------------------------------------------------


def test_headers_and_epochs() -> None:
    for entry in BATCHES["headers"]:
        assert Header(**{name: value for name, value in entry.items() if name != "hash"}).hash() == entry["hash"]
    for entry in BATCHES["epochs"]:
        assert epoch_hash(entry["epoch"], entry["batches"], entry["last"]) == entry["hash"]


@pytest.mark.xdist_group("blobs")  # the trusted setup takes seconds to load
def test_data_roots_and_record_proofs_of_blobs() -> None:
    for entry in BATCHES["blobs"]:
        count, root = entry["record_count"], entry["data_root"]
        blob = pack(b"".join(BATCHES["records"][:count]))
        header = Header(bytes(32), 0, 0, 0, 3, 0, count, BLOBS.number, root, bytes(32))
        batch = Batch(header, (), BATCHES["records"][:count], module=BLOBS)
        assert hash_commitment(commit(blob)) == root and batch.module_data == blob
        for proof in entry["proofs"]:
            record = verify_record(header, 3 + proof["index"], proof["record_page"], [], BLOBS)
            assert record == BATCHES["records"][proof["index"]]


def test_data_roots_and_record_proofs() -> None:
    for entry in BATCHES["data_roots"]:
        count = entry["record_count"]
        chosen = BATCHES["records"][:count]
        assert data_root(b"".join(chosen)) == entry["data_root"]
        header = Header(bytes(32), 0, 0, 0, 3, 0, count, 0, entry["data_root"], bytes(32))
        for proof in entry["proofs"]:
            found = verify_record(header, 3 + proof["index"], proof["record_page"], proof["siblings"])
            assert found == chosen[proof["index"]]


def test_the_queue_s_chain() -> None:
    queue_hash = bytes(32)
    for entry in BATCHES["queue"]:
        queue_hash = extend_queue_hash(queue_hash, entry["message"])
        assert queue_hash == entry["queue_hash"]


def test_the_run_from_genesis() -> None:
    machine = Machine.genesis(RUN["domain"]["separator"])
    assert machine.hash() == RUN["genesis"]
    queue_hash = bytes(32)
    for batch, entry in zip(batches(), RUN["batches"], strict=True):
        batch.check(queue_hash)
        queue_hash = batch.header.queue_hash
        assert batch.header.hash() == entry["batch_hash"]
        assert [errors.OUTCOMES[outcome] for outcome in machine.run_batch(batch)] == entry["outcomes"]
        assert machine.hash() == entry["machine_hash"]
        assert machine.state.tree.root == entry["state_root"]
        assert machine.regs.steps == entry["steps"]
    assert sorted(machine.state.tree.items()) == list(map(tuple, RUN["leaves"]))


# --- scenes -----------------------------------------------------------------------------------------------------------


def change(machine: Machine, changes: list[dict[str, Any]], input_index: int, micro: int) -> None:
    """What the scene sets by hand before this step."""
    for entry in changes:
        if (entry["input"], entry["micro"]) == (input_index, micro):
            machine.state.commit()
            for name, value in entry["registers"].items():
                setattr(machine.regs, name, value)
            tree = machine.state.tree
            tree.update(dict(entry["leaves"]))
            machine.state = State(tree)


def play(machine: Machine, entry: dict[str, Any], input_index: int) -> None:
    """One input of a scene's batch, step by step."""
    messages, inputs, changes = entry["messages"], entry["records"], entry["changes"]
    change(machine, changes, input_index, 0)
    if input_index == 0:
        begin_batch(machine.regs, entry["number"], entry["timestamp"])
    if input_index >= len(messages) + len(inputs):
        return
    is_message = input_index < len(messages)
    body, queued_at = inputs[input_index - len(messages)] if not is_message else b"", entry["timestamp"]
    if is_message:
        body, queued_at = records.split_message(messages[input_index])
    machine.regs.input_index = input_index
    machine.regs.steps += 1
    step_fetch(machine.regs, machine.state, body, is_message, queued_at)
    micro = 1
    while machine.regs.phase != phases.IDLE:
        change(machine, changes, input_index, micro)
        apply_step(machine.regs, machine.state)
        micro += 1


@pytest.mark.parametrize("scene", SCENES["scenes"], ids=lambda scene: scene["name"])
def test_a_scene_from_genesis(scene: dict[str, Any]) -> None:
    machine = Machine.genesis(SCENES["domain"])
    for entry in scene["batches"]:
        for input_index, expected in enumerate(entry["hashes"]):
            play(machine, entry, input_index)
            assert errors.OUTCOMES[machine.regs.outcome] == entry["outcomes"][input_index]
            assert machine.regs.steps == entry["steps"][input_index]
            assert machine.hash() == expected, (entry["number"], input_index)
    assert sorted(machine.state.tree.items()) == list(map(tuple, scene["leaves"]))


# --- steps ------------------------------------------------------------------------------------------------------------


def body_of(step: dict[str, Any], header: Header, input_index: int) -> tuple[bytes, int]:
    """The input, and when it was queued."""
    given = step["input"]
    if input_index < header.message_count:
        return records.split_message(given["message"])
    return verify_record(header, input_index, given["record_page"], given["siblings"]), header.timestamp


@pytest.mark.parametrize("step", STEPS["steps"], ids=lambda s: f"{s['name']}, {s['outcome']}, {s['next_phase']}")
def test_a_step_on_nothing_but_its_witness(step: dict[str, Any]) -> None:
    regs = registers(step["registers"])
    assert machine_hash(step["state_root"], regs.hash()) == step["pre"]
    state = State(Tree((leaf["key"], leaf["old"]) for leaf in step["witness"]))

    batch, input_index, micro = step["position"] >> 30, step["position"] >> 20 & 1023, step["position"] & 2**20 - 1
    if batch < STEPS["batch_count"] and micro == 0:
        header = Header(*step["input"]["header"])
        if input_index == 0:
            begin_batch(regs, header.number, header.timestamp)
        if input_index < header.inputs:
            regs.input_index = input_index
            regs.steps += 1
            body, queued_at = body_of(step, header, input_index)
            step_fetch(regs, state, body, input_index < header.message_count, queued_at)
    elif batch < STEPS["batch_count"]:
        apply_step(regs, state)

    assert [(key, encode_leaf(key, leaf)) for key, leaf in state.touched.items()] == [
        (leaf["key"], leaf["new"]) for leaf in step["witness"]
    ]
    assert {name: getattr(regs, name) for name in FIELDS} == {
        name: getattr(registers(step["registers_after"]), name) for name in FIELDS
    }
    root = step["state_root"]
    for leaf in step["witness"]:
        path = Path(leaf["bitmap"], tuple(leaf["siblings"]))
        assert fold(leaf["key"], leaf["old"], path) == root
        root = fold(leaf["key"], leaf["new"], path)
    assert root == step["state_root_after"]
    assert machine_hash(root, regs.hash()) == step["post"]


# --- histories --------------------------------------------------------------------------------------------------------


def test_the_history_of_the_run() -> None:
    start = Machine.genesis(RUN["domain"]["separator"])
    run = EpochRun(start, batches(), bytes(32))
    assert run.start_hash == HISTORY["start"]
    assert (
        (run.root, run.end)
        == (HISTORY["root"], HISTORY["end"])
        == (HISTORY["root"], RUN["batches"][-1]["machine_hash"])
    )
    for entry in HISTORY["leaves"]:
        assert run.leaf(entry["position"]) == entry["leaf"]
        assert run.path(entry["position"]) == entry["path"]


def test_joining_shows_the_end_under_the_root() -> None:
    join = HISTORY["join"]
    assert merkle_root(join["children"]) == HISTORY["root"]
    assert climb(join["end"], 2**30 - 1, join["path"]) == join["children"][31]
    for entry in HISTORY["leaves"]:
        assert climb(entry["leaf"], entry["position"], entry["path"]) == HISTORY["root"]


def test_the_moves_lead_from_both_roots_to_the_step_that_is_proven() -> None:
    nodes = {"truth": HISTORY["root"], "lie": HISTORY["lie"]["root"]}
    prefix = 0
    for level, entry in enumerate(HISTORY["moves"]):
        mover = entry["mover"]
        opponent = "lie" if mover == "truth" else "truth"
        assert (entry["level"], entry["prefix"]) == (level, prefix)
        move = Move(*(entry[name] for name in ("index", "children", "their_child", "common", "mine", "theirs")))
        assert verify_move(move, nodes[mover], nodes[opponent], is_last=level == 6)
        nodes = {mover: merkle_root(move.children), opponent: move.their_child}
        prefix = prefix * 32 + move.index
    proof = HISTORY["proof"]
    assert proof["position"] == prefix
    assert (proof["truth_leaf"], proof["lie_leaf"]) == (nodes["truth"], nodes["lie"])
    for root in (HISTORY["root"], HISTORY["lie"]["root"]):
        # The state before is common to both, though the siblings of one history do not fit the other.
        assert (climb(proof["pre"], prefix - 1, proof["path"]) == root) == (root == HISTORY["root"])
    assert proof["post"] == proof["truth_leaf"] != proof["lie_leaf"]
