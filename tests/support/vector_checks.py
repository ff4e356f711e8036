"""The vectors against the Python implementation: a check for each entry, each by the shortest way through it.

A check raises, mostly AssertionError, where the implementation and the vector differ.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from itertools import islice
from typing import Any, Final, NamedTuple, cast

from eth_abi.abi import decode
from tests.support.l1_checks import list_l1_checks
from tests.support.late_tree import begin_late
from tests.support.witness_checks import list_witness_checks

from setoff.shared import errors
from setoff.shared.codec import eip712, receipts, records, signatures
from setoff.shared.codec.hashing import keccak
from setoff.shared.codec.merkle import climb, merkle_root
from setoff.shared.dispute.bisection import Move, make_move, verify_move
from setoff.shared.machine import history as history_trees
from setoff.shared.machine.batch import Batch, Header, epoch_hash, extend_queue_hash, verify_record
from setoff.shared.machine.blobs import BLOBS, commit, hash_commitment, pack
from setoff.shared.machine.data import CALLDATA, DataModule, data_root, prove_record
from setoff.shared.machine.epoch import EpochRun
from setoff.shared.machine.history import EPOCH, HistoryTree, PaddedTree
from setoff.shared.machine.leaf_names import DECODERS
from setoff.shared.machine.machine import EVERY_STEP, Machine
from setoff.shared.machine.tracing import honest_step, trace_inputs, used_inputs
from setoff.shared.machine.witness import PROOF_TYPES, StepInput, StepProof, WitnessLeaf, prove_step
from setoff.shared.rules import phases
from setoff.shared.rules.fetch import step_fetch
from setoff.shared.rules.step import apply_step, begin_batch
from setoff.shared.state import keys, leaves
from setoff.shared.state.registers import FIELDS, Registers, machine_hash
from setoff.shared.state.store import State, encode_leaf
from setoff.shared.state.tree import EMPTY, Path, Tree, fold

Entry = dict[str, Any]

MODULES: Final[dict[int, DataModule]] = {module.number: module for module in (CALLDATA, BLOBS)}
BODIES = {kind.title.lower(): kind.body for kind in records.TYPES.values()}


class Check(NamedTuple):
    """One entry, or some that belong together: the file it is of, its name, and what compares it."""

    file: str
    name: str
    run: Callable[[], None]


def list_checks(documents: Mapping[str, Entry]) -> Iterator[Check]:
    """Every check of these documents, by file."""
    codec, run = documents["codec"], documents["runs"]
    domain = codec["domain"]["separator"]
    for family, check in (
        ("records", partial(check_record, domain)),
        ("messages", check_body),
        ("cranks", check_crank),
        ("leg_pages", check_leg_page),
        ("canonical", check_canonical),
        ("signatures", check_signature),
    ):
        for number, entry in enumerate(codec[family]):
            yield Check("codec", f"{family} {number}", partial(check, entry))
    yield Check("codec", "domain", partial(check_domain, codec["domain"]))
    yield Check("codec", "receipts", partial(check_receipts, domain, codec["receipts"]))
    for number, entry in enumerate(codec["receipt_signatures"]):
        yield Check("codec", f"receipt_signatures {number}", partial(check_receipt_signature, domain, entry))
    for number, entry in enumerate(documents["leaves"]["leaves"]):
        yield Check("leaves", f"{entry['kind']} {number}", partial(check_leaf, entry))
    for number, entry in enumerate(documents["leaves"]["registers"]):
        yield Check("leaves", f"registers {number}", partial(check_registers, entry))
    yield Check("tree", "empty", partial(check_empty_trees, documents["tree"]["empty"]))
    for number, entry in enumerate(documents["tree"]["trees"]):
        yield Check("tree", f"tree {number}", partial(check_tree, entry))
    yield Check("tree", "updates", partial(check_updates, documents["tree"]["updates"]))
    yield from list_batch_checks(documents["batches"])
    for number, entry in enumerate(documents["steps"]["steps"]):
        name = f"{number}: {entry['name']}, {entry['outcome']}, {entry['next_phase']}"
        yield Check("steps", name, partial(check_step, entry, documents["steps"]["batch_count"]))
    yield Check("runs", "run", partial(check_run, run))
    yield Check("runs", "proofs", partial(check_run_proofs, run, documents["steps"]["steps"]))
    history = documents["histories"]
    yield Check("histories", "history", partial(check_history, run, history))
    yield Check("histories", "kept elsewhere", partial(check_kept_histories, run, history))
    yield Check("histories", "full", partial(check_full_epoch, run, history["full"]))
    yield Check("histories", "join", partial(check_join, history))
    yield Check("histories", "join of a full epoch", partial(check_join, history["full"]))
    yield Check("histories", "moves", partial(check_moves, history))
    yield from list_refused_checks(documents["refused"], run)
    for name, run_check in list_witness_checks(documents["witnesses"], run, batches_of(run)):
        yield Check("witnesses", name, run_check)
    for name, run_check in list_l1_checks(documents["l1"]):
        yield Check("l1", name, run_check)
    for scene in documents["scenes"]["scenes"]:
        yield Check("scenes", scene["name"], partial(check_scene, scene, documents["scenes"]["domain"]))


# --- codec ------------------------------------------------------------------------------------------------------------


def check_body(entry: Entry) -> None:
    """A body by its fields."""
    fields = entry["fields"]
    if entry["name"] in ("list_market", "set_market"):
        parameters = {name: value for name, value in fields.items() if name != "market"}
        fields = {"market": fields["market"], "parameters": records.MarketParameters(**parameters)}
    if entry["name"] == "set_terms":
        fields = {"terms": records.ExchangeTerms(**fields)}
    body = BODIES[entry["name"]](**fields)
    encoded = entry.get("body", entry.get("message"))
    assert records.encode(body) == encoded
    assert records.TYPES[entry["type"]].decode(encoded) == records.decode(encoded) == body


def check_record(domain: bytes, entry: Entry) -> None:
    """A body, its typed data, and who signed it."""
    check_body(entry)
    assert records.struct_hash(entry["body"]) == entry["struct_hash"]
    assert eip712.digest(domain, entry["body"]) == entry["digest"]
    assert signatures.recover(entry["digest"], entry["signature"]) == entry["signer"]
    assert eip712.recover_signer(domain, entry["body"] + entry["signature"]) == entry["signer"]


def check_crank(entry: Entry) -> None:
    """A crank by its market."""
    assert records.encode_crank(entry["fields"]["market"]) == entry["record"]


def check_leg_page(entry: Entry) -> None:
    """A page by its legs, and its hash."""
    legs = [records.Leg(**leg) for leg in entry["legs"]]
    assert records.encode_leg_page(legs, entry["following"]) == entry["leg_page"]
    assert keccak(entry["leg_page"]) == entry["hash"]


def check_canonical(entry: Entry) -> None:
    """Whether an input is canonical."""
    assert records.is_canonical(entry["input"]) == entry["canonical"]


def check_domain(domain: Entry) -> None:
    """The EIP-712 domain."""
    assert eip712.domain_separator(domain["chain_id"], domain["vault"]) == domain["separator"]


def check_signature(entry: Entry) -> None:
    """Who signed, if anybody did."""
    assert signatures.recover(entry["digest"], entry["signature"]) == entry["signer"]


def check_receipts(domain: bytes, entries: list[Entry]) -> None:
    """Receipts, each on the one before."""
    running = bytes(32)
    for number, entry in enumerate(entries):
        running = receipts.extend(running, keccak(entry["body"]))
        assert (entry["sequence"], entry["record"], entry["running"]) == (number, keccak(entry["body"]), running)
        receipt = receipts.Receipt(*(entry[name] for name in receipts.Receipt._fields))
        assert receipts.digest(domain, receipt) == entry["digest"]
        assert receipts.recover(domain, receipt, entry["signature"]) == entry["signer"]


def check_receipt_signature(domain: bytes, entry: Entry) -> None:
    """Who signed a receipt, if anybody did."""
    receipt = receipts.Receipt(*(entry[name] for name in receipts.Receipt._fields))
    assert receipts.recover(domain, receipt, entry["signature"]) == entry["signer"]


# --- leaves and tree --------------------------------------------------------------------------------------------------


def registers(named: Entry) -> Registers:
    """Registers with these values, zero elsewhere."""
    regs = Registers()
    for name, value in named.items():
        setattr(regs, name, value)
    return regs


def check_leaf(entry: Entry) -> None:
    """A leaf by its fields, both ways."""
    leaf = getattr(leaves, f"decode_{entry['kind']}")(entry["value"])
    assert encode_leaf(entry["key"], leaf) == entry["value"]
    for name, value in entry["fields"].items():
        if name == "positions":
            for position, fields in zip(leaf.positions, value, strict=True):
                assert {field: getattr(position, field) for field in fields} == fields
        else:
            assert getattr(leaf, name) == value


def check_registers(entry: Entry) -> None:
    """Registers as words, and the machine hash."""
    regs = registers(entry["fields"])
    assert regs.encode() == entry["words"]
    assert Registers.decode(entry["words"]).encode() == entry["words"]
    assert keccak(entry["words"]) == regs.hash() == entry["hash"]
    assert machine_hash(entry["state_root"], entry["hash"]) == entry["machine_hash"]


def check_empty_trees(roots: list[bytes]) -> None:
    """The empty subtrees."""
    assert list(EMPTY) == roots


def check_tree(entry: Entry) -> None:
    """A set of leaves, its root and paths."""
    tree = Tree(map(tuple, entry["leaves"]))
    assert tree.root == entry["root"]
    for path in entry["paths"]:
        found = Path(path["bitmap"], tuple(path["siblings"]))
        assert tree.prove(path["key"]) == found
        assert fold(path["key"], path["value"], found) == entry["root"]


def check_updates(entries: list[Entry]) -> None:
    """Updates of one tree."""
    tree = Tree()
    for entry in entries:
        assert tree.update(dict(entry["changes"])) == entry["root"]


# --- batches and runs -------------------------------------------------------------------------------------------------


def list_batch_checks(document: Entry) -> Iterator[Check]:
    """Headers, epochs, the queue, and the data of batches."""
    pool = document["records"]
    yield Check("batches", "headers", partial(check_headers, document))
    yield Check("batches", "queue", partial(check_queue, document["queue"]))
    for number, entry in enumerate(document["data_roots"]):
        yield Check("batches", f"data root {number}", partial(check_data_root, pool, entry))
    for number, entry in enumerate(document["blobs"]):
        yield Check("blobs", f"blob {number}", partial(check_blob, pool, entry))
    for entry in document["read"]:
        yield Check(find_family(entry, "batches"), f"read: {entry['name']}", partial(check_read, entry))


def check_headers(document: Entry) -> None:
    """Batch hashes and epoch hashes."""
    for entry in document["headers"]:
        header = Header(**{name: value for name, value in entry.items() if name != "hash"})
        assert header.hash() == entry["hash"]
        assert Header.decode(header.encode()) == header
    for entry in document["epochs"]:
        assert epoch_hash(entry["epoch"], entry["batches"], entry["last"]) == entry["hash"]


def check_blob(pool: list[bytes], entry: Entry) -> None:
    """The commitment to records in a blob, and their proofs."""
    count, root = entry["record_count"], entry["data_root"]
    blob = pack(b"".join(pool[:count]))
    header = Header(bytes(32), 0, 0, 0, 3, 0, count, BLOBS.number, root, bytes(32))
    batch = Batch(header, (), tuple(pool[:count]), module=BLOBS)
    assert hash_commitment(commit(blob)) == root and batch.module_data == blob
    assert Batch.read(header, (), blob, BLOBS).records == batch.records
    for proof in entry["proofs"]:
        assert verify_record(header, 3 + proof["index"], proof["record_page"], [], BLOBS) == pool[proof["index"]]


def find_family(entry: Entry, otherwise: str) -> str:
    """Blobs are by themselves: their set-up takes seconds to load."""
    return "blobs" if entry["header"]["module"] == BLOBS.number else otherwise


def join_data(entry: Entry) -> bytes:
    """All of the data whose parts stand in the vector."""
    data = bytearray(entry["size"])
    for first, part in entry["parts"]:
        data[first : first + len(part)] = part
    return bytes(data)


def check_read(entry: Entry) -> None:
    """A batch from what its module keeps, and its proofs from that."""
    header, data = Header(**entry["header"]), join_data(entry)
    module = MODULES[header.module]
    batch = Batch.read(header, (), data, module)
    batch.check(bytes(32))
    assert batch.records == tuple(entry["records"]) and batch.module_data == data
    for proof in entry["proofs"]:
        found = proof["record_page"], proof["siblings"]
        assert batch.prove(proof["index"]) == found
        assert verify_record(header, proof["index"], *found, module) == batch.records[proof["index"]]


def check_data_root(pool: list[bytes], entry: Entry) -> None:
    """The data root of records, and their proofs."""
    count = entry["record_count"]
    chosen = pool[:count]
    assert data_root(b"".join(chosen)) == entry["data_root"]
    header = Header(bytes(32), 0, 0, 0, 3, 0, count, 0, entry["data_root"], bytes(32))
    for proof in entry["proofs"]:
        found = verify_record(header, 3 + proof["index"], proof["record_page"], proof["siblings"])
        assert found == chosen[proof["index"]]
        assert prove_record(b"".join(chosen), proof["index"]) == (proof["record_page"], proof["siblings"])


def check_queue(entries: list[Entry]) -> None:
    """The queue's chain of hashes."""
    queue_hash = bytes(32)
    for entry in entries:
        queue_hash = extend_queue_hash(queue_hash, entry["message"])
        assert queue_hash == entry["queue_hash"]


