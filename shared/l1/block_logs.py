"""All events of a block, and no doubt that they are all: absence is proven, never assumed.

A header's bloom has every address with an event in it, so one that it lacks has none. Where the bloom may have one, all
receipts of the block are read and hashed to its receipts root. A full block's bloom has most addresses by chance, so in
one of those the contracts are asked for first: a storage root that has not changed since the block before shows that
nothing happened either, in a hundredth of the bytes.

The node's own filter for events is not asked: neither that it leaves out nothing nor that it knows what to leave out
can be seen from its answer.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from setoff.shared.errors import ChainError
from setoff.shared.l1.abilities import PROOFS
from setoff.shared.l1.answers import Block, Log, TransactionReceipt
from setoff.shared.l1.block_receipts import read_receipts
from setoff.shared.l1.headers import may_hold, take_block
from setoff.shared.l1.rpc import Node, to_hex
from setoff.shared.l1.storage import prove

CROWDED: Final = 32
"""Transactions in a block from which on its receipts are so many that two proofs are cheaper."""

PROOF_PATIENCE: Final = 1.0
"""Seconds for a proof that only saves work."""

log = logging.getLogger(__name__)


class BlockLogs:
    """The events of some contracts, block by block. May be shared by threads."""

    def __init__(self, node: Node, addresses: Iterable[bytes]) -> None:
        """`addresses`: 20 bytes each. Of contracts whose every event changes their storage, as all of ours do."""
        self.node = node
        self.addresses = tuple(sorted(addresses))
        self._has_told = False

    def read(self, block: Block) -> list[Log]:
        """All their events in this block, in order. Raises ChainError if no node can prove what they are."""
        block = self._seal(block)
        # A header that does not hash to the block's hash binds neither bloom nor state: then nothing is passed over.
        hits = [address for address in self.addresses if not block.is_sealed or may_hold(block.bloom, address)]
        if not hits:
            return []
        if block.is_sealed and len(block.transactions) > CROWDED and self._are_unchanged(block, hits):
            return []
        return [
            _bind(entry, block, receipt)
            for receipt in self._read_receipts(block)
            for entry in receipt.logs
            if entry.address in hits
        ]

    def _seal(self, block: Block) -> Block:
        """The block as an endpoint shows it whose header hashes to its hash, if there is one."""
        if block.is_sealed or len(self.node.endpoints) < 2:
            return block
        shown = self.node.ask_each("eth_getBlockByHash", to_hex(block.hash), False, take=take_block)
        sealed = (each for each in shown if isinstance(each, Block) and each.is_sealed and each.hash == block.hash)
        return next(sealed, block)

    def _read_receipts(self, block: Block) -> Sequence[TransactionReceipt]:
        if not block.is_sealed and not self._has_told:
            self._has_told = True
            log.warning("headers of this chain have fields unknown here: receipts are taken on the node's word")
        return read_receipts(self.node, block)

    def _are_unchanged(self, block: Block, addresses: Sequence[bytes]) -> bool:
        """Whether it is proven that the block changed none of these contracts."""
        if not block.number:
            return False
        try:
            if not PROOFS.is_had_by(self.node):
                return False
            before = self.node.block_by_hash(block.parent)
            return all(
                prove(self.node, address, before, PROOF_PATIENCE).storage_root
                == prove(self.node, address, block, PROOF_PATIENCE).storage_root
                for address in addresses
            )
        except ChainError as error:
            log.debug("no proof of block %d: %s", block.number, error)
        return False


def _bind(entry: Log, block: Block, receipt: TransactionReceipt) -> Log:
    """An event of a block, where it is: the receipts' root binds all of it but that."""
    return replace(
        entry, block_number=block.number, block_hash=block.hash, timestamp=block.timestamp, sender=receipt.sender
    )
