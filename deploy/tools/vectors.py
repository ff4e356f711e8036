"""The conformance vectors: every encoding, hash and step of the protocol as bytes, for other implementations.

    python -m setoff.deploy.tools.vectors [DIRECTORY]      # tests/vectors of the work tree unless given

The same files byte for byte on every run; what each holds is said in ``shared/PROTOCOL.md``. Bytes are hex strings with
0x, an absent leaf is "0x", integers are numbers, and strings where they exceed 2^53.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from setoff.deploy.simulation.faults import plan_fault
from setoff.deploy.simulation.sample_traffic import (
    CHAIN_ID,
    START_TIME,
    VAULT,
    SampleTraffic,
    agent_key,
    oracle_key,
    play_epoch,
    trader_key,
)
from setoff.deploy.tools.batch_vectors import build_batches
from setoff.deploy.tools.refused_vectors import build_refused
from setoff.deploy.tools.witness_vectors import build_witnesses
from setoff.shared import errors
from setoff.shared.codec import eip712, receipts, records, signatures
from setoff.shared.codec.hashing import keccak
from setoff.shared.codec.layout import values_of
from setoff.shared.dispute.bisection import make_move
from setoff.shared.machine.batch import MAX_INPUTS, Batch, epoch_hash
from setoff.shared.machine.data import ZERO
from setoff.shared.machine.epoch import EpochRun
from setoff.shared.machine.history import EPOCH
from setoff.shared.machine.machine import Machine
from setoff.shared.machine.witness import StepProof, prove_step
from setoff.shared.rules import phases
from setoff.shared.rules.agents import SESSION_BITS
from setoff.shared.rules.fees import DAY
from setoff.shared.rules.nonces import MAX_NONCE_JUMP
from setoff.shared.state import keys
from setoff.shared.state.leaves import (
    MARKET,
    Account,
    Activity,
    Agent,
    Bitmap,
    Level,
    Oracle,
    Order,
    Position,
    Request,
    Signers,
    Terms,
    Withdrawal,
    decode_activity,
)
from setoff.shared.state.registers import FIELDS, Registers, machine_hash
from setoff.shared.state.store import encode_leaf
from setoff.shared.state.tree import EMPTY, Tree
from setoff.shared.wire.receipts import sign_group
from setoff.shared.wire.scopes import Scope

DIRECTORY: Final = Path(__file__).resolve().parents[2] / "tests" / "vectors"
"""Where the files of this work tree are."""

_EXACT: Final = 2**53
_OF_HOLDERS: Final = ("enrol", "strike")
NAMES: Final[dict[int, str]] = {number: kind.title.lower() for number, kind in records.TYPES.items()}
"""Record and message types with their names."""


def plain(value: Any) -> Any:
    """`value` as JSON has it: bytes in hex, great integers as strings, objects by their fields."""
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, int):
        return value if abs(value) <= _EXACT else str(value)
    if isinstance(value, Mapping):
        return {name: plain(part) for name, part in value.items()}
    if hasattr(value, "_asdict"):
        return plain(value._asdict())
    if is_dataclass(value):
        return {name: plain(getattr(value, name)) for name in sorted(field.name for field in fields(value))}
    return [plain(part) for part in value]


def build(edges: dict[str, Any] | None = None, known: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """All vectors: file name to document. `edges`: those of the scenes, by default as committed; `{}` is filled with
    what a search finds, in half a minute; `known`: scenes whose variants are not played again."""
    traffic = SampleTraffic()
    batches = [
        *play_epoch(traffic),
        refuse_everything(traffic),
        hold(traffic),
        *manage_agents(traffic),
        *hold_auctions(traffic),
        *save_fees(traffic),
        ask(traffic),
        report_late(traffic),
        *wind_down(traffic),
    ]
    steps, history = build_steps(traffic, batches), build_history(batches)
    return {
        "codec.json": build_codec(batches),
        "leaves.json": build_leaves(),
        "tree.json": build_tree(),
        "batches.json": plain(build_batches(batches)),
        "runs.json": build_run(traffic, batches),
        "steps.json": steps,
        "histories.json": history,
        "refused.json": plain(build_refused(steps["steps"], history, batches)),
        "witnesses.json": plain(build_witnesses(batches, traffic.domain)),
        # Games on L1 and the judge's scenes are the tests' own, which nothing imports but this tool.
        "l1.json": import_module("tests.support.l1_vectors").build_l1(),
        "scenes.json": import_module("tests.support.scene_vectors").build_scenes(edges, known),
    }


def write(directory: Path = DIRECTORY, *, documents: Mapping[str, Any] | None = None) -> None:
    """Write every file, of documents that were made before if they are given; else also where the scenes' edges are."""
    directory.mkdir(parents=True, exist_ok=True)
    if documents is None:
        edges: dict[str, Any] = {}
        documents = build(edges)
        import_module("tests.support.scene_vectors").write_edges(edges)
    for name, document in documents.items():
        (directory / name).write_text(render(document))