def batches_of(run: Entry) -> list[Batch]:
    """The batches of the run."""
    return [Batch(Header(**b["header"]), tuple(b["messages"]), tuple(b["records"])) for b in run["batches"]]


def check_run(run: Entry) -> None:
    """The run from genesis."""
    machine, at_once = (Machine.genesis(run["domain"]["separator"]) for _ in range(2))
    assert machine.hash() == run["genesis"]
    queue_hash = bytes(32)
    for batch, entry in zip(batches_of(run), run["batches"], strict=True):
        batch.check(queue_hash)
        assert Batch.read(batch.header, batch.messages, batch.module_data) == batch
        queue_hash = batch.header.queue_hash
        assert batch.header.hash() == entry["batch_hash"]
        assert [errors.OUTCOMES[outcome] for outcome in at_once.run_batch(batch)] == entry["outcomes"]
        assert at_once.hash() == entry["machine_hash"]
        if not batch.header.inputs:
            machine.run_batch(batch)
        for input_index, (outcome, expected) in enumerate(zip(entry["outcomes"], entry["hashes"], strict=True)):
            assert errors.OUTCOMES[machine.run_input(batch, input_index)] == outcome
            assert machine.hash() == expected
        assert machine.hash() == entry["machine_hash"]
        assert machine.state.tree.root == entry["state_root"]
        assert machine.regs.steps == entry["steps"]
    assert sorted(machine.state.tree.items()) == list(map(tuple, run["leaves"]))


