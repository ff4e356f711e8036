"""A tree that hashes its nodes only when somebody asks for its root: most steps are asked for their leaves alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

from setoff.shared.machine.machine import Machine
from setoff.shared.state.store import State
from setoff.shared.state.tree import Tree


class LateTree:
    """What a state asks of a tree."""

    __slots__ = ("_dirty", "_tree", "_values")

    def __init__(self, items: Iterable[tuple[int, bytes]] = ()) -> None:
        self._values = dict(items)
        self._dirty = set(self._values)
        self._tree = Tree()

    @property
    def root(self) -> bytes:
        """The 32-byte Merkle root."""
        if self._dirty:
            self._tree.update({key: self.get(key) for key in self._dirty})
            self._dirty.clear()
        return self._tree.root

    def get(self, key: int) -> bytes:
        """The value of `key`, b"" if absent."""
        return self._values.get(key, b"")

    def items(self) -> Iterable[tuple[int, bytes]]:
        """All present leaves, in no particular order."""
        return self._values.items()

    def update(self, changes: Mapping[int, bytes]) -> None:
        """Set every key of `changes` to its value (b"" deletes it)."""
        for key, value in changes.items():
            if value:
                self._values[key] = value
            else:
                self._values.pop(key, None)
        self._dirty.update(changes)

    def copy(self) -> LateTree:
        """An independent tree with the same leaves."""
        twin = LateTree()
        twin._values, twin._dirty, twin._tree = self._values.copy(), self._dirty.copy(), self._tree.copy()
        return twin


def begin_late(domain: bytes) -> Machine:
    """The machine before batch 0, over such a tree."""
    machine = Machine.genesis(domain)
    machine.state = State(cast(Tree, LateTree()))
    return machine