def render(document: Any) -> str:
    """The text of a file: one line for each entry of a list at the top, so that changes show in a diff."""
    parts = []
    for name, value in document.items():
        if isinstance(value, list):
            lines = ",\n".join(json.dumps(entry) for entry in value)
            parts.append(f"{json.dumps(name)}: [\n{lines}\n]")
        else:
            parts.append(f"{json.dumps(name)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


# --- inputs -----------------------------------------------------------------------------------------------------------


def refuse_everything(traffic: SampleTraffic) -> Batch:
    """A batch after `play_epoch` in which inputs are refused for every reason that a batch can reach by itself.

    (Missing are ``step_cap``, which takes four million steps first, and ``busy`` and ``parked``, which take accounts by
    the thousand; `build_steps` starts such steps from registers.)
    """
    traffic.time += 1
    size = phases.MAX_ORDER_SIZE
    messages = [
        traffic.deposit(10, 2**90),
        traffic.deposit(0, 5),
        traffic.deposit(11, 2**96),
        traffic.list_market(14),
        traffic.list_market(11, unit=1, band=100_000, max_position=4 * size),
        traffic.list_market(12, maker_fee=-501),
        traffic.list_market(12),
        traffic.list_market(13, step_band=10_000, max_open_interest=5),
        traffic.set_market(14),
        traffic.set_signer(7),
        bytes([0x85]) + bytes(123),
    ]
    good = traffic.cancel(10, 0)
    sub = keys.sub_account(10, 1)
    inputs = [
        *(traffic.report(number, 1_000, market=market) for market in (11, 13) for number in (0, 1)),
        traffic.order(10, records.BUY, 1_000, 6, market=13),
        *(traffic.report(number, 2_000, market=13, time=traffic.time + 1) for number in (0, 1)),
        traffic.order(10, records.BUY, 1_000, 1, market=13),
        # shape and range
        bytes([records.UNUSED]) + bytes(123),
        traffic.deposit(10, 1),
        good[:30] + b"\1" + good[31:],
        traffic.order(10, 2, 1_000, 1, market=11),
        traffic.order(10, records.BUY, 1_000, 1, market=11, flags=128),
        traffic.order(10, records.BUY, 1_000, 1, market=11, flags=records.ABOVE | records.FOK, trigger=1_001),
        traffic.order(10, records.BUY, 1_000, 1, market=11, agent=9),
        traffic.cancel_all(10, agent=9),
        traffic.set_agent(10, 0, 0),
        traffic.order(77, records.BUY, 1_000, 1, market=11),
        traffic.cancel(0, 1),
        traffic.order(10, records.BUY, 1_000, 1, market=14),
        traffic.report(0, 5, market=0),
        traffic.crank(14),
        traffic.order(10, records.BUY, 0, 1, market=11),
        traffic.report(0, 2**24, market=11),
        traffic.amend(10, 0, 0, 1),
        traffic.order(10, records.BUY, 1_000, 0, market=11),
        traffic.order(10, records.BUY, 1_000, size + 1, market=11),
        traffic.amend(10, 0, 1_000, 0),
        traffic.order(10, records.BUY, 1_000, 1, market=11, order_slot=256),
        traffic.cancel(10, 256),
        traffic.order(10, records.BUY, 1_000, 1, market=11, expiry=traffic.time),
        traffic.transfer(10, 10, 1),
        traffic.transfer(10, 77, 1),
        traffic.transfer(10, 1, 0),
        traffic.transfer(1, sub, 1),
        traffic.withdraw(10, 2**96),
        traffic.withdraw(sub, 1),
        traffic.set_agent(sub, 1, 0),
        traffic.backstop_deposit(10, 0),
        traffic.backstop_withdraw(10, 0),
        # signature, agent and nonce
        good[:60] + bytes(64),
        traffic.sign(good[:60], trader_key(1)),
        SampleTraffic(chain_id=1).cancel(10, 0, nonce=900),
        traffic.cancel_all(10, agent=2),
        traffic.set_agent(10, 2, traffic.time),
        traffic.cancel_all(10, agent=2),
        traffic.cancel(10, 0, nonce=1_000),
        traffic.cancel(10, 0, nonce=1_000),
        traffic.cancel(10, 0, nonce=744),
        traffic.cancel(10, 0, nonce=745),
        # leg pages
        records.encode_leg_page([]),
        # the order and its market
        traffic.order(10, records.BUY, 1_000, 1, market=12, nonce=1_001),
        traffic.order(10, records.BUY, 120, 1, market=12, nonce=1_002, flags=records.ABOVE, trigger=110),
        traffic.order(10, records.BUY, 899, 1, market=11, nonce=1_003),
        traffic.order(10, records.BUY, 100, 1, market=10, nonce=1_004),
        traffic.order(10, records.BUY, 100, 1, market=10, nonce=1_005, flags=records.ABOVE, trigger=110),
        traffic.order(10, records.BUY, 110, 1, market=1, nonce=1_006),
        traffic.order(10, records.BUY, 1_000, size, market=11, order_slot=0, nonce=1_007),
        traffic.order(10, records.BUY, 1_000, 1, market=11, order_slot=0, nonce=1_008),
        traffic.order(
            10, records.BUY, 1_000, 1, market=11, order_slot=0, nonce=1_009, flags=records.ABOVE, trigger=1_001
        ),
        traffic.order(
            10, records.BUY, 1_000, 1, market=11, order_slot=1, nonce=1_010, flags=records.ABOVE, trigger=1_000
        ),
        traffic.order(10, records.SELL, 1_001, 1, market=11, order_slot=1, nonce=1_011, flags=records.REDUCE_ONLY),
        *(traffic.order(10, records.BUY, 1_000, size, market=11, order_slot=n, nonce=1_011 + n) for n in (1, 2, 3)),
        traffic.order(10, records.BUY, 1_000, 1, market=11, order_slot=4, nonce=1_015),
        traffic.order(10, records.SELL, 1_000, 1, market=11, order_slot=4, nonce=1_016, flags=records.CANCEL_TAKER),
        traffic.order(2, records.SELL, 1_001, 1, market=11),
        traffic.order(4, records.SELL, 1_000, 1, market=11, flags=records.POST_ONLY),
        traffic.order(4, records.SELL, 1_001, 1, market=11, flags=records.FOK),
        traffic.order(7, records.SELL, 1_001, 2**31, market=11),
        traffic.transfer(7, 2, 2**40),
        traffic.backstop_deposit(1, 1),
        traffic.backstop_withdraw(8, 2**40),
        traffic.amend(7, 250, 1_000, 1),
        # reports
        traffic.report(3, 1_000, market=11),
        traffic.sign(records.encode(records.ReportBody(0, traffic.time + 1, 11, 7)), oracle_key(1)),
        traffic.report(0, 1_000, market=11, time=traffic.time - 61),
        traffic.report(0, 1_000, market=11, time=traffic.time + 61),
        traffic.report(0, 1_000, market=11),
        traffic.report(0, 1_000, market=10),
        # sells into the great bids: filled, though the maker's other orders stay
        traffic.order(7, records.SELL, 1_000, 3, market=11),
    ]
    return traffic.seal(messages, inputs)


def ask(traffic: SampleTraffic) -> Batch:
    """Requests of the backstop, which `build_steps` also takes where they have to wait."""
    traffic.time += 1
    inputs = [
        traffic.crank(0),
        traffic.backstop_deposit(20, 10**6),
        traffic.backstop_deposit(20, 5),
        traffic.crank(0),
        *(traffic.report(number, 94, market=9) for number in (0, 1)),
        traffic.backstop_withdraw(20, 1_000),
        traffic.backstop_deposit(21, 10**6),
        traffic.backstop_withdraw(20, 2**60),
        traffic.crank(0),
    ]
    return traffic.seal([], inputs)


def hold(traffic: SampleTraffic) -> Batch:
    """Accounts near and far that open, are visited, close, and are taken out of the holders, with their words."""
    traffic.time += 1
    sub = keys.sub_account(20, 3)
    buyers = (sub, 300, 21)

    def trade(seller: int, buyer: int, price: int) -> list[bytes]:
        orders = ((seller, records.SELL), (buyer, records.BUY))
        return [traffic.order(account, side, price, 2, market=11) for account, side in orders]

    def report(late: int) -> list[bytes]:
        return [traffic.report(number, 1_000, market=11, time=traffic.time + late) for number in (0, 1)]

    inputs = [traffic.transfer(20, sub, 10**6)]
    inputs += [body for buyer in buyers for body in trade(22, buyer, 1_005)]
    inputs += report(0)
    # Out of it into the great bids, in again before anybody comes by, and out.
    inputs += [traffic.order(buyer, records.SELL, 1_000, 2, market=11) for buyer in buyers]
    inputs += trade(22, 21, 1_006)
    inputs += [traffic.order(21, records.SELL, 1_000, 2, market=11), *report(1)]
    return traffic.seal([traffic.deposit(account, 10**7) for account in (20, 21, 22, 300)], inputs)


def manage_agents(traffic: SampleTraffic) -> list[Batch]:
    """Agents with scopes, at their edges and beyond; nonces too far; a right taken away, the same key named again."""
    traffic.time += 1
    one, two = keys.sub_account(20, 1), keys.sub_account(20, 15)
    way, end = records.CANCEL_TAKER, traffic.time + 60
    far = MAX_NONCE_JUMP
    scope = Scope((1,), ("Order", "Amend", "Bulk"), (11, 255))
    kept = traffic.cancel_all(20, agent=2)  # of no session yet
    order = partial(traffic.order, side=records.BUY, price=950, size=1, market=11)
    named = [
        traffic.set_agent(20, 1, end, scope=scope),
        traffic.set_agent(20, 2, 2**40),
        traffic.set_agent(20, 3, 2**40, scope=Scope(markets=(11,))),
        traffic.set_agent(20, 5, 2**40, scope=Scope(closes_only=True, max_size=1026)),
        *(traffic.transfer(20, sub, 10**6) for sub in (one, two)),
    ]
    first = 1 << SESSION_BITS
    legs = [
        records.Leg(way, 11, 6, 950, 1),
        records.Leg(0, 11, 7, 950, 1),
        records.Leg(way, 10, 8, 950, 1),
        records.Leg(way | records.SELL_LEG | records.FOK, 11, 8, 950, 1),
        records.Leg(records.CANCEL_LEG, 11, 4),
    ]
    scoped = [
        order(one, order_slot=0, flags=way, agent=1),
        order(one, order_slot=1, agent=1),
        order(two, order_slot=1, flags=way, agent=1),
        traffic.order(one, records.BUY, 100, 1, market=10, order_slot=1, flags=way, agent=1),
        traffic.cancel(one, 0, agent=1),
        traffic.cancel_all(one, agent=1),
        traffic.amend(one, 0, 951, 1, agent=1),
        order(one, order_slot=2),
        traffic.amend(one, 2, 951, 1, agent=1),
        traffic.order(one, records.BUY, 98, 1, market=9, order_slot=4),
        *traffic.bulk(one, legs, agent=1),
        traffic.cancel(one, 4, agent=3),
        traffic.cancel_all(one, agent=3),
        traffic.schedule_cancel(one, 0, agent=3),
        traffic.cancel(one, 2, agent=3),
        order(one, order_slot=12, agent=5),
        order(one, size=1, order_slot=12, flags=records.REDUCE_ONLY, agent=5),
        order(one, size=1026, order_slot=12, flags=records.REDUCE_ONLY, agent=5),
        order(one, size=1027, order_slot=12, flags=records.REDUCE_ONLY, agent=5),
        order(one, order_slot=12),
        traffic.amend(one, 12, 951, 1, agent=5),
        traffic.cancel(one, 12, agent=5),
    ]
    counted = [
        kept,
        traffic.cancel(20, 9, 2 * first, agent=2),
        traffic.cancel(20, 9, 3 * first + 1, agent=2),
        traffic.cancel(20, 9, 2 * first + far + 1, agent=2),
        traffic.cancel(20, 9, 2 * first + far, agent=2),
        traffic.cancel(20, 9, 2**64 - 1),
        traffic.cancel(20, 9, 2**64 - 1, agent=2),
    ]
    old = traffic.cancel(20, 9, 2 * first + far + 7, agent=2)
    changed = [
        traffic.set_agent(20, 2, 0, bytes(20), session=36),
        old,
        traffic.set_agent(20, 2, 2**40, session=5),
        traffic.set_agent(20, 2, 2**40, session=36),
        traffic.set_agent(20, 2, 2**40, session=37 + far),
        traffic.set_agent(20, 4, 0, bytes(20), session=36),
        traffic.set_agent(20, 2, 2**40, session=37),
        old,
        traffic.cancel(20, 9, agent=2),
    ]
    bulk, page = traffic.bulk(one, [records.Leg(way, 11, 9, 950, 1)], agent=1)
    batches = [traffic.seal([], [*named, *scoped, *counted, *changed, bulk])]
    traffic.time = end
    late = order(one, order_slot=3, flags=way, agent=1)
    batches.append(traffic.seal([], [page, page, late]))
    by_hand = traffic.cancel_all(20, agent=2)[: records.BODY_BYTES]
    forced = records.encode(records.ForcedBody(signatures.address_of(agent_key(20, 2)), by_hand))
    bulk, page = traffic.bulk(one, [records.Leg(0, 11, 9, 950, 1)], agent=2)
    batches.append(traffic.seal([forced], [bulk, traffic.set_agent(20, 2, 0, bytes(20), session=69), page]))
    return batches


def hold_auctions(traffic: SampleTraffic) -> list[Batch]:
    """Two calls of a market, and their auctions: one that an order waits for, and one that a crank holds."""
    traffic.time += 1
    own = keys.sub_account(23, 1)
    messages = [traffic.deposit(account, 10**7) for account in (23, 24, 25)]
    messages.append(traffic.list_market(14, call_minutes=1, max_age=600, step_band=10_000, impact=1))
    inputs = [
        *(traffic.report(number, 1_000, market=14) for number in (0, 1)),
        traffic.transfer(23, own, 10**6),
        traffic.order(23, records.BUY, 1_020, 9, market=14),
        traffic.order(24, records.SELL, 980, 4, market=14),
        traffic.order(own, records.SELL, 985, 3, market=14),
        traffic.order(25, records.SELL, 970, 2, market=14, expiry=traffic.time + 30),
        traffic.order(25, records.BUY, 1_001, 5, market=14),
        traffic.order(24, records.SELL, 1_001, 2, market=14, flags=records.POST_ONLY),
        traffic.order(25, records.BUY, 1_030, 1, market=14, flags=records.IOC),
        traffic.crank(14),
    ]
    batches = [traffic.seal(messages, inputs)]
    traffic.time += 60
    inputs = [traffic.order(25, records.SELL, 1_100, 1, market=14, order_slot=9), traffic.crank(14)]
    batches.append(traffic.seal([], inputs))
    traffic.time += 1
    inputs = [
        *(traffic.report(number, 1_100, market=14) for number in (0, 1)),
        *(traffic.cancel_all(account) for account in (23, 24, 25)),
        traffic.order(24, records.BUY, 1_005, 2, market=14),
        traffic.order(25, records.SELL, 990, 3, market=14),
        traffic.order(25, records.SELL, 995, 3, market=14, flags=records.REDUCE_ONLY),
        traffic.order(24, records.BUY, 992, 1, market=14),
    ]
    batches.append(traffic.seal([], inputs))
    traffic.time += 60
    batches.append(traffic.seal([], [traffic.crank(14), traffic.crank(14)]))
    return batches


def save_fees(traffic: SampleTraffic) -> list[Batch]:
    """Terms, refused and taken, fills all along their slope, days that pass, and a liquidation that counts for
    nobody."""
    traffic.time += 1
    terms = {"low": 200, "high": 1_000, "taker_saving": 160_000, "maker_saving": 140_000, "most_rebate": 150_000}
    terms |= {"backstop_share": 100_000, "treasury_share": 450_000, "insurance_floor": 50, "treasury": 10}

    def report(price: int, late: int = 0) -> list[bytes]:
        return [traffic.report(number, price, market=15, time=traffic.time + late) for number in (0, 1)]

    def trade(seller: int, buyer: int, size: int, price: int = 1_000) -> list[bytes]:
        orders = ((seller, records.SELL), (buyer, records.BUY))
        return [traffic.order(account, side, price, size, market=15) for account, side in orders]

    messages = [
        *(traffic.deposit(account, 10**7) for account in (26, 27)),
        traffic.deposit(28, 11_000),
        traffic.list_market(15, taker_fee=1_000, maker_fee=100, max_age=10**6),
        traffic.set_terms(**terms | {"maker_saving": 200_000}),
        traffic.set_terms(**terms),
    ]
    inputs = report(1_000)
    for size in (20, 20, 33, 44, 20):
        inputs += trade(26, 27, size)
    inputs += [traffic.order(26, records.SELL, 1_000, 9, market=15), *trade(26, 28, 10)]
    batches = [traffic.seal(messages, inputs)]
    traffic.time += 3 * DAY
    change = traffic.set_market(15, taker_fee=1_000, maker_fee=-300, max_age=10**6)
    inputs = [*report(1_000), *trade(27, 26, 7), traffic.order(26, records.BUY, 925, 20, market=15), *report(925, 1)]
    inputs.append(traffic.crank(15))
    batches.append(traffic.seal([change], inputs))
    return batches


def report_late(traffic: SampleTraffic) -> Batch:
    """A report that was of its time when it was queued, and is not any more when its batch comes."""
    asked = traffic.time
    traffic.time += 120
    late = traffic.report(0, 1_001, market=11, time=asked + 20)
    return traffic.seal([records.stamp_message(late, asked + 30), late], [late])


def wind_down(traffic: SampleTraffic) -> list[Batch]:
    """The end: records that their senders vouch for, the wind-down, what it refuses, and a market that it settles."""
    traffic.time += 61
    owner, other = signatures.address_of(trader_key(10)), signatures.address_of(trader_key(1))
    empty = records.encode(records.CancelAllBody(10, 1))
    messages = [
        traffic.force(10, traffic.cancel_all(10)),
        records.encode(records.ForcedBody(other, traffic.cancel_all(10)[: records.BODY_BYTES])),
        records.encode(records.ForcedBody(bytes(20), traffic.cancel_all(10)[: records.BODY_BYTES])),
        records.encode(records.ForcedBody(owner, traffic.crank(11)[: records.BODY_BYTES])),
        records.encode(records.ForcedBody(owner, empty[:59] + b"\1")),
        traffic.withdraw(10, 1),
        records.encode(records.WindDownBody()),
        records.encode(records.WindDownBody()),
        traffic.force(10, traffic.order(10, records.BUY, 1_000, 1, market=11, order_slot=9)),
        traffic.crank(11),
    ]
    legs = [records.Leg(records.GTC, 11, 9, 1_000, 1), records.Leg(records.CANCEL_LEG, 11, 9)]
    inputs = [
        traffic.force(10, traffic.cancel_all(10)),
        records.encode(records.WindDownBody()),
        traffic.order(10, records.BUY, 1_000, 1, market=11, order_slot=9),
        traffic.amend(10, 9, 1_000, 1),
        traffic.backstop_deposit(10, 1),
        traffic.report(0, 1_000, market=11),
        *traffic.bulk(10, legs),
    ]
    first = traffic.seal(messages, inputs)
    traffic.time += 60
    inputs = [traffic.report(0, 1_000, market=11), traffic.crank(11), traffic.crank(16), traffic.withdraw(10, 1)]
    return [first, traffic.seal([traffic.deposit(10, 1)], inputs)]


# --- files ------------------------------------------------------------------------------------------------------------


def _fields(data: bytes) -> dict[str, Any]:
    """The fields of an input by name, those of a market's parameters among them."""
    names = (field.name for field in records.TYPES[data[0]].fields)
    return dict(zip(names, values_of(records.decode(data)), strict=True))


def build_codec(batches: list[Batch]) -> dict[str, Any]:
    """Inputs by field, typed data, signatures."""
    domain = eip712.domain_separator(CHAIN_ID, VAULT)
    signed, cranks, messages, canonical = [], [], [], []
    for data in _distinct_inputs(batches):
        is_canonical = records.is_canonical(data)
        canonical.append({"input": data, "canonical": is_canonical})
        if not is_canonical or data[0] == records.LEG_PAGE:
            continue
        entry: dict[str, Any] = {"type": data[0], "name": NAMES[data[0]], "fields": _fields(data)}
        if data[0] >= records.FIRST_MESSAGE:
            messages.append({**entry, "message": data})
            continue
        if data[0] == records.CRANK:
            cranks.append({**entry, "record": data})
            continue
        body, signature = data[: records.BODY_BYTES], data[records.BODY_BYTES :]
        digest = eip712.digest(domain, body)
        signed.append(
            {
                **entry,
                "body": body,
                "struct_hash": records.struct_hash(body),
                "digest": digest,
                "signature": signature,
                "signer": signatures.recover(digest, signature),
            }
        )
    return {
        "domain": plain({"chain_id": CHAIN_ID, "vault": VAULT, "separator": domain}),
        "records": plain(signed),
        "cranks": plain(cranks),
        "leg_pages": plain(_leg_pages(batches)),
        "messages": plain(messages),
        "canonical": plain([*canonical, *_padded_inputs(batches)]),
        "signatures": plain(_signatures()),
        "receipts": plain(_receipts(domain)),
        "receipt_signatures": plain(_receipt_signatures(domain)),
    }


def _distinct_inputs(batches: list[Batch]) -> Iterator[bytes]:
    """At most six inputs of each type."""
    seen: dict[int, int] = {}
    for batch in batches:
        for data in (*(message[: records.RECORD_BYTES] for message in batch.messages), *batch.records):
            seen[data[0]] = seen.get(data[0], 0) + 1
            if seen[data[0]] <= 6:
                yield data


def _padded_inputs(batches: list[Batch]) -> list[dict[str, Any]]:
    """Inputs with one byte set in the padding, or in the last byte that is used."""
    cases = []
    for kind in sorted(records.TYPES.keys() - {records.LEG_PAGE}):
        size = records.TYPES[kind].size
        end = records.RECORD_BYTES if kind >= records.FIRST_MESSAGE else records.BODY_BYTES
        # A type may use every byte.
        for at in {size - 1: None, min(size, end - 1): None, end - 1: None}:
            data = bytearray(records.RECORD_BYTES)
            data[0], data[at] = kind, 1
            cases.append({"input": bytes(data), "canonical": at < size or at >= end})
    unknown = (0, records.UNUSED, records.LIQUIDATION, records.FIRST_MESSAGE, max(records.TYPES) + 1, 0xFF)
    cases += [{"input": bytes([kind]) + bytes(123), "canonical": False} for kind in unknown]
    return cases


def _leg_pages(batches: list[Batch]) -> Iterator[dict[str, Any]]:
    """The leg pages of the batches by field, with the hash that names each."""
    for batch in batches:
        for data in batch.records:
            if data[0] == records.LEG_PAGE:
                packed = data[1 : 1 + records.LEGS_PER_PAGE * records.LEG_BYTES]
                legs = [
                    records.decode_leg(int.from_bytes(packed[at : at + records.LEG_BYTES], "big"))
                    for at in range(0, len(packed), records.LEG_BYTES)
                ]
                following = data[1 + len(packed) : 33 + len(packed)]
                yield {"legs": legs, "following": following, "leg_page": data, "hash": keccak(data)}


def _signatures() -> Iterator[dict[str, Any]]:
    """Digests and compact signatures, at every border of the accept set."""
    digest, key = keccak(b"setoff vector"), trader_key(1)
    good = signatures.sign(digest, key)
    r, word = good[:32], int.from_bytes(good[32:], "big")
    s, parity = word & (1 << 255) - 1, word >> 255
    order, half = signatures.CURVE_ORDER, signatures.HALF_ORDER
    cases = [good, r + (s | (1 - parity) << 255).to_bytes(32, "big")]
    numbers = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, order - 1, order, order + 1, 2**256 - 1]
    cases += [number.to_bytes(32, "big") + (1 | p << 255).to_bytes(32, "big") for number in numbers for p in (0, 1)]
    cases += [r + (n | parity << 255).to_bytes(32, "big") for n in (0, 1, half, half + 1, order - s, 2**255 - 1)]
    for n in range(8):
        message = keccak(b"setoff vector %d" % n)
        yield {"digest": message, "signature": signatures.sign(message, key), "signer": signatures.address_of(key)}
    for case in cases:
        yield {"digest": digest, "signature": case, "signer": signatures.recover(digest, case)}


