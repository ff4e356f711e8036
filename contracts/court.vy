# pragma version 0.4.3
# pragma evm-version cancun
"""
@title Court
@license MIT
@notice Decides what the posted batches end at, and which claims about it are paid or slashed. One honest watcher wins
        any dispute with one bond, whatever the number of liars, within a constant delay; disputes about several epochs
        at once take a bond each, at most ceil(challenge_period / claim_interval) + 1 as long as nobody is censored.
        Every call costs the same however many claims, histories and matches there are. Nobody owns it.
@dev One idea a module: `claims` (and the confirmed chain), `stakes`, `histories`, `matches`, `credits`, `settlement`,
     `payments`, and the `terms` they share.
"""

from court import claims
from court import credits
from court import histories
from court import matches
from court import payments
from court import settlement
from court import stakes
from court import terms

initializes: terms
initializes: payments
initializes: stakes[payments := payments, terms := terms]
initializes: claims[stakes := stakes, terms := terms]
initializes: histories[claims := claims, terms := terms]
initializes: credits[terms := terms]
initializes: matches[claims := claims, credits := credits, histories := histories, terms := terms]
initializes: settlement[
    claims := claims,
    credits := credits,
    histories := histories,
    payments := payments,
    stakes := stakes,
    terms := terms,
]

exports: (
    claims.__interface__,
    credits.__interface__,
    histories.__interface__,
    matches.__interface__,
    payments.__interface__,
    settlement.__interface__,
    stakes.__interface__,
    terms.__interface__,
)


@deploy
def __init__(vault: address, inbox: address, judge: address, terms_: terms.Terms, backstop_delay: uint256):
    """
    @param vault Names the EIP-712 domain, and so the genesis machine hash.
    @param inbox Where the batches are posted.
    @param judge Runs one step.
    @param backstop_delay Seconds from a request for shares of the backstop, or for its money, to its price.
    """
    assert backstop_delay < 2**64, "bad_terms"
    assert vault != empty(address), "zero_address"
    terms.__init__(inbox, judge, terms_)
    claims.__init__(vault, backstop_delay)
