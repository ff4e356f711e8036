"""The vectors of L1 against the Python implementation: calldata and logs, the batches that they show, and each game.

From what L1 shows of a game alone the epoch is run, its claims get their keys, each move of the truth is made again,
and each verdict is come to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache, partial
from typing import Any, Final

from setoff.shared.codec import eip712, receipts
from setoff.shared.codec.hashing import keccak
from setoff.shared.codec.merkle import merkle_root
from setoff.shared.codec.records import RECORD_BYTES, stamp_message
from setoff.shared.dispute.bisection import Move, make_move, verify_move
from setoff.shared.l1.abi import Interface, load_interface
from setoff.shared.l1.answers import Log
from setoff.shared.machine.batch import ZERO, Batch, Header, encode_words, epoch_hash, extend_queue_hash
from setoff.shared.machine.epoch import EpochRun, Stepper, honest_step
from setoff.shared.machine.history import EPOCH
from setoff.shared.machine.machine import Machine
from setoff.shared.state import keys
from setoff.shared.state.leaves import Withdrawal
from setoff.shared.state.registers import machine_hash
from setoff.shared.state.store import encode_leaf
from setoff.shared.state.tree import Path, fold

Entry = dict[str, Any]
_REFUSED_MOVES: Final = ("child_index", "children_length", "children_equal", "wrong_opening")

load = cache(load_interface)


def list_l1_checks(document: Entry) -> Iterator[tuple[str, Any]]:
    """By name what compares calls, logs and games."""
    for game in document["games"]:
        yield f"calls: {game['name']}", partial(check_calls, game)
        if game["name"] == "receipts":
            yield "game: receipts", partial(check_broken_receipts, game, document)
        else:
            yield f"game: {game['name']}", partial(check_game, game, document)
    yield "claims", partial(check_claims, document)


# --- calls and logs ---------------------------------------------------------------------------------------------------


def check_calls(game: Entry) -> None:
    """Calldata of each call, and the fields of each log, by the contracts' ABIs."""
    for transaction in game["transactions"]:
        name, _, types = transaction["function"].partition("(")
        function = load(transaction["contract"]).functions[name]
        assert f"({','.join(function.inputs)})" == f"({types}"
        assert (
            function.encode([as_value(part) for part in transaction["arguments"].values()]) == transaction["calldata"]
        )
        assert not (transaction["reverts"] and transaction["logs"])
        for log in transaction["logs"]:
            check_log(load(log["contract"]), log)


def as_value(part: Any) -> Any:
    """Tuples without the names of their fields."""
    if isinstance(part, Mapping):
        return tuple(as_value(each) for each in part.values())
    return [as_value(each) for each in part] if isinstance(part, list) else part


def check_log(interface: Interface, log: Entry) -> None:
    """An event's fields, from its topics and data."""
    raw = Log(bytes(20), tuple(log["topics"]), log["data"], 0, ZERO, ZERO, 0, None)
    found = interface.find_event(raw)
    assert found is not None
    assert log["event"] == f"{found.name}({','.join(kind for _, kind, _ in found.fields)})"
    assert log["indexed"] == [name for name, _, is_topic in found.fields if is_topic]
    fields = {name: list(value) if isinstance(value, tuple) else value for name, value in found.decode(raw).items()}
    assert fields == log["fields"]


def list_events(game: Entry) -> Iterator[tuple[Entry, str, Entry]]:
    """Every log: its transaction, the event's name, its fields."""
    for transaction in game["transactions"]:
        for log in transaction["logs"]:
            yield transaction, log["event"].partition("(")[0], log["fields"]


# --- what L1 shows ----------------------------------------------------------------------------------------------------


