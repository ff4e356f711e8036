"""Funding that is due to many accounts at once. Twin, where modules are compiled: ``settling.c``.

Here it is the rule itself, account by account; in C the same is done to the bytes of the leaves.
"""

from __future__ import annotations

from collections.abc import Sequence

from setoff.shared.rules.marks import settle_funding
from setoff.shared.state.leaves import Market, decode_account, encode_account


def settle(values: Sequence[bytes], markets: Sequence[Market]) -> list[bytes]:
    """Leaves of accounts, encoded, after they have paid or received what is due; the markets' pools change by it.

    `markets` has them by id, from 0. Collateral is below 2^120 and what a lot has to pay below 2^63, both by magnitude.
    """
    found = []
    for value in values:
        account = decode_account(value)
        for position in account.positions:
            if position.market:
                settle_funding(account, position, markets[position.market])
        found.append(encode_account(account))
    return found