def _receipts(domain: bytes) -> Iterator[dict[str, Any]]:
    """Receipts of the first records of a deployment: numbers, running hashes, digests, signatures. The first four are
    signed by themselves; then come groups under one signature, of two, of five and of eleven."""
    running, key, sequence = bytes(32), trader_key(2), 0
    for size in (1, 1, 1, 1, 2, 5, 11):
        bodies: list[bytes] = []
        group: list[receipts.Receipt] = []
        for _ in range(size):
            bodies.append(keccak(b"setoff receipt %d" % sequence).ljust(records.RECORD_BYTES, b"\1"))
            running = receipts.extend(running, keccak(bodies[-1]))
            group.append(receipts.Receipt(sequence, keccak(bodies[-1]), running, 1_800_000_000 + sequence))
            sequence += 1
        for body, (receipt, signature) in zip(bodies, sign_group(domain, group, key), strict=True):
            entry = {"body": body, **receipt._asdict(), "digest": receipts.digest(domain, receipt)}
            yield {**entry, "signature": signature, "signer": signatures.address_of(key)}


def _receipt_signatures(domain: bytes) -> Iterator[dict[str, Any]]:
    """One receipt with signatures of every length: as many siblings as a group may have, more, and parts of one."""
    key, record = trader_key(2), keccak(b"setoff receipt")
    receipt = receipts.Receipt(0, record, receipts.extend(bytes(32), record), 1_800_000_000)

    def sign(path: bytes) -> bytes:
        node = receipts.hash_receipt(receipt)
        for at in range(0, len(path), 32):
            node = receipts.hash_sorted(node, path[at : at + 32])
        return signatures.sign(receipts.digest_root(domain, node), key) + path

    path = b"".join(keccak(b"sibling %d" % number) for number in range(receipts.MAX_PATH + 1))
    paths = [path[:length] for length in (0, 1, 31, 32, 33, 64, 32 * receipts.MAX_PATH - 1, 32 * receipts.MAX_PATH)]
    for signature in (b"", sign(b"")[:32], sign(b"")[:63], *map(sign, [*paths, path[:-31], path])):
        signer = receipts.recover(domain, receipt, signature)
        yield {**receipt._asdict(), "signature": signature, "signer": signer}