def check_run_proofs(run: Entry, steps: list[Entry]) -> None:
    """The proofs of those steps that the run takes, each made of the whole state before it."""
    machine = Machine.genesis(run["domain"]["separator"])
    known = {(step["first_batch"], step["position"], step["pre"]): step["proof"] for step in steps}
    queue_hash, proven = bytes(32), 0
    for batch in batches_of(run):
        for input_index in range(max(1, batch.header.inputs)):
            micro = 0
            while micro == 0 or machine.regs.phase != phases.IDLE:
                proof = known.get((batch.header.number, input_index << 20 | micro, machine.hash()))
                if proof is None:
                    machine.step(batch, input_index, micro)
                else:
                    assert prove_step(machine, batch, input_index, micro, queue_hash).encode() == proof
                    proven += 1
                micro += 1
        last = max(1, batch.header.inputs) - 1
        for position in (last << 20 | 2**20 - 1, last + 1 << 20, 1023 << 20 | 7, 1 << 30):
            # Where nothing happens: an idle machine, an unused input, an unused batch.
            proof = known.get((batch.header.number, position, machine.hash()))
            if proof is not None:
                of_batch = None if position >> 30 else batch
                place = position >> 20 & 1023, position & 2**20 - 1
                assert prove_step(machine.copy(), of_batch, *place, queue_hash).encode() == proof
        queue_hash = batch.header.queue_hash
    assert 2 * proven > len(steps)


