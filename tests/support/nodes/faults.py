"""What real nodes do and a development chain does not: one fault a class, each as public reports describe it.

Faults that come now and then count questions, so a test can say how often; `Flaky` draws lots, from a seed.
"""

import json
import random
import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tests.support.nodes.faulty_node import Answer, Fault, FaultyNode, Hangup, HttpAnswer, Next, Question

from setoff.shared.l1.abilities import (
    BLOCK_RECEIPTS,
    CARRIES_BLOBS,
    FINALIZED,
    PENDING,
    PROOFS,
    REFUSING_ESTIMATES,
    TIPS,
)

STATE: Final = ("eth_call", "eth_getBalance", "eth_getCode", "eth_getTransactionCount", "eth_estimateGas")
STORAGE: Final = ("eth_getProof", "eth_getStorageAt")
TOLD: Final = ("eth_getLogs", "eth_call", "eth_getStorageAt")
"""What a node answers with nothing that proves it."""
BLOCK_NULLS: Final = ("eth_getBlockByNumber", "eth_getBlockByHash")
RECEIPT_NULLS: Final = ("eth_getTransactionReceipt", "eth_getBlockReceipts")


class Lagging:
    """A backend that is some blocks behind; its answers about later ones are those of a node that has not seen them.

    A log query past its head is answered with what it has, without a word.
    """

    def __init__(self, blocks: int) -> None:
        self.blocks = blocks

    def __call__(self, asked: Question, go_on: Next) -> Answer:
        head = int(go_on(Question("eth_blockNumber", ()))["result"], 16)
        mine = max(head - self.blocks, 0)
        method, params = asked.method, asked.params
        if method == "eth_blockNumber":
            return asked.answer(hex(mine))
        if method == "eth_getBlockByNumber":
            if params[0] in ("latest", "pending"):
                return go_on(asked.ask(hex(mine), params[1]))
            return asked.answer(None) if _is_later(params[0], mine) else go_on(asked)
        if method == "eth_getLogs" and "fromBlock" in params[0]:
            wanted = dict(params[0])
            first, last = int(wanted["fromBlock"], 16), int(wanted["toBlock"], 16)
            return asked.answer([]) if first > mine else go_on(asked.ask({**wanted, "toBlock": hex(min(last, mine))}))
        if method in STORAGE:
            return self._state(asked, go_on, 2, mine)
        if method in STATE:
            return self._state(asked, go_on, 1, mine)
        answer = go_on(asked)
        return asked.answer(None) if _is_later(_block_of(answer.get("result")), mine) else answer

    def _state(self, asked: Question, go_on: Next, place: int, mine: int) -> Answer:
        if len(asked.params) <= place:
            return go_on(asked)
        tag = asked.params[place]
        if tag in ("latest", "pending"):
            return go_on(asked.ask(*asked.params[:place], hex(mine), *asked.params[place + 1 :]))
        return asked.refuse(-32000, "header not found") if _is_later(tag, mine) else go_on(asked)


class Balanced:
    """Every `every`-th question goes to another backend; `methods`: only of these, None: of any."""

    def __init__(self, other: Fault, every: int, methods: Collection[str] | None = None) -> None:
        self.other, self.every, self.methods = other, every, methods
        self.served = 0
        """Answers that the other backend gave."""
        self._count = 0
        self._lock = threading.Lock()

    def __call__(self, asked: Question, go_on: Next) -> Answer:
        with self._lock:
            self._count += 1
            is_other = self._count % self.every == 0 and (self.methods is None or asked.method in self.methods)
            self.served += is_other
        return self.other(asked, go_on) if is_other else go_on(asked)


class Flaky:
    """Now and then the fault happens: with this chance, of these methods (None: of any)."""

    def __init__(self, fault: Fault, chance: float, seed: int, methods: Collection[str] | None = None) -> None:
        self.fault, self.chance, self.methods = fault, chance, methods
        self._random = random.Random(seed)
        self._lock = threading.Lock()

    def __call__(self, asked: Question, go_on: Next) -> Answer:
        with self._lock:
            happens = self._random.random() < self.chance and (self.methods is None or asked.method in self.methods)
        return self.fault(asked, go_on) if happens else go_on(asked)


