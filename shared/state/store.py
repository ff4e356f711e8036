"""The state as the rules see it: typed leaves, loaded on first use, written back together.

`State` keeps a cache of decoded leaves in front of a `Tree`. Rules change leaves in place; `commit` encodes every
leaf used since the last one and re-roots once. `touched` lists keys in order of first use, which is the order of a
witness. With a journal open, a first use also saves the leaf, so that a refused record can be undone. `used` collects
the accounts handed out or taken back, for whoever set it to a set: it keeps figures of its own about them. `seen`
collects, for whoever set it to a dictionary, every leaf that was used up to the last `commit`, with its value before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any, Final, NamedTuple, cast, get_args

from setoff.shared.state import keys, leaves
from setoff.shared.state.fields import make_getter
from setoff.shared.state.leaves import (
    Account,
    Activity,
    Agent,
    Bitmap,
    Leaf,
    Level,
    Market,
    Oracle,
    Order,
    Parked,
    Position,
    Request,
    Signers,
    Terms,
    Withdrawal,
)
from setoff.shared.state.tree import Tree

_ENCODERS: Final[dict[int, Callable[..., bytes]]] = {
    keys.ACCOUNT: leaves.encode_account,
    keys.ORDER: leaves.encode_order,
    keys.LEVEL: leaves.encode_level,
    keys.BITMAP: leaves.encode_bitmap,
    keys.MARKET: leaves.encode_market,
    keys.ORACLE: leaves.encode_oracle,
    keys.SIGNERS: leaves.encode_signers,
    keys.WITHDRAWAL: leaves.encode_withdrawal,
    keys.AGENT: leaves.encode_agent,
    keys.PARKED: leaves.encode_parked,
    keys.HOLDERS: leaves.encode_bitmap,
    keys.REQUEST: leaves.encode_request,
    keys.TERMS: leaves.encode_terms,
    keys.ACTIVITY: leaves.encode_activity,
}

_MARKETS: Final = keys.market_key(0)
_LIVE: Final = keys.MAX_MARKET + 1
_NAMES: Final[dict[type, tuple[str, ...]]] = {
    kind: tuple(field.name for field in fields(kind)) for kind in (*get_args(Leaf), Position)
}
_GETTERS: Final = {kind: make_getter(kind, names) for kind, names in _NAMES.items()}
_get_market_fields: Final = _GETTERS[Market]
_get_position: Final = _GETTERS[Position]


def encode_leaf(key: int, leaf: Leaf) -> bytes:
    """Value of `leaf` under `key` (the key's kind chooses the encoding)."""
    return _ENCODERS[key >> keys.BODY_BITS](leaf)


class _Saved(NamedTuple):
    """What `undo` needs of a leaf: its fields, lists copied, and those of an account's positions."""

    leaf: Leaf
    fields: tuple[Any, ...]
    positions: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, leaf: Leaf) -> _Saved:
        # Every record that is tried saves some ten leaves, and hardly any comes back: reading fields is far cheaper
        # than making a second leaf of them.
        values = _GETTERS[type(leaf)](leaf)
        if isinstance(leaf, Account):
            return cls(leaf, values, tuple(map(_get_position, leaf.positions)))
        if isinstance(leaf, (Oracle, Signers)):
            values = tuple(list(value) if isinstance(value, list) else value for value in values)
        return cls(leaf, values, ())

    def restore(self) -> Leaf:
        """Give the leaf back what it had."""
        for name, value in zip(_NAMES[type(self.leaf)], self.fields, strict=True):
            setattr(self.leaf, name, value)
        for position, values in zip(getattr(self.leaf, "positions", ()), self.positions, strict=True):
            for name, value in zip(_NAMES[Position], values, strict=True):
                setattr(position, name, value)
        return self.leaf


