"""All receipts of a block, held against its receipts root: in one answer where the node has that, or one by one."""

from __future__ import annotations

from setoff.shared.errors import ChainError
from setoff.shared.l1.abilities import BLOCK_RECEIPTS
from setoff.shared.l1.answers import Block, TransactionReceipt, take_receipt
from setoff.shared.l1.proofs import compute_receipts_root, take_receipts
from setoff.shared.l1.rpc import Node, to_hex


def read_receipts(node: Node, block: Block) -> list[TransactionReceipt]:
    """In the order of the block's transactions. Raises ChainError if no node shows all of them."""
    if not block.transactions:
        return []
    if BLOCK_RECEIPTS.is_had_by(node):
        root = block.receipts_root
        return node.ask("eth_getBlockReceipts", to_hex(block.hash), take=lambda value: take_receipts(value, root))
    single = [node.ask("eth_getTransactionReceipt", to_hex(each), take=take_receipt) for each in block.transactions]
    if compute_receipts_root(single) != block.receipts_root:
        raise ChainError("rpc_unreachable", f"{node.hosts}: receipts of block {block.number} that are not all of it")
    return single