# --- steps ------------------------------------------------------------------------------------------------------------


def body_of(step: Entry, header: Header, input_index: int) -> tuple[bytes, int]:
    """The input, and when it was queued, 0 for one that was not."""
    given = step["input"]
    if input_index < header.message_count:
        return records.split_message(given["message"])
    return verify_record(header, input_index, given["record_page"], given["siblings"]), 0


def check_step(step: Entry, batch_count: int) -> None:
    """A step on nothing but its witness."""
    regs = registers(step["registers"])
    assert machine_hash(step["state_root"], regs.hash()) == step["pre"]
    check_proof(step, regs)
    state = State(Tree((leaf["key"], leaf["old"]) for leaf in step["witness"]))

    batch, input_index, micro = step["position"] >> 30, step["position"] >> 20 & 1023, step["position"] & 2**20 - 1
    if batch < batch_count and micro == 0:
        header = Header(*step["input"]["header"])
        if input_index == 0:
            begin_batch(regs, header.number, header.timestamp)
        if input_index < header.inputs:
            body, queued_at = body_of(step, header, input_index)
            fetch(regs, state, body, input_index, input_index < header.message_count, queued_at)
    elif batch < batch_count:
        apply_step(regs, state)

    assert [(key, encode_leaf(key, leaf)) for key, leaf in state.touched.items()] == [
        (leaf["key"], leaf["new"]) for leaf in step["witness"]
    ]
    expected = registers(step["registers_after"])
    assert {name: getattr(regs, name) for name in FIELDS} == {name: getattr(expected, name) for name in FIELDS}
    root = step["state_root"]
    for leaf in step["witness"]:
        path = Path(leaf["bitmap"], tuple(leaf["siblings"]))
        assert fold(leaf["key"], leaf["old"], path) == root
        root = fold(leaf["key"], leaf["new"], path)
    assert root == step["state_root_after"]
    assert machine_hash(root, regs.hash()) == step["post"]