def build_leaves() -> dict[str, Any]:
    """Leaves of every kind, absent ones too, and registers."""
    entries = [
        {"kind": kind, "key": key, "fields": leaf, "value": encode_leaf(key, leaf)} for kind, key, leaf in _leaves()
    ]
    regs = Registers(domain=eip712.domain_separator(CHAIN_ID, VAULT))
    hashed = [_hash_registers(regs.copy())]
    for number, name in enumerate(FIELDS):
        if name not in ("domain", "signer", "bulk"):
            setattr(regs, name, number * 1_000_003)
    regs.signer, regs.amount, regs.bulk = VAULT, 2**128 - 1, keccak(b"page")
    regs.legs0 = regs.legs3 = 2**176 - 1
    regs.ranked0 = regs.owed = 2**112
    regs.nonce = regs.size = 2**64 - 1
    return {"leaves": plain(entries), "registers": plain([*hashed, _hash_registers(regs)])}


def _hash_registers(regs: Registers) -> dict[str, Any]:
    return {
        "fields": {name: getattr(regs, name) for name in FIELDS},
        "words": regs.encode(),
        "hash": regs.hash(),
        "state_root": EMPTY[40],
        "machine_hash": machine_hash(EMPTY[40], regs.hash()),
    }


def _leaves() -> Iterator[tuple[str, int, Any]]:
    account = Account()
    yield "account", keys.account_key(1), account
    account = Account()
    account.owner, account.collateral, account.nonce_top, account.nonce_bitmap = VAULT, -5, 2**64 - 1, 2**255 + 1
    account.deadline, account.shares, account.orders = 2**64 - 1, 2**119, 2**255 + 7
    account.session = 2**32 - 1
    account.positions[0] = Position(1, -(2**38), 3, 2**39, -(2**94), -(2**127), 256)
    account.positions[7] = Position(255, 2**38, 0, 1, 2**94, 2**127 - 1)
    yield "account", keys.account_key(keys.sub_account(keys.MAX_ACCOUNT, keys.MAX_SUB)), account
    account = Account()
    account.collateral = 7
    yield "account", keys.account_key(keys.BACKSTOP), account
    order = Order()
    yield "order", keys.order_key(keys.order_handle(1, 0)), order
    order = Order()
    order.market, order.side, order.flags, order.price, order.size = 255, 1, 38, keys.MAX_TICK, 2**31
    order.prev, order.next, order.sequence, order.client = 2**36 - 1, 4097, 2**63, 7
    order.expiry, order.trigger, order.partner = 2**32 - 1, 5, 256
    yield "order", keys.order_key(keys.order_handle(keys.sub_account(keys.MAX_ACCOUNT, 15), keys.MAX_ORDER_SLOT)), order
    level = Level()
    level.head, level.tail, level.size, level.count = 4096, 8191, 2**63, 256
    yield "level", keys.level_key(255, 1, keys.MAX_TICK), level
    yield "level", keys.level_key(1, 0, 1), Level()
    yield "level", keys.level_key(255, keys.BELOW, 1), level
    for depth in (0, 1, 2):
        bitmap = Bitmap()
        bitmap.word = 1 << keys.bitmap_bit(depth, 0xABCDEF) | 1
        yield "bitmap", keys.bitmap_key(keys.level_tree(3, 1), depth, 0xABCDEF), bitmap
        yield "bitmap", keys.bitmap_key(keys.holder_tree(3), depth, 0xABCDEF), bitmap
    market = MARKET.decode(b"")
    signed = {
        "maker_fee": -100_000,
        "insurance": 2**98,
        "revenue": -(2**97),
        "pool": -(2**98),
        "funding": -(2**96),
        "premium": -(2**40),
    }
    for n, name in enumerate(sorted(MARKET.offsets)):
        setattr(market, name, signed.get(name, 1_000_003 + n))
    market.open_interest, market.twap_sum = 2**62, 2**40
    market.call_minutes, market.scale, market.index_flags, market.settled = 255, 254, 253, 252
    yield "market", keys.market_key(255), market
    oracle = Oracle()
    oracle.prices[0], oracle.times[0], oracle.prices[6], oracle.times[6] = 1, 2**63, keys.MAX_TICK, START_TIME
    yield "oracle", keys.oracle_key(9), oracle
    signers = Signers()
    signers.count, signers.quorum, signers.max_age = 7, 4, 2**32 - 1
    signers.owners = [signatures.address_of(oracle_key(n)) for n in range(7)]
    yield "signers", keys.signers_key(), signers
    yield "signers", keys.signers_key(), Signers()
    withdrawal = Withdrawal()
    withdrawal.account, withdrawal.owner, withdrawal.amount = 77, VAULT, 2**96 - 1
    yield "withdrawal", keys.withdrawal_key(2**36 - 1), withdrawal
    agent = Agent()
    agent.expiry, agent.address, agent.nonce_top, agent.nonce_bitmap = 2**64 - 1, VAULT, 2**64 - 2, 2**255 + 3
    agent.markets, agent.subs, agent.kinds = 0x0102_0000_0000_00FF, 2**15 + 1, records.AGENT_KINDS
    yield "agent", keys.agent_key(keys.MAX_ACCOUNT, keys.MAX_AGENT), agent
    request = Request()
    request.amount, request.due, request.generation = 2**96 - 1, 2**64 - 2, 2**63 + 1
    request.kind, request.next = records.BACKSTOP_WITHDRAW, keys.sub_account(keys.MAX_ACCOUNT, keys.MAX_SUB)
    yield "request", keys.request_key(1), request
    yield (
        "terms",
        keys.terms_key(),
        Terms(2**96 - 2, 2**96 - 1, 999_999, 999_998, 999_997, 999_996, 999_995, 2**32 - 1, 2**31, 9_999, 10_000),
    )
    yield "activity", keys.activity_key(keys.MAX_ACCOUNT), Activity(2**96, 2**64 - 1)


