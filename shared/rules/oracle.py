"""The oracle: registered signers report prices, a quorum's median is the index. Twin: ``contracts/rules/oracle.vy``."""

from __future__ import annotations

from setoff.shared import errors
from setoff.shared.codec import records
from setoff.shared.rules.marks import apply_index, begin_work, is_expired, update_mark
from setoff.shared.state.leaves import MAX_SIGNERS, Oracle, Signers
from setoff.shared.state.registers import Registers
from setoff.shared.state.store import State


def apply_signer(state: State, body: bytes) -> int:
    """Register or replace an oracle signer, by message from L1. Leaves: signers. Returns the outcome."""
    change = records.decode_set_signer(body)
    if change.number >= MAX_SIGNERS or not 1 <= change.quorum <= MAX_SIGNERS or change.max_age == 0:
        return errors.BAD_PARAMETERS
    signers = state.signers()
    signers.owners[change.number] = change.owner
    signers.count = max(signers.count, change.number + 1)
    signers.quorum = change.quorum
    signers.max_age = change.max_age
    return errors.ACCEPTED


def step_report(regs: Registers, state: State) -> None:
    """Take a signer's price; with a quorum of fresh reports the median becomes the index.

    Leaves: signers; once signer and time are found good, the market's reports; if the report is news, or comes late
    through the queue, the market. Of a late one the time is that of its message: what has waited in the queue is judged
    as of then, so that nobody makes it stale by letting it wait. It is news to the market as long as that has no later
    index, and then brings what later reports there are to count, too.
    """
    signers = state.signers()
    outcome = check_report(regs, signers)
    if outcome != errors.ACCEPTED:
        regs.reject(outcome)
        return
    oracle = state.oracle(regs.market)
    is_news = regs.nonce > oracle.times[regs.account]
    stamp = regs.get_stamp()
    is_late = stamp < regs.time
    if not is_news and not is_late:
        regs.reject(errors.STALE_REPORT)
        return
    market = state.market(regs.market)
    if is_late and regs.nonce <= market.index_time:
        regs.reject(errors.STALE_REPORT)
        return
    if is_expired(market, regs.time):
        regs.reject(errors.MARKET_EXPIRED)
        return
    if is_news:
        oracle.prices[regs.account] = regs.price
        oracle.times[regs.account] = regs.nonce
    median = compute_median(oracle, signers, stamp, market.index)
    if median == 0:
        regs.finish()
        return
    mark_before = market.mark
    apply_index(market, median, regs.nonce, regs.time)
    update_mark(market)
    begin_work(regs, mark_before)


def check_report(regs: Registers, signers: Signers) -> int:
    """Whether the report in the registers is a registered signer's and of its time; returns the outcome."""
    if regs.account >= signers.count or signers.owners[regs.account] != regs.signer:
        return errors.UNKNOWN_SIGNER
    stamp = regs.get_stamp()
    if regs.nonce > stamp + signers.max_age:
        return errors.FUTURE_REPORT
    if regs.nonce + signers.max_age < stamp:
        return errors.STALE_REPORT
    return errors.ACCEPTED


def compute_median(oracle: Oracle, signers: Signers, time: int, index: int) -> int:
    """Median, in ticks, of the reports at most max_age seconds old; 0 where there are fewer than the quorum.

    Of an even number the one of the two in the middle that is nearer to `index`, the lower one if neither is. With a
    quorum of 2f + 1 or more, f false reports leave it between two honest ones: on either side of a middle one are at
    least f others.
    """
    fresh: list[int] = []
    for i in range(signers.count):
        if oracle.times[i] and oracle.times[i] + signers.max_age >= time:
            fresh.append(oracle.prices[i])
    if len(fresh) < signers.quorum:
        return 0
    fresh.sort()
    lower = fresh[(len(fresh) - 1) // 2]
    upper = fresh[len(fresh) // 2]
    return upper if lower + upper < 2 * index else lower