def check_proof(step: Entry, regs: Registers) -> None:
    """The encoded proof of a step."""
    given = step["input"]
    step_input = StepInput(
        tuple(given["header"]), given["message"], given["record_page"], tuple(given["siblings"]), given["queue_hash"]
    )
    witness = tuple(
        WitnessLeaf(leaf["key"], leaf["old"], Path(leaf["bitmap"], tuple(leaf["siblings"]))) for leaf in step["witness"]
    )
    assert StepProof(step["state_root"], regs.encode(), step_input, witness).encode() == step["proof"]


def fetch(regs: Registers, state: State, body: bytes, input_index: int, is_message: bool, queued_at: int) -> None:
    """The first step of an input."""
    regs.input_index = input_index
    regs.steps += 1
    step_fetch(regs, state, body, is_message, queued_at)


# --- histories --------------------------------------------------------------------------------------------------------


def check_history(run: Entry, document: Entry) -> None:
    """The history of the run."""
    start = Machine.genesis(run["domain"]["separator"])
    found = EpochRun(start, batches_of(run), bytes(32))
    assert found.start_hash == document["start"]
    assert (found.root, found.end) == (document["root"], document["end"])
    assert found.end == run["batches"][-1]["machine_hash"]
    for entry in document["leaves"]:
        assert found.leaf(entry["position"]) == entry["leaf"]
        assert found.path(entry["position"]) == entry["path"]
    assert (found.children(0, 0), found.last_path()) == (document["join"]["children"], document["join"]["path"])
    assert found.proof(document["proof"]["position"]) == document["proof"]["proof"]
    moves = document["moves"]
    for entry, before in zip(moves[2::2], moves[1::2], strict=True):
        assert (entry["mover"], before["mover"]) == ("truth", "lie")
        level, prefix = entry["level"], entry["prefix"]
        move = make_move(
            found.children(level, prefix),
            before["children"],
            lambda index: found.children(level + 1, prefix * 32 + index),  # noqa: B023
        )
        assert move == read_move(entry)


def check_kept_histories(run: Entry, document: Entry) -> None:
    """The history of the run, of leaves at hand, of trees that are kept elsewhere, and with no room for leaves."""
    machine = Machine.genesis(run["domain"]["separator"])
    machine.many_accounts = EVERY_STEP
    start, batches = machine.hash(), batches_of(run)
    traced = trace_inputs(machine, batches, honest_step)
    hashes = [[list(leaves) for leaves in islice(traced, used_inputs(batch))] for batch in batches]
    trees = [[PaddedTree(leaves, leaves[-1], 0, EPOCH.micro_bits) for leaves in of_batch] for of_batch in hashes]
    shape = [[(tree.root, tree.padding[0]) for tree in of_batch] for of_batch in trees]
    ways = (
        HistoryTree.of(start, hashes),
        HistoryTree.over(start, shape, lambda batch, input_index: trees[batch][input_index]),
        HistoryTree(start, hashes, lambda batch, input_index: hashes[batch][input_index], kept_nodes=0),
    )
    for found in ways:
        assert (found.root, found.end, found.node(0, 0)) == (document["root"], document["end"], document["root"])
        assert (found.children(0, 0), found.last_path()) == (document["join"]["children"], document["join"]["path"])
        assert history_trees.fold(b"".join(found.children(0, 0))) == found.root
        for entry in document["leaves"]:
            assert found.leaf(entry["position"]) == entry["leaf"]
            assert found.path(entry["position"]) == entry["path"]
            assert found.children(EPOCH.levels, entry["position"]) == [entry["leaf"]]