class State:
    """Typed access to a tree. Every accessor returns the one live object of its key."""

    __slots__ = ("_cache", "_journal", "_live", "_markets", "_written", "seen", "touched", "tree", "used")

    def __init__(self, tree: Tree | None = None) -> None:
        self.tree = Tree() if tree is None else tree
        self.touched: dict[int, Leaf] = {}
        self._cache: dict[int, Leaf] = {}
        self._markets: dict[int, tuple[object, ...]] = {}  # fields of markets as they were last written to the tree
        self._written: dict[int, bytes] = {}  # leaves that were written as bytes since the last commit
        self._journal: dict[int, _Saved] | None = None
        self._live: list[Market | None] = [None] * _LIVE  # markets, of which no further use has to be noted, by id
        self.used: set[int] | None = None
        self.seen: dict[int, bytes] | None = None

    def _load(self, key: int, decode: Callable[[bytes], Leaf]) -> Leaf:
        leaf = self.touched.get(key)
        if leaf is None:
            leaf = self._cache.get(key)
            if leaf is None:
                leaf = decode(self._read(key))
                self._cache[key] = leaf
            self.touched[key] = leaf
        if self._journal is not None and key not in self._journal:
            self._journal[key] = _Saved.of(leaf)
        return leaf

    def account(self, account: int) -> Account:
        """Account leaf by id."""
        if self.used is not None:
            self.used.add(account)
        return cast(Account, self._load(keys.account_key(account), leaves.decode_account))

    def order(self, handle: int) -> Order:
        """Order leaf by handle."""
        return cast(Order, self._load(keys.order_key(handle), leaves.decode_order))

    def level(self, market: int, side: int, tick: int) -> Level:
        """Price level of one side of a market."""
        return cast(Level, self._load(keys.level_key(market, side, tick), leaves.decode_level))

    def bitmap(self, tree: int, depth: int, number: int) -> Bitmap:
        """The word of a tree (`keys.level_tree`, `keys.holder_tree`) at `depth` that covers `number`."""
        return cast(Bitmap, self._load(keys.bitmap_key(tree, depth, number), leaves.decode_bitmap))

    def market(self, market: int) -> Market:
        """Market leaf by id."""
        if market >= _LIVE:
            return cast(Market, self._load(_MARKETS | market, leaves.decode_market))
        leaf = self._live[market]
        if leaf is None:
            leaf = cast(Market, self._load(_MARKETS | market, leaves.decode_market))
            self._live[market] = leaf  # by far the most frequent access
        return leaf

    def oracle(self, market: int) -> Oracle:
        """Latest reports on a market."""
        return cast(Oracle, self._load(keys.oracle_key(market), leaves.decode_oracle))

    def signers(self) -> Signers:
        """The set of oracle signers."""
        return cast(Signers, self._load(keys.signers_key(), leaves.decode_signers))

    def withdrawal(self, index: int) -> Withdrawal:
        """Withdrawal leaf by index."""
        return cast(Withdrawal, self._load(keys.withdrawal_key(index), leaves.decode_withdrawal))

    def agent(self, master: int, agent: int) -> Agent:
        """Agent `agent` of a master account."""
        return cast(Agent, self._load(keys.agent_key(master, agent), leaves.decode_agent))

    def parked(self, index: int) -> Parked:
        """Parked record by its number."""
        return cast(Parked, self._load(keys.parked_key(index), leaves.decode_parked))

    def request(self, account: int) -> Request:
        """What an account has asked of the backstop."""
        return cast(Request, self._load(keys.request_key(account), leaves.decode_request))

    def terms(self) -> Terms:
        """The exchange's terms."""
        return cast(Terms, self._load(keys.terms_key(), leaves.decode_terms))

    def activity(self, master: int) -> Activity:
        """Activity of a master account's owner."""
        return cast(Activity, self._load(keys.activity_key(master), leaves.decode_activity))

    def values(self, places: Sequence[int]) -> list[bytes]:
        """The encoded leaves under those keys, changes included; that does not count as a use."""
        found = []
        for key in places:
            leaf = self.touched.get(key)
            found.append(self._read(key) if leaf is None else encode_leaf(key, leaf))
        return found

    def _read(self, key: int) -> bytes:
        value = self._written.get(key)
        return self.tree.get(key) if value is None else value

    @property
    def has_journal(self) -> bool:
        """Whether changes may be taken back."""
        return self._journal is not None

    def write(self, values: dict[int, bytes]) -> None:
        """Give leaves these values, encoded, without a use. No journal may be open.

        What was handed out of them before is then no longer the state's.
        """
        for key in values:
            self.touched.pop(key, None)
            self._cache.pop(key, None)
        self._written.update(values)

    def begin_journal(self) -> None:
        """From here on keep what `undo` needs."""
        self._journal = {}
        self._live = [None] * _LIVE

    def end_journal(self) -> None:
        """Keep the changes since `begin_journal`."""
        self._journal = None

    def undo(self) -> None:
        """Take back every change since `begin_journal`, and close the journal."""
        if self._journal is not None:
            for key, saved in self._journal.items():
                self.touched[key] = saved.restore()
                if self.used is not None and key >> keys.BODY_BITS == keys.ACCOUNT:
                    self.used.add(key & 2**keys.BODY_BITS - 1)
        self._journal = None

    def commit(self) -> None:
        """Write the touched leaves to the tree."""
        if self.touched or self._written:
            if self.seen is not None:
                for key in (*self.touched, *self._written):
                    if key not in self.seen:
                        self.seen[key] = self.tree.get(key)
            changes, self._written = self._written, {}
            for key, leaf in self.touched.items():
                kind = key >> keys.BODY_BITS
                if kind == keys.MARKET:
                    # Read at almost every step and seldom changed: comparing is faster than encoding.
                    values = _get_market_fields(leaf)
                    if self._markets.get(key) == values:
                        continue
                    self._markets[key] = values
                changes[key] = _ENCODERS[kind](leaf)
            self.touched.clear()
            self._live = [None] * _LIVE
            if changes:
                self.tree.update(changes)

    def __reduce__(self) -> tuple[type[State], tuple[Tree]]:
        """What `pickle` takes to another process, whichever build runs: the tree, with all that was touched."""
        self.commit()
        return State, (self.tree,)

    def trim(self, limit: int) -> None:
        """Write what was touched, and forget all decoded leaves if there are more than `limit` of them.

        Leaves handed out before are then no longer the state's.
        """
        self.commit()
        if len(self._cache) > limit and self._journal is None:
            self._cache.clear()
            self._live = [None] * _LIVE