def read_batches(game: Entry) -> list[Batch]:
    """The posted batches, by logs and calldata alone."""
    messages: list[bytes] = []
    queue = [ZERO]
    found: list[Batch] = []
    for transaction, event, fields in list_events(game):
        if event == "MessageQueued":
            assert fields["index"] == len(messages)
            messages.append(stamp_message(fields["body"], fields["timestamp"]))
            queue.append(extend_queue_hash(queue[-1], messages[-1]))
            assert queue[-1] == fields["queue_hash"]
        elif event == "BatchPosted":
            header = Header(**{name: fields[name] for name in Header.__dataclass_fields__})
            taken = messages[header.first_message : header.first_message + header.message_count]
            data = transaction["arguments"]["records"]
            assert transaction["calldata"][196 : 196 + len(data)] == data
            batch = Batch.read(header, taken, data)
            batch.check(queue[header.first_message])
            assert header.parent == (found[-1].header.hash() if found else ZERO)
            assert fields["batch_hash"] == header.hash() == transaction["arguments"]["expected"]
            found.append(batch)
    return found


def lie_with(wrong: Mapping[int, int]) -> Stepper:
    """Honest but for what is added to the register `sequence` after the steps at these trace positions."""

    def step(machine: Machine, batch: Batch, input_index: int, micro: int) -> None:
        honest_step(machine, batch, input_index, micro)
        machine.regs.sequence += wrong.get((batch.header.number << 10 | input_index) << 20 | micro, 0)

    return step


def check_claims(document: Entry) -> None:
    """Claim keys."""
    for claim in document["claims"]:
        assert keccak(encode_words(claim["epoch_hash"], claim["start"], claim["round"])) == claim["key"]
    logs = [fields for game in document["games"] for _, event, fields in list_events(game) if event == "Claimed"]
    assert [fields["key"] for fields in logs] == [claim["key"] for claim in document["claims"]]


# --- games ------------------------------------------------------------------------------------------------------------


def check_game(game: Entry, document: Entry) -> None:
    """All that an honest party has to find out, and to say."""
    batches = read_batches(game)
    count = document["epoch_batches"]
    domain = eip712.domain_separator(document["chain_id"], game["contracts"]["vault"])
    start = Machine.genesis(domain, document["backstop_delay"])
    truth = EpochRun(start, batches[:count], ZERO)
    for lie in game["lies"]:
        wrong = {each["position"]: each["more"] for each in lie["wrong"]}
        assert EpochRun(start, batches[:count], ZERO, lie_with(wrong)).root == lie["history"]
    expected = epoch_hash(0, count, batches[count - 1].header.hash())
    court = Court(truth)
    for transaction in game["transactions"]:
        name = transaction["function"].partition("(")[0]
        if transaction["reverts"] is None or transaction["reverts"] in _REFUSED_MOVES:
            getattr(court, f"see_{name}", lambda *_: None)(transaction["arguments"], transaction)
    for _, event, fields in list_events(game):
        if event == "Claimed":
            assert (fields["epoch_hash"], fields["start"]) == (expected, start.hash())
        if event == "Advanced":
            assert fields["start"] == truth.end


class Match:
    """Two histories that differ, where they are: nodes and openings by root."""

    def __init__(self, openings: Mapping[bytes, list[bytes]]) -> None:
        self.nodes = {root: root for root in openings}
        self.openings = dict(openings)
        self.level = self.prefix = 0