def check_full_epoch(run: Entry, entry: Entry) -> None:
    """The history of an epoch of as many batches as there may be."""
    headers = [Header(**header) for header in entry["headers"]]
    batches = [Batch(header, (), (entry["record"],) * header.record_count) for header in headers]
    for batch in batches:
        batch.check(bytes(32))
    assert epoch_hash(0, len(batches), batches[-1].header.hash()) == entry["epoch_hash"]
    found = EpochRun(Machine.genesis(run["domain"]["separator"]), batches, bytes(32))
    assert (found.root, found.end) == (entry["root"], entry["end"])
    assert (found.children(0, 0), found.last_path()) == (entry["join"]["children"], entry["join"]["path"])
    for leaf in entry["leaves"]:
        assert (found.leaf(leaf["position"]), found.path(leaf["position"])) == (leaf["leaf"], leaf["path"])


def read_move(entry: Entry) -> Move:
    """A move by its fields."""
    return Move(*(entry[name] for name in ("index", "children", "their_child", "common", "mine", "theirs")))


def check_join(document: Entry) -> None:
    """What shows that an end is under a root."""
    join = document["join"]
    assert merkle_root(join["children"]) == document["root"]
    assert climb(join["end"], 2**30 - 1, join["path"]) == join["children"][31]
    for entry in document["leaves"]:
        assert climb(entry["leaf"], entry["position"], entry["path"]) == document["root"]


def check_moves(document: Entry) -> None:
    """The moves lead from both roots to the step that is proven."""
    nodes = {"truth": document["root"], "lie": document["lie"]["root"]}
    openings = {"truth": document["join"]["children"], "lie": document["lie"]["children"]}
    prefix = 0
    for level, entry in enumerate(document["moves"]):
        mover = entry["mover"]
        opponent = "lie" if mover == "truth" else "truth"
        assert (entry["level"], entry["prefix"]) == (level, prefix)
        move = read_move(entry)
        assert verify_move(move, nodes[mover], nodes[opponent], is_last=level == 6)
        if level == 0:
            assert make_move(openings[mover], openings[opponent], lambda _: move.children) == move  # noqa: B023
        nodes = {mover: merkle_root(move.children), opponent: move.their_child}
        prefix = prefix * 32 + move.index
    proof = document["proof"]
    assert proof["position"] == prefix
    assert (proof["truth_leaf"], proof["lie_leaf"]) == (nodes["truth"], nodes["lie"])
    for root in (document["root"], document["lie"]["root"]):
        # The state before is common to both, though the siblings of one history do not fit the other.
        assert (climb(proof["pre"], prefix - 1, proof["path"]) == root) == (root == document["root"])
    assert proof["post"] == proof["truth_leaf"] != proof["lie_leaf"]


# --- what L1 refuses --------------------------------------------------------------------------------------------------


class Refused(Exception):
    """What reverts, for a reason."""


def list_refused_checks(document: Entry, run: Entry) -> Iterator[Check]:
    """Proofs, moves, joins and batches that are refused."""
    posted = [batch["batch_hash"] for batch in run["batches"]]
    queue = [bytes(32)]
    for message in (message for batch in run["batches"] for message in batch["messages"]):
        queue.append(extend_queue_hash(queue[-1], message))
    for family, judge in (
        ("proofs", partial(judge_proof, document["batch_count"], posted, queue)),
        ("moves", judge_move),
        ("joins", judge_join),
        ("batches", judge_batch),
        ("data", judge_data),
    ):
        for entry in document[family]:
            file = find_family(entry, "refused") if family == "data" else "refused"
            yield Check(file, f"{family}: {entry['name']}", partial(check_refused, judge, entry))


def check_refused(judge: Callable[[Entry], None], entry: Entry) -> None:
    """It is refused, for its reason."""
    try:
        judge(entry)
    except Refused as reason:
        assert str(reason) == entry["reason"]
    else:
        raise AssertionError("it was taken")


def refuse_unless(holds: bool, reason: str) -> None:
    """Raises Refused."""
    if not holds:
        raise Refused(reason)