class Times:
    """The fault happens so many times, of questions of these methods; then the node is perfect."""

    def __init__(self, fault: Fault, times: int, methods: Collection[str]) -> None:
        self.fault, self.left, self.methods = fault, times, methods
        self._lock = threading.Lock()

    def __call__(self, asked: Question, go_on: Next) -> Answer:
        with self._lock:
            happens = self.left > 0 and asked.method in self.methods
            self.left -= happens
        return self.fault(asked, go_on) if happens else go_on(asked)


class Spells:
    """The fault happens to these questions, counted from the first; in between the node is perfect."""

    def __init__(self, fault: Fault, *spells: range) -> None:
        self.fault, self.spells = fault, spells
        self._count = 0
        self._lock = threading.Lock()

    def __call__(self, asked: Question, go_on: Next) -> Answer:
        with self._lock:
            happens = any(self._count in spell for spell in self.spells)
            self._count += 1
        return self.fault(asked, go_on) if happens else go_on(asked)


@dataclass
class LogGaps:
    """Events are left out of log queries, silently: those for which `leaves_out` says so, by default all."""

    leaves_out: Callable[[dict[str, Any]], bool] = lambda entry: True
    left_out: int = 0

    def __call__(self, asked: Question, go_on: Next) -> Answer:
        answer = go_on(asked)
        if asked.method == "eth_getLogs" and answer.get("result"):
            kept = [entry for entry in answer["result"] if not self.leaves_out(entry)]
            self.left_out += len(answer["result"]) - len(kept)
            answer["result"] = kept
        return answer


@dataclass
class Conceals:
    """From this block on nothing has happened, says whatever is not proven: events, calls and storage agree in it."""

    first: int

    def __call__(self, asked: Question, go_on: Next) -> Answer:
        if asked.method == "eth_getLogs":
            answer = go_on(asked)
            answer["result"] = [entry for entry in answer["result"] if int(entry["blockNumber"], 16) < self.first]
            return answer
        if asked.method in TOLD:
            *others, tag = asked.params[: 2 if asked.method == "eth_call" else 3]
            return go_on(asked.ask(*others, hex(self.first - 1) if _is_from(tag, self.first) else tag))
        return go_on(asked)


@dataclass
class Forges:
    """Words of the chain are told otherwise in whatever is not proven: events, calls and storage agree in it. By the
    true words, in hexadecimal, the false ones."""

    words: Mapping[str, str]

    def __call__(self, asked: Question, go_on: Next) -> Answer:
        answer = go_on(asked)
        if asked.method in TOLD and "result" in answer:
            text = json.dumps(answer["result"])
            for true, false in self.words.items():
                text = text.replace(true, false)
            answer["result"] = json.loads(text)
        return answer


@dataclass
class DropTimes:
    """Events come without their block's time, as most nodes have them."""

    def __call__(self, asked: Question, go_on: Next) -> Answer:
        answer = go_on(asked)
        for entry in answer.get("result") or [] if asked.method == "eth_getLogs" else []:
            entry.pop("blockTimestamp", None)
        return answer


@dataclass
class FirstTopicOnly:
    """The filter looks at the first topic alone, and at no address."""

    def __call__(self, asked: Question, go_on: Next) -> Answer:
        if asked.method != "eth_getLogs":
            return go_on(asked)
        wanted = {name: value for name, value in asked.params[0].items() if name != "address"}
        return go_on(asked.ask({**wanted, "topics": wanted.get("topics", [])[:1]}))


@dataclass
class Null:
    """`null` for everything; to be had now and then (`Times`, `Flaky`), for some methods."""

    def __call__(self, asked: Question, go_on: Next) -> Answer:
        return asked.answer(None)