class Court:
    """What the calls of a game come to; the truth's own are made again."""

    def __init__(self, truth: EpochRun) -> None:
        self.truth = truth
        self.openings: dict[bytes, list[bytes]] = {}
        self.matches: dict[frozenset[bytes], Match] = {}

    def see_join(self, given: Entry, transaction: Entry) -> None:
        """The root of the children."""
        root = merkle_root(given["children"])
        self.openings[root] = given["children"]
        assert transaction["logs"][-1]["fields"]["root"] == root
        if root == self.truth.root:
            assert (given["children"], given["path"]) == (self.truth.children(0, 0), self.truth.last_path())
            assert given["end"] == self.truth.end

    def see_move(self, given: Entry, transaction: Entry) -> None:
        """A move is the one that there is; the truth would make the same."""
        mover, opponent = given["mover"], given["opponent"]
        pair = frozenset((mover, opponent))
        match = self.matches.setdefault(pair, Match({root: self.openings[root] for root in pair}))
        move = Move(*(given[name] for name in ("index", "children", "their_child", "common", "mine", "theirs")))
        is_last = match.level == EPOCH.levels - 1
        is_right = verify_move(move, match.nodes[mover], match.nodes[opponent], is_last=is_last)
        assert is_right == (transaction["reverts"] is None)
        if not is_right:
            return
        level, prefix = match.level, match.prefix
        if mover == self.truth.root:
            own = self.truth.children(level, prefix)
            below = lambda index: self.truth.children(level + 1, EPOCH.fanout * prefix + index)  # noqa: E731
            assert make_move(own, match.openings[opponent], below) == move
        match.nodes = {mover: merkle_root(move.children), opponent: move.their_child}
        match.openings[mover] = move.children
        match.level, match.prefix = level + 1, prefix * EPOCH.fanout + move.index

    def see_prove(self, given: Entry, transaction: Entry) -> None:
        """Who has another leaf than the step's result is out."""
        match = self.matches[frozenset((given["a"], given["b"]))]
        position, post = match.prefix, self.truth.leaf(match.prefix)
        assert match.level == EPOCH.levels and given["proof"] == self.truth.proof(position)
        assert given["pre"] == self.truth.machine_before(position).hash()
        out = [log["fields"]["root"] for log in transaction["logs"] if log["event"].startswith("Eliminated(")]
        assert set(out) == {root for root, leaf in match.nodes.items() if leaf != post}

    def see_withdraw(self, given: Entry, transaction: Entry) -> None:
        """The leaf is under the confirmed machine hash."""
        if given["epoch"] != 0:
            return
        assert machine_hash(given["state_root"], given["registers_hash"]) == self.truth.end
        key = keys.WITHDRAWAL << keys.BODY_BITS | given["index"]
        leaf = encode_leaf(key, Withdrawal(given["account"], given["owner"], given["amount"]))
        assert fold(key, leaf, Path(given["bitmap"], tuple(given["siblings"]))) == given["state_root"]


# --- receipts ---------------------------------------------------------------------------------------------------------


def check_broken_receipts(game: Entry, document: Entry) -> None:
    """Who signed each receipt that was shown, and which of them took the bond."""
    domain = eip712.domain_separator(document["chain_id"], game["contracts"]["vault"])
    operator = next(t["sender"] for t in game["transactions"] if t["function"] == "deposit_bond()")
    headers = {batch.header for batch in read_batches(game)}
    for transaction in game["transactions"]:
        name, given = transaction["function"].partition("(")[0], transaction["arguments"]
        if not name.startswith("prosecute"):
            continue
        shown = [
            (receipts.Receipt(**given[each]), given[f"{each}_signature" if each != "receipt" else "signature"])
            for each in ("first", "second", "receipt")
            if each in given
        ]
        signers = [receipts.recover(domain, *each) for each in shown]
        assert (signers != [operator] * len(shown)) == (transaction["reverts"] == "bad_signature")
        if "header" in given:
            assert Header(**given["header"]) in headers
        if transaction["reverts"] is None:
            (slashed,) = [log["fields"] for log in transaction["logs"] if log["event"].startswith("Slashed(")]
            assert is_broken(name, [receipt for receipt, _ in shown], given)
            assert slashed["receipt"] in [receipts.digest(domain, receipt) for receipt, _ in shown]


def is_broken(name: str, shown: list[receipts.Receipt], given: Entry) -> bool:
    """Whether these cannot all be kept, or were not."""
    first, last = shown[0], shown[-1]
    if name == "prosecute_conflict":
        if first.sequence == last.sequence:
            return first != last
        return last.sequence == first.sequence + 1 and last.running != receipts.extend(first.running, last.record)
    header = given["header"]
    if name == "prosecute_omission":
        is_reached = bool(header["first_record"] + header["record_count"] > first.sequence)
        return header["timestamp"] > first.deadline and not is_reached
    start = (first.sequence - header["first_record"]) % 8 * RECORD_BYTES
    return keccak(given["record_page"][start : start + RECORD_BYTES]) != first.record