class WitnessLeaves:
    """What a state asks of a tree: the leaves of a witness, each once, in their order."""

    def __init__(self, witness: list[tuple[int, bytes, int, list[bytes]]]) -> None:
        self.witness = witness
        self.place = 0

    def get(self, key: int) -> bytes:
        """The value of the leaf that is next. Raises Refused if it is another one, or not written as leaves are."""
        refuse_unless(self.place < len(self.witness), "witness_leaves")
        found, value, *_ = self.witness[self.place]
        refuse_unless(found == key, "witness_key")
        self.place += 1
        try:
            # A leaf is written in one way: what is not that has not its width.
            decoded = DECODERS[key >> keys.BODY_BITS](value)
            refuse_unless(not value or encode_leaf(key, decoded) == value, "witness_value")
        except (struct.error, ValueError):
            raise Refused("witness_value") from None
        return value


def judge_proof(batch_count: int, posted: list[bytes], queue: list[bytes], entry: Entry) -> None:
    """As the judge on L1: raises Refused if the proof is none."""
    state_root, words, given, witness = decode(PROOF_TYPES, entry["proof"])
    encoded = b"".join(word.to_bytes(32, "big") for word in words)
    refuse_unless(machine_hash(state_root, keccak(encoded)) == entry["pre"], "wrong_pre")
    phase = words[FIELDS.index("phase")]
    batch, input_index, micro = entry["position"] >> 30, entry["position"] >> 20 & 1023, entry["position"] & 2**20 - 1
    given_leaves = WitnessLeaves(list(witness))
    state = State(cast(Tree, given_leaves))
    if batch < batch_count and micro == 0:
        words, message, record_page, siblings, queue_hash = given
        header = Header(*words)
        refuse_unless(header.hash() == posted[entry["first_batch"] + batch], "wrong_input")
        regs = Registers.decode(encoded)
        if input_index == 0:
            begin_batch(regs, header.number, header.timestamp)
        if input_index < header.message_count:
            refuse_unless(len(message) == records.MESSAGE_BYTES, "wrong_input")
            at = header.first_message + input_index + 1
            refuse_unless(extend_queue_hash(queue_hash, message) == queue[at], "wrong_input")
            body, queued_at = records.split_message(message)
            fetch(regs, state, body, input_index, True, queued_at)
        elif input_index < header.inputs:
            try:
                body = verify_record(header, input_index, record_page, list(siblings))
            except errors.WitnessError as error:
                raise Refused(error.reason) from None
            fetch(regs, state, body, input_index, False, 0)
    elif batch < batch_count and phase != phases.IDLE:
        refuse_unless(phase < len(phases.NAMES), "wrong_phase")
        apply_step(Registers.decode(encoded), state)
    refuse_unless(given_leaves.place == len(witness), "witness_leaves")
    root = state_root
    for (key, value, bitmap, siblings), leaf in zip(witness, state.touched.values(), strict=True):
        try:
            path = Path(bitmap, tuple(siblings))
            refuse_unless(fold(key, value, path) == root, "witness_path")
            root = fold(key, encode_leaf(key, leaf), path)
        except errors.WitnessError as error:
            raise Refused(error.reason) from None


def judge_move(entry: Entry) -> None:
    """As the court on L1: raises Refused if the move is none."""
    move = read_move(entry)
    is_last = entry["level"] == EPOCH.levels - 1
    if verify_move(move, entry["mover"], entry["opponent"], is_last=is_last):
        return
    refuse_unless(move.index < EPOCH.fanout, "child_index")
    refuse_unless(len(move.children) == (1 if is_last else EPOCH.fanout), "children_length")
    refuse_unless(merkle_root(move.children) != move.their_child, "children_equal")
    raise Refused("wrong_opening")


def judge_join(entry: Entry) -> None:
    """As the court on L1: raises Refused if the children do not lead to the end."""
    refuse_unless(entry["end"] != bytes(32), "zero_hash")
    refuse_unless(climb(entry["end"], 2**30 - 1, entry["path"]) == entry["children"][31], "history_end")


def judge_batch(entry: Entry) -> None:
    """As whoever rebuilds a batch: raises Refused if its inputs are not those of its header."""
    try:
        Batch(Header(**entry["header"]), tuple(entry["messages"]), tuple(entry["records"])).check(entry["queue_hash"])
    except errors.DataError as error:
        raise Refused(error.reason) from None


def judge_data(entry: Entry) -> None:
    """As whoever rebuilds a batch without messages from its data: raises Refused if that, or the records beside it, are
    not those of the header."""
    header, data = Header(**entry["header"]), join_data(entry)
    module, kept = MODULES[header.module], tuple(entry["records"])
    try:
        Batch.read(header, (), data, module).check(bytes(32))
        Batch(header, (), kept, data, module).check(bytes(32))
    except errors.DataError as error:
        raise Refused(error.reason) from None