def build_tree() -> dict[str, Any]:
    """The empty subtrees, trees with paths, and a sequence of updates to one tree."""
    last = (1 << 40) - 1
    sets: list[list[tuple[int, bytes]]] = [
        [],
        [(0, b"\1")],
        [(last, b"x" * 640)],
        [(5, b"a"), (4, b"b"), (1 << 39, b"c")],
        [(key * 0x9E3779B9 & last, keccak(b"%d" % key)) for key in range(40)],
    ]
    trees = []
    for items in sets:
        tree = Tree(items)
        asked = sorted({key for key, _ in items[:6]} | {0, 1, last})
        paths = [{"key": key, "value": tree.get(key), **tree.prove(key)._asdict()} for key in asked]
        trees.append({"leaves": items, "root": tree.root, "paths": paths})
    tree, updates = Tree(), []
    for changes in (
        {1: b"a", 2: b"b"},
        {1: b"", 3: b"c"},
        {1: b"a", last: b"d", 2: b"e"},
        {1: b"", 2: b"", 3: b""},
        {last: b""},
    ):
        updates.append({"changes": list(changes.items()), "root": tree.update(changes)})
    return {"empty": plain(EMPTY), "trees": plain(trees), "updates": plain(updates)}


def build_run(traffic: SampleTraffic, batches: list[Batch]) -> dict[str, Any]:
    """Whole batches from genesis."""
    machine = Machine.genesis(traffic.domain)
    genesis = machine.hash()
    entries = []
    for batch in batches:
        outcomes, hashes = [], []
        if not batch.header.inputs:
            machine.run_batch(batch)
        for input_index in range(batch.header.inputs):
            outcomes.append(errors.OUTCOMES[machine.run_input(batch, input_index)])
            hashes.append(machine.hash())
        end = machine.hash()
        entries.append(
            {
                "header": batch.header,
                "batch_hash": batch.header.hash(),
                "messages": batch.messages,
                "records": batch.records,
                "outcomes": outcomes,
                "hashes": hashes,
                "steps": machine.regs.steps,
                "state_root": machine.state.tree.root,
                "machine_hash": end,
            }
        )
    return {
        "domain": plain({"chain_id": CHAIN_ID, "vault": VAULT, "separator": traffic.domain}),
        "genesis": plain(genesis),
        "batches": plain(entries),
        "leaves": plain(sorted(machine.state.tree.items())),
    }