@dataclass
class Malformed:
    """Another type than the method has."""

    result: Any

    def __call__(self, asked: Question, go_on: Next) -> Answer:
        return asked.answer(self.result)


@dataclass
class Unindexed:
    """The index of transactions reaches back so many blocks only."""

    blocks: int

    def __call__(self, asked: Question, go_on: Next) -> Answer:
        answer = go_on(asked)
        if asked.method not in ("eth_getTransactionByHash", "eth_getTransactionReceipt"):
            return answer
        head = int(go_on(Question("eth_blockNumber", ()))["result"], 16)
        number = _block_of(answer.get("result"))
        is_old = number is not None and int(number, 16) < head - self.blocks
        return asked.answer(None) if is_old else answer


@dataclass
class HiddenPool:
    """What is in no block is shown to nobody."""

    def __call__(self, asked: Question, go_on: Next) -> Answer:
        answer = go_on(asked)
        is_pending = asked.method == "eth_getTransactionByHash" and _block_of(answer.get("result")) is None
        return asked.answer(None) if is_pending else answer


@dataclass
class LateReceipts:
    """Receipts are shown so many seconds after they were first asked for."""

    seconds: float
    _first: dict[str, float] = field(default_factory=dict)

    def __call__(self, asked: Question, go_on: Next) -> Answer:
        if asked.method != "eth_getTransactionReceipt":
            return go_on(asked)
        answer = go_on(asked)
        if answer.get("result") is None:
            return answer
        first = self._first.setdefault(asked.params[0], time.monotonic())
        return asked.answer(None) if time.monotonic() < first + self.seconds else answer


@dataclass
class NoPending:
    """No pending block, in words of its own."""

    def __call__(self, asked: Question, go_on: Next) -> Answer:
        is_pending = "pending" in asked.params
        return asked.refuse(-32602, '"pending" is not yet supported') if is_pending else go_on(asked)


@dataclass
class NoMethod:
    """The method is not there; or answers null, for those who mistake what it is asked."""

    method: str
    answers_null: bool = False

    def __call__(self, asked: Question, go_on: Next) -> Answer:
        if asked.method != self.method:
            return go_on(asked)
        return asked.answer(None) if self.answers_null else asked.refuse(-32601, "Method not found")


@dataclass
class NoFinality:
    """A chain without finality, or too young for it."""

    def __call__(self, asked: Question, go_on: Next) -> Answer:
        return asked.answer(None) if "finalized" in asked.params else go_on(asked)


@dataclass
class EstimatesAnything:
    """An estimate of what would revert is the gas until there."""

    def __call__(self, asked: Question, go_on: Next) -> Answer:
        answer = go_on(asked)
        return asked.answer(hex(60_000)) if asked.method == "eth_estimateGas" and "error" in answer else answer


@dataclass
class NoOverrides:
    """State overrides are passed over in silence."""

    def __call__(self, asked: Question, go_on: Next) -> Answer:
        return go_on(asked.ask(*asked.params[:2]) if asked.method == "eth_call" else asked)


@dataclass
class BlindToBlobs:
    """Calls and estimates are made as if there were no blobs."""

    def __call__(self, asked: Question, go_on: Next) -> Answer:
        if asked.method not in ("eth_call", "eth_estimateGas"):
            return go_on(asked)
        call, *others = asked.params
        return go_on(asked.ask({name: call[name] for name in call if name != "blobVersionedHashes"}, *others))


@dataclass
class NoBlobTransactions:
    """What carries blobs cannot be read."""

    def __call__(self, asked: Question, go_on: Next) -> Answer:
        if asked.method == "eth_sendRawTransaction" and asked.params[0].startswith("0x03"):
            return asked.refuse(-32700, "serialized tx data could not be parsed (Expected 4 values)")
        return go_on(asked)


@dataclass
class Slow:
    """Every answer takes so many seconds."""

    seconds: float

    def __call__(self, asked: Question, go_on: Next) -> Answer:
        time.sleep(self.seconds)
        return go_on(asked)