# --- scenes -----------------------------------------------------------------------------------------------------------


class Played(NamedTuple):
    """What came of an input of a scene: micro-steps, and a hash over registers and leaves after each of them."""

    steps: int
    trace: bytes


def play_input(machine: Machine, batch: Entry, input_index: int, limit: int = 2**20) -> Played:
    """One input of a scene's batch, step by step; of a batch without any, its beginning.

    `limit`: steps after which the machine is no longer waited for.
    """
    regs, messages, inputs = machine.regs, batch["messages"], batch["records"]
    _change(machine, batch["changes"], input_index, 0)
    if input_index == 0:
        begin_batch(regs, batch["number"], batch["timestamp"])
    steps, trace = 0, bytes(32)
    if input_index < len(messages):
        body, queued_at = records.split_message(messages[input_index])
        fetch(regs, machine.state, body, input_index, True, queued_at)
        steps, trace = 1, extend_trace(trace, machine)
    elif input_index < len(messages) + len(inputs):
        fetch(regs, machine.state, inputs[input_index - len(messages)], input_index, False, 0)
        steps, trace = 1, extend_trace(trace, machine)
    while steps and regs.phase != phases.IDLE and steps < limit:
        _change(machine, batch["changes"], input_index, steps)
        apply_step(regs, machine.state)
        steps, trace = steps + 1, extend_trace(trace, machine)
    return Played(steps, trace)


def extend_trace(trace: bytes, machine: Machine) -> bytes:
    """The trace of an input after one more step, whose leaves are written then: keccak of the trace before, the hash of
    the registers, and key (5 bytes) and keccak of the value of each leaf, in the order in which they were used."""
    used = list(machine.state.touched)
    machine.state.commit()
    return keccak(trace + machine.regs.hash() + hash_leaves((key, machine.state.tree.get(key)) for key in used))


def hash_leaves(leaves: Iterable[tuple[int, bytes]]) -> bytes:
    """Keys and hashes of values, one after the other."""
    return b"".join(key.to_bytes(5, "big") + keccak(value) for key, value in leaves)


def _change(machine: Machine, changes: list[Entry], input_index: int, micro: int) -> None:
    """What the scene sets by hand before this step."""
    for entry in changes:
        if (entry["input"], entry["micro"]) == (input_index, micro):
            make_change(machine, entry)


def make_change(machine: Machine, entry: Entry) -> None:
    """Set registers, leaves and bytes of leaves by hand."""
    for name, value in entry["registers"].items():
        setattr(machine.regs, name, value)
    tree = machine.state.tree
    tree.update(dict(entry["leaves"]))
    for key, start, part in entry["bytes"]:
        value = tree.get(key)
        tree.update({key: value[:start] + part + value[start + len(part) :]})
    machine.state = State(tree)


def list_variants(scene: Entry, batch: Entry, input_index: int) -> Iterator[Entry]:
    """The batch as each variant of an input has it, with what comes of the variant."""
    messages, inputs = batch["messages"], batch["records"]
    for variant in scene["variants"]:
        if (variant["batch"], variant["input"]) == (batch["number"], input_index):
            given = [*messages, *inputs]
            if variant["body"]:
                given[input_index] = variant["body"]
            yield batch | variant | {"messages": given[: len(messages)], "records": given[len(messages) :]}


def check_scene(scene: Entry, domain: bytes) -> None:
    """A scene from genesis, with what comes of each input and of its variants."""
    machine = begin_late(domain)
    for batch in scene["batches"]:
        for input_index, expected in enumerate(batch["hashes"]):
            for variant in list_variants(scene, batch, input_index):
                twin = machine.copy()
                played = play_input(twin, variant, input_index)
                assert errors.OUTCOMES[twin.regs.outcome] == variant["outcome"]
                assert twin.regs.steps == variant["steps"]
                assert played.trace == variant["trace"]
                assert twin.hash() == variant["hash"], (batch["number"], input_index, variant)
            played = play_input(machine, batch, input_index)
            assert errors.OUTCOMES[machine.regs.outcome] == batch["outcomes"][input_index]
            assert machine.regs.steps == batch["steps"][input_index]
            assert played.trace == batch["traces"][input_index]
            assert machine.hash() == expected, (batch["number"], input_index)
    assert not scene["leaves"] or sorted(machine.state.tree.items()) == list(map(tuple, scene["leaves"]))