def build_steps(traffic: SampleTraffic, batches: list[Batch]) -> dict[str, Any]:
    """One example of each step that differs in phase, outcome, next phase or number of leaves.

    Of those that enter holders and take them out one for each number of words they change, of fills one for each number
    of owners who save something.
    """
    machine = Machine.genesis(traffic.domain)
    queue_hash = ZERO
    entries: dict[tuple[Any, ...], dict[str, Any]] = {}

    def take(batch: Batch, input_index: int, micro: int, name: str, batch_index: int = 0) -> None:
        before = machine.regs.copy()
        pre = machine.hash()
        proof = prove_step(machine, None if batch_index else batch, input_index, micro, queue_hash)
        after = machine.regs
        tree = machine.state.tree
        changed = sum(tree.get(leaf.key) != leaf.value for leaf in proof.witness) if name in _OF_HOLDERS else -1
        if name == "fill":
            changed = sum(_is_on_slope(leaf.key, leaf.value) for leaf in proof.witness)
        key = (name, after.outcome if after.phase == phases.IDLE else -1, after.phase, len(proof.witness), changed)
        if key not in entries:
            position = batch_index << 30 | input_index << 20 | micro
            entries[key] = _step(name, batch, position, pre, before, proof, machine)

    def take_without_steps(batch: Batch, input_index: int, micro: int) -> None:
        """What becomes of an order or a leg page whose input is out of steps, and how it goes on (an order too late).

        On a machine of its own: the run is another.
        """
        nonlocal machine
        run, machine = machine, machine.copy()
        regs = machine.regs
        regs.steps = regs.started + phases.WORK_LIMIT
        take(batch, input_index, micro, phases.NAMES[regs.phase])
        if regs.phase == phases.IDLE and input_index + 1 < batch.header.inputs:
            name = NAMES.get(batch.body(input_index + 1)[0], "unknown")
            take(batch, input_index + 1, 0, f"fetch {name}")
            regs.expiry = regs.time
            take(batch, input_index + 1, 1, phases.NAMES[regs.phase])
        machine = run

    def take_inputs(batch: Batch) -> None:
        for input_index in range(max(1, batch.header.inputs)):
            name = "unused input"
            if input_index < batch.header.inputs:
                name = f"fetch {NAMES.get(batch.body(input_index)[0], 'unknown')}"
            micro = 0
            while micro == 0 or machine.regs.phase != phases.IDLE:
                if micro and machine.regs.phase in (phases.MATCH, phases.LEG, phases.TALLY, phases.PAIR):
                    take_without_steps(batch, input_index, micro)
                take(batch, input_index, micro, phases.NAMES[machine.regs.phase] if micro else name)
                micro += 1

    for batch in batches:
        if any(body[0] == records.BACKSTOP_WITHDRAW for body in batch.records[6:7]):
            run, machine = machine, machine.copy()
            machine.regs.backstop_delay = 30
            take_inputs(batch)
            machine = run
        take_inputs(batch)
        take(batch, batch.header.inputs - 1 if batch.header.inputs else 0, 2**20 - 1, "idle")
        take(batch, max(1, batch.header.inputs), 0, "unused input")
        take(batch, 1023, 7, "idle")
        take(batch, 0, 0, "unused batch", batch_index=1)
        queue_hash, before = batch.header.queue_hash, queue_hash
    # The steps of a batch used up: a state no batch of ours reaches.
    machine.regs.steps = phases.BATCH_STEP_CAP - phases.INPUT_STEP_BOUND
    queue_hash = before
    last = batches[-1]
    input_index = last.header.message_count
    take(last, input_index, 0, "fetch report")
    # Work that was left by the input before, by a record, by a crank, and at the end of the work that an input may do.
    regs = machine.regs
    regs.steps, regs.has_work, regs.sweeping, regs.sweep_word, regs.sweep_end = 0, 1, 1, 1 << 9, 256
    regs.trigger_market, regs.return_phase, regs.next_phase = 9, phases.WORK, phases.WORK
    take(last, input_index, 0, "fetch report")
    take(last, input_index, 1, "work")
    regs.steps, regs.phase = regs.started + phases.WORK_LIMIT, phases.WORK
    take(last, input_index, 2, "work")
    crank = input_index + last.records.index(traffic.crank(16))
    take(last, crank, 0, "fetch crank")
    # A record of the queue that finds work left is parked; then it goes before another, and that one before a record.
    at = next(
        number
        for number, batch in enumerate(batches)
        if records.WIND_DOWN in (message[0] for message in batch.messages)
    )
    queue_hash = batches[at - 1].header.queue_hash
    forced = max(place for place, body in enumerate(batches[at].messages) if body[0] == records.FORCED)
    regs.has_work, regs.phase = 1, phases.IDLE
    take(batches[at], forced, 0, "fetch forced")
    regs.has_work, regs.sweeping, regs.trigger_market, regs.phase = 0, 0, 0, phases.IDLE
    take(batches[at], forced, 0, "fetch forced")
    regs.phase = phases.IDLE
    take(last, input_index, 0, "fetch report")
    take(last, crank, 0, "fetch crank")
    return {"batch_count": 1, "steps": list(entries.values())}