@dataclass
class Reset:
    """The connection is reset."""

    def __call__(self, asked: Question, go_on: Next) -> Answer:
        raise Hangup


@dataclass
class Elsewhere:
    """Another chain answers: a fork of this one, or one that has the same number by chance."""

    node: FaultyNode
    url: str

    def __call__(self, asked: Question, go_on: Next) -> Answer:
        return self.node.forward(asked, self.url)


LACKS: Final[dict[str, Fault]] = {
    PENDING.name: NoPending(),
    FINALIZED.name: NoFinality(),
    TIPS.name: NoMethod("eth_maxPriorityFeePerGas"),
    BLOCK_RECEIPTS.name: NoMethod("eth_getBlockReceipts", answers_null=True),
    PROOFS.name: NoMethod("eth_getProof"),
    REFUSING_ESTIMATES.name: EstimatesAnything(),
    CARRIES_BLOBS.name: NoBlobTransactions(),
    "state overrides": NoOverrides(),
}
"""What nodes may lack, by what `watcher doctor` calls it."""

RANGE_LIMITS: Final[dict[str, Callable[[Question], Answer]]] = {
    "infura": lambda asked: asked.refuse(-32005, "query returned more than 10000 results"),
    "geth": lambda asked: asked.refuse(-32602, "block range exceeds configured limit"),
    "413": lambda asked: _http(413, asked.refuse(-32600, "response size should not be greater than 150MB")),
    "400": lambda asked: _http(400, asked.refuse(-32062, "Block range is too large")),
    "503": lambda asked: _http(503, b"upstream request timeout"),
    "timeout": lambda asked: asked.refuse(-32000, "Query timeout exceeded. Consider reducing your block range."),
    "ten seconds": lambda asked: asked.refuse(-32002, "query timeout of 10 seconds exceeded"),
    "closed": lambda asked: _hang_up(),
}
"""Eight ways to say that a log query is too wide."""

RATE_LIMITS: Final[dict[str, Callable[[Question], Answer]]] = {
    "429": lambda asked: _http(429, asked.refuse(429, "Too Many Requests"), Retry_After="0"),
    "alchemy": lambda asked: asked.refuse(
        429, "Your app has exceeded its compute units per second capacity. If you have retries enabled, you can safely "
        "ignore this message."
    ),
    "unheard of": lambda asked: asked.refuse(-32099, "slow down, friend"),
}  # fmt: skip
"""Three ways to say that there were too many questions."""


@dataclass
class RangeLimit:
    """Log queries over more than so many blocks are refused, in these words."""

    blocks: int
    wording: str

    def __call__(self, asked: Question, go_on: Next) -> Answer:
        if asked.method == "eth_getLogs" and "fromBlock" in asked.params[0]:
            first, last = (int(asked.params[0][name], 16) for name in ("fromBlock", "toBlock"))
            if last - first + 1 > self.blocks:
                return RANGE_LIMITS[self.wording](asked)
        return go_on(asked)


@dataclass
class RateLimit:
    """Too many questions, in these words; to be had now and then (`Balanced`, `Flaky`)."""

    wording: str

    def __call__(self, asked: Question, go_on: Next) -> Answer:
        return RATE_LIMITS[self.wording](asked)


def _http(status: int, body: Any, **headers: str) -> Answer:
    raise HttpAnswer(status, body, **headers)


def _hang_up() -> Answer:
    raise Hangup


def _is_later(tag: Any, block: int) -> bool:
    """Whether a quantity is a block after that one; no tag, hash or null is."""
    return isinstance(tag, str) and tag.startswith("0x") and len(tag) < 20 and int(tag, 16) > block


def _is_from(tag: Any, block: int) -> bool:
    """Whether a tag means that block or a later one."""
    return tag in ("latest", "pending") or _is_later(tag, block - 1)


def _block_of(result: Any) -> Any:
    """The number of the block that an answer is about."""
    first = result[0] if isinstance(result, list) and result else result
    return first.get("blockNumber", first.get("number")) if isinstance(first, dict) else None
