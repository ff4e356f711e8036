# pragma version 0.4.3
"""
@title The oracle: registered signers report prices, a quorum's median is the index
@license MIT
@notice Twin: `shared/rules/oracle.py`.
@dev Times are below 2**64 and ages below 2**32, so their sums cannot overflow.
"""

import errors
from codec import records
from rules import marks
from rules import phases
from state import leaves
from state import registers
from state import store


@internal
@pure
def apply_signer(
    w: store.Witness, body: Bytes[records.RECORD_BYTES]
) -> (DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES], uint256):
    """
    @notice Register or replace an oracle signer, by message from L1. Leaves: signers.
    @return The new values and the outcome.
    """
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES] = w.values
    change: records.SetSignerBody = records.decode_set_signer(body)
    if (
        change.number >= leaves.MAX_SIGNERS
        or change.quorum < 1
        or change.quorum > leaves.MAX_SIGNERS
        or change.max_age == 0
    ):
        store.check_count(w, 0)
        return values, errors.BAD_PARAMETERS
    store.check_count(w, 1)
    signers: leaves.Signers = store.signers(w, 0)
    signers.owners[change.number] = change.owner
    signers.count = max(signers.count, change.number + 1)
    signers.quorum = change.quorum
    signers.max_age = change.max_age
    values[0] = leaves.encode_signers(signers)
    return values, errors.ACCEPTED


@internal
@pure
def step_report(
    pre: registers.Registers, w: store.Witness
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]):
    """
    @notice Take a signer's price; with a quorum of fresh reports the median becomes the index.
            Leaves: signers; once signer and time are found good, the market's reports; if the report is news, or comes
            late through the queue, the market. Of a late one the time is that of its message: what has waited in the queue
            is judged as of then, so that nobody makes it stale by letting it wait. It is news to the market as long as that
            has no later index, and then brings what later reports there are to count, too.
    """
    regs: registers.Registers = pre
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES] = w.values
    signers: leaves.Signers = store.signers(w, 0)
    outcome: uint256 = self.check_report(regs, signers)
    if outcome != errors.ACCEPTED:
        store.check_count(w, 1)
        return registers.reject(regs, outcome), values
    oracle: leaves.Oracle = store.oracle(w, 1, regs.market)
    is_news: bool = regs.nonce > oracle.times[regs.account]
    stamp: uint256 = registers.get_stamp(regs)
    is_late: bool = stamp < regs.time
    if not is_news and not is_late:
        store.check_count(w, 2)
        return registers.reject(regs, errors.STALE_REPORT), values
    store.check_count(w, 3)
    market: leaves.Market = store.market(w, 2, regs.market)
    if is_late and regs.nonce <= market.index_time:
        return registers.reject(regs, errors.STALE_REPORT), values
    if marks.is_expired(market, regs.time):
        return registers.reject(regs, errors.MARKET_EXPIRED), values
    if is_news:
        oracle.prices[regs.account] = regs.price
        oracle.times[regs.account] = regs.nonce
    values[1] = leaves.encode_oracle(oracle)
    median: uint256 = self.compute_median(oracle, signers, stamp, market.index)
    if median == 0:
        return registers.finish(regs), values
    mark_before: uint256 = market.mark
    market = marks.apply_index(market, median, regs.nonce, regs.time)
    values[2] = leaves.encode_market(marks.update_mark(market))
    return marks.begin_work(regs, mark_before), values


@internal
@pure
def check_report(regs: registers.Registers, signers: leaves.Signers) -> uint256:
    """
    @return Outcome: whether the report in the registers is a registered signer's and of its time.
    """
    if regs.account >= signers.count or signers.owners[regs.account] != regs.signer:
        return errors.UNKNOWN_SIGNER
    stamp: uint256 = registers.get_stamp(regs)
    if regs.nonce > stamp + signers.max_age:
        return errors.FUTURE_REPORT
    if regs.nonce + signers.max_age < stamp:
        return errors.STALE_REPORT
    return errors.ACCEPTED


@internal
@pure
def compute_median(oracle: leaves.Oracle, signers: leaves.Signers, time: uint256, index: uint256) -> uint256:
    """
    @notice Of an even number the one of the two in the middle that is nearer to `index`, the lower one if neither is.
            With a quorum of 2f + 1 or more, f false reports leave it between two honest ones: on either side of a
            middle one are at least f others.
    @return Median, in ticks, of the reports at most max_age seconds old; 0 where there are fewer than the quorum.
    """
    fresh: uint256[leaves.MAX_SIGNERS] = empty(uint256[leaves.MAX_SIGNERS])
    count: uint256 = 0
    for i: uint256 in range(signers.count, bound=leaves.MAX_SIGNERS):
        if oracle.times[i] != 0 and oracle.times[i] + signers.max_age >= time:
            # Insert in order: everything greater moves up by one place.
            place: uint256 = count
            for _: uint256 in range(leaves.MAX_SIGNERS):
                if place == 0 or fresh[place - 1] <= oracle.prices[i]:
                    break
                fresh[place] = fresh[place - 1]
                place -= 1
            fresh[place] = oracle.prices[i]
            count += 1
    if count < signers.quorum:
        return 0
    lower: uint256 = fresh[(count - 1) // 2]
    upper: uint256 = fresh[count // 2]
    return upper if lower + upper < 2 * index else lower