def _is_on_slope(key: int, value: bytes) -> bool:
    """Whether a leaf is the activity of somebody who saves by the terms of `save_fees`."""
    return key >> keys.BODY_BITS == keys.ACTIVITY and decode_activity(value).amount > 200


def _step(
    name: str, batch: Batch, position: int, pre: bytes, before: Registers, proof: StepProof, after: Machine
) -> dict[str, Any]:
    tree = after.state.tree
    return {
        "name": name,
        "first_batch": batch.header.number,
        "position": position,
        "pre": plain(pre),
        "state_root": plain(proof.state_root),
        "registers": write_registers(before),
        "input": plain(proof.step_input),
        "witness": [
            plain({"key": leaf.key, "old": leaf.value, "new": tree.get(leaf.key), **leaf.path._asdict()})
            for leaf in proof.witness
        ],
        "outcome": errors.OUTCOMES[after.regs.outcome],
        "next_phase": phases.NAMES[after.regs.phase],
        "registers_after": write_registers(after.regs),
        "state_root_after": plain(tree.root),
        "post": plain(after.hash()),
        "proof": plain(proof.encode()),
    }


def write_registers(regs: Registers) -> dict[str, Any]:
    """The registers that are not zero, by name."""
    empty = Registers()
    named = {name: getattr(regs, name) for name in FIELDS}
    return {name: plain(value) for name, value in named.items() if value != getattr(empty, name)}


