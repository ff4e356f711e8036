# pragma version 0.4.3
"""
@title Holders: who has a position in a market, so that a change of its price visits them and nobody else
@license MIT
@notice Each market has a tree of bitmap words over all accounts (`bitmaps.vy`). Whose position opens is entered by the steps
        that follow at once. Whose position closes stays entered until the next sweep of the market finds nothing there:
        one visit more, paid for by the trades that opened and closed it. Twin: `shared/rules/holders.py`.
@dev Only a word that is not 0 is visited, and then the account before whose end it was read is at least the 256th.
"""

from rules import bitmaps
from rules import phases
from state import keys
from state import leaves
from state import registers
from state import store


@internal
@pure
def enrol(pre: registers.Registers, account: uint256) -> registers.Registers:
    """
    @notice Have the account entered among the holders of the market in the registers before anything else happens. Two at
            most: both sides of a fill.
    """
    regs: registers.Registers = pre
    if regs.phase != phases.ENROL:
        regs.enrol_phase = regs.phase
        regs.phase = phases.ENROL
    regs.enrol_next = regs.enrol
    regs.enrol = account + 1
    return regs


@internal
@pure
def step_enrol(
    pre: registers.Registers, w: store.Witness
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]):
    """
    @notice Enter one account among the holders of its market. Leaves: bitmap words from the lowest to the top.
    """
    regs: registers.Registers = pre
    store.check_count(w, 3)
    tree: uint256 = keys.holder_tree(regs.market)
    number: uint256 = regs.enrol - 1
    regs.enrol = regs.enrol_next
    regs.enrol_next = 0
    if regs.enrol == 0:
        regs.phase = regs.enrol_phase
        regs.enrol_phase = 0
    return regs, bitmaps.mark(w, 0, tree, number)


@internal
@pure
def step_strike(
    pre: registers.Registers, w: store.Witness
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]):
    """
    @notice Take the account under the sweep, which holds nothing, out of the market's holders, and go on.
            Leaves: bitmap words from the lowest to the top.
    """
    regs: registers.Registers = pre
    store.check_count(w, 3)
    tree: uint256 = keys.holder_tree(regs.trigger_market)
    number: uint256 = self.get_visited(regs.sweep_end, regs.sweep_word)
    regs.sweep_word = self.pass_visited(regs.sweep_word)
    regs.phase = phases.WORK
    return regs, bitmaps.unmark(w, 0, tree, number)


@internal
@pure
def step_gather(
    pre: registers.Registers, w: store.Witness
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]):
    """
    @notice Read the next word of holders: of the market in liquidation for a ranking, else of the one under the sweep.
            Without one the ranking ends, or the sweep does.
            Leaves: as `bitmaps.find_word`.
    """
    regs: registers.Registers = pre
    base: uint256 = 0
    touched: uint256 = 0
    regs.phase = phases.WORK
    if regs.ranking != 0:
        base, regs.rank_word, touched = bitmaps.find_word(w, keys.holder_tree(regs.market), regs.rank_end)
        regs.rank_end = min(base + bitmaps.WORD_BITS, bitmaps.END)
        if regs.rank_word == 0:
            regs = self.end_ranking(regs)
    else:
        base, regs.sweep_word, touched = bitmaps.find_word(w, keys.holder_tree(regs.trigger_market), regs.sweep_end)
        regs.sweep_end = min(base + bitmaps.WORD_BITS, bitmaps.END)
        if regs.sweep_word == 0:
            regs.sweeping = 0
    store.check_count(w, touched)
    return regs, w.values


@internal
@pure
def end_ranking(pre: registers.Registers) -> registers.Registers:
    """
    @notice Turn to those ranked.
    """
    regs: registers.Registers = pre
    regs.ranking = 0
    if regs.ranked0 == 0:
        # Nobody is on the other side who could be deleveraged: the account stays as it is.
        regs.deleveraging = 0
        regs.skip_account = 1
    return regs


@internal
@pure
def get_visited(end: uint256, word: uint256) -> uint256:
    """
    @return The account to visit next: that of the lowest bit of `word`, whose last bit is of the account before `end`.
    """
    return end - bitmaps.WORD_BITS + bitmaps.get_best_bit(word, False)


@internal
@pure
def pass_visited(word: uint256) -> uint256:
    """
    @return Who is left of `word` after that visit.
    """
    return word & (word - 1)
