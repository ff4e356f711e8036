"""The operator's receipt bond, seen to when the publisher starts: it owns the account's nonces."""

from __future__ import annotations

import logging

from setoff.shared.config.deployment_file import Deployment
from setoff.shared.errors import ChainError
from setoff.shared.l1.connection import L1
from setoff.shared.l1.receipts import ReceiptsContract, deposit_bond

log = logging.getLogger(__name__)


def put_up_bond(l1: L1, deployment: Deployment) -> bool:
    """Put up what is missing of the bond, from the account of `l1`; returns whether the whole bond stands then.

    Not while an exit is announced, which it would call off; nor after a slashing, which somebody has to look into
    first. What then has to be done is logged. Raises ChainError if L1 cannot be read.

    It is tried once a start. One that is in no block in time is not sent again here, but kept up by the account's
    sender; after a restart it is replaced, under its nonce. The contract takes more than the bond: what came twice all
    the same is the operator's, and leaves with the bond.
    """
    contract = ReceiptsContract(l1, deployment.receipts)
    bond = contract.bond()
    if bond.stands:
        return True
    missing = max(bond.needed - bond.held, 0)
    if bond.exit_at:
        problem = f"its exit is announced for {bond.exit_at}"
    elif contract.slashings(deployment.block):
        problem = "it was slashed: find out why before you put up another"
    else:
        try:
            l1.transact(deployment.receipts, deposit_bond(), missing)
        except ChainError as error:
            problem = f"putting up {missing} wei failed: {error}"
        else:
            log.info("put up %d wei as the receipt bond", missing)
            return True
    log.error("receipts are not bonded, and worth little: %s. `setoff receipts bond put-up` does it by hand", problem)
    return False