def build_history(batches: list[Batch]) -> dict[str, Any]:
    """The history of all batches as one epoch, and a game against a lie about a fill."""
    start = Machine.genesis(eip712.domain_separator(CHAIN_ID, VAULT))
    truth = EpochRun(start, batches, ZERO)
    stepper = plan_fault("wrong-fill", start, batches)
    if stepper is None:
        raise AssertionError("the played epoch has a fill")
    lie = EpochRun(start, batches, ZERO, stepper)
    # Positions to an input, and to a batch.
    one, batch = 1 << 20, 1 << 30
    positions = [0, 1, one - 1, one, 13 * one + 2, 13 * one + 40, 1000 * one + 3]
    positions += [batch - 1, batch, batch + 1, 2 * batch + 5]
    positions += [len(batches) * batch, EPOCH.positions - 1]
    game, last = _play(truth, lie)
    return {
        "start": plain(truth.start_hash),
        "batch_count": len(batches),
        "epoch_hash": plain(epoch_hash(0, len(batches), batches[-1].header.hash())),
        "root": plain(truth.root),
        "end": plain(truth.end),
        "join": plain({"children": truth.children(0, 0), "end": truth.end, "path": truth.last_path()}),
        "leaves": plain([{"position": p, "leaf": truth.leaf(p), "path": truth.path(p)} for p in positions]),
        "lie": plain({"root": lie.root, "end": lie.end, "children": lie.children(0, 0)}),
        "moves": plain(game),
        "proof": plain(last),
        "full": plain(build_full_epoch(start)),
    }


def build_full_epoch(start: Machine) -> dict[str, Any]:
    """The history of an epoch of as many batches as there may be: all are empty but the last, which has as many inputs
    as there may be, so that whatever is right of a node is not the last leaf repeated."""
    record, last = bytes(records.RECORD_BYTES), (1 << EPOCH.batch_bits) - 1
    batches: list[Batch] = []
    for number in range(last + 1):
        parent = batches[-1].header.hash() if batches else ZERO
        inputs = [record] * MAX_INPUTS if number == last else ()
        batches.append(Batch.seal(parent, number, START_TIME + 5 * number, 0, 0, ZERO, (), inputs))
    run = EpochRun(start, batches, ZERO)
    first = last << EPOCH.input_bits + EPOCH.micro_bits
    positions = (first - 1, first, first + (1 << EPOCH.micro_bits), EPOCH.positions - 1)
    return {
        "headers": [batch.header for batch in batches],
        "record": record,
        "epoch_hash": epoch_hash(0, len(batches), batches[-1].header.hash()),
        "root": run.root,
        "end": run.end,
        "join": {"children": run.children(0, 0), "end": run.end, "path": run.last_path()},
        "leaves": [{"position": p, "leaf": run.leaf(p), "path": run.path(p)} for p in positions],
    }


def _play(truth: EpochRun, lie: EpochRun) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The seven moves, the truth having joined later, and the proof that ends the match."""
    moves, prefix = [], 0
    sides = {"truth": truth, "lie": lie}
    for level in range(EPOCH.levels):
        mover, opponent = ("truth", "lie") if level % 2 == 0 else ("lie", "truth")
        run, at = sides[mover], prefix
        move = make_move(
            run.children(level, at),
            sides[opponent].children(level, at),
            lambda index, run=run, level=level, at=at: run.children(level + 1, at * 32 + index),  # type: ignore[misc]
        )
        moves.append({"level": level, "prefix": at, "mover": mover, **{n: getattr(move, n) for n in move.__slots__}})
        prefix = prefix * 32 + move.index
    return moves, {
        "position": prefix,
        "pre": truth.leaf(prefix - 1),
        "path": truth.path(prefix - 1),
        "proof": truth.proof(prefix),
        "post": truth.leaf(prefix),
        "truth_leaf": truth.leaf(prefix),
        "lie_leaf": lie.leaf(prefix),
    }


if __name__ == "__main__":
    write(*map(Path, sys.argv[1:2]))
