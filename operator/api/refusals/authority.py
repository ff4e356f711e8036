"""Why a record was refused for who signed it, or for its number."""

from __future__ import annotations

from setoff.operator.api.refusals.question import Explanation, Question
from setoff.shared.codec import eip712, records, signatures
from setoff.shared.rules import phases
from setoff.shared.rules.agents import SESSION_BITS
from setoff.shared.rules.nonces import MAX_NONCE_JUMP, NONCE_WINDOW
from setoff.shared.state import keys
from setoff.shared.wire.scopes import Scope


def explain_malformed(q: Question) -> Explanation:
    """What about its form is wrong."""
    if q.kind not in records.TYPES or q.kind >= records.FIRST_MESSAGE:
        return Explanation(f"there is no record of type {q.kind} that a client sends", {"type": q.kind})
    if not records.is_canonical(q.record):
        return Explanation("the bytes behind the last field, up to the signature, have to be zero", {"type": q.kind})
    if q.regs.agent > keys.MAX_AGENT:
        return Explanation(f"agents have the numbers 1 to {keys.MAX_AGENT}", {"highest_agent": keys.MAX_AGENT})
    if q.kind == records.ORDER:
        text = (
            "side is 0 (buy) or 1 (sell); flags name one time in force, at most one rule against self-trade and one "
            "direction of a trigger; a trigger, 1 tick or more, and a partner belong to armed orders, which are not "
            "fill-or-kill"
        )
        return Explanation(text, {"side": q.regs.side, "flags": q.regs.flags})
    return Explanation(
        "a field of it has a value that it cannot have: see the type's fields at /docs", {"type": q.kind}
    )


def explain_account(q: Question) -> Explanation:
    """Accounts begin with a deposit."""
    text = (
        f"there are the accounts 1 to {q.accounts}, each with sub-accounts up to {keys.MAX_SUB}: an account begins "
        "with its first deposit, which is here once L1 has confirmed it"
    )
    return Explanation(text, {"accounts": q.accounts})


def explain_market(q: Question) -> Explanation:
    """Markets are listed."""
    names = ", ".join(f"{market} {q.scales[market].symbol}" for market in range(1, min(q.markets, 10) + 1))
    return Explanation(f"there are the markets {names or 'none yet'}", {"markets": q.markets})


def explain_signature(q: Question) -> Explanation:
    """Who has signed, and who should have."""
    signer = signatures.recover(eip712.digest(q.regs.domain, q.record), q.record[records.BODY_BYTES :])
    by = "nobody" if signer is None else f"0x{signer.hex()}"
    if q.regs.agent:
        wanted, whose = q.agent.address, f"agent {q.regs.agent} of account {keys.get_master(q.regs.account)}"
        if wanted == bytes(20):
            return Explanation(f"signed by {by}; {whose} is not named now", {"signed_by": by})
    else:
        wanted, whose = q.master.owner, f"the owner of account {keys.get_master(q.regs.account)}"
    text = (
        f"signed by {by}, and {whose} is 0x{wanted.hex()}: sign with that key, these very fields, for the chain and "
        "vault of /v1/info"
    )
    return Explanation(text, {"signed_by": by, "expected": f"0x{wanted.hex()}"})


def explain_nonce(q: Question) -> Explanation:
    """Which nonces are free."""
    key = q.agent if q.regs.agent else q.master
    top, nonce = key.nonce_top, q.regs.nonce
    why = "may be used already" if nonce > top else "is used, or too old"
    text = (
        f"nonce {nonce} {why}: the next one is {top + 1}; up to {MAX_NONCE_JUMP} above {top} may be taken, and of the "
        f"{NONCE_WINDOW} below it those that are free. Whether this record was taken before: look it up by its nonce"
    )
    numbers = {"nonce": str(nonce), "next_nonce": str(top + 1), "highest_nonce": str(top + MAX_NONCE_JUMP)}
    return Explanation(text, {**numbers})


def explain_agent_expired(q: Question) -> Explanation:
    """Agents are named for a time."""
    text = f"agent {q.regs.agent} was named until {q.agent.expiry}, and it is {q.time}: its owner names it anew"
    return Explanation(text, {"expiry_at": q.agent.expiry, "time_at": q.time})


def explain_scope(q: Question) -> Explanation:
    """What the agent may do."""
    scope = Scope.of(q.agent)
    kinds = ", ".join(scope.kinds) or "all that agents sign"
    text = (
        f"agent {q.regs.agent} may send {kinds}; for sub-accounts {list(scope.subs) or 'all'}, in markets "
        f"{list(scope.markets) or 'all'}, of {scope.max_size or 'any number of'} lots an order"
        f"{', reduce-only' if scope.closes_only else ''}; with a choice of sub-accounts it signs cancel_taker"
    )
    return Explanation(text, {"max_size_lots": str(scope.max_size)})


def explain_session(q: Question) -> Explanation:
    """Namings come in an order."""
    last = q.master.session
    text = f"the last session of the account is {last}: name agents in {last + 1}, at most {MAX_NONCE_JUMP} above it"
    return Explanation(text, {"next_session": last + 1, "session": q.regs.nonce >> SESSION_BITS})


def explain_sub_account(q: Question) -> Explanation:
    """What sub-accounts do not do."""
    master = keys.get_master(q.regs.account)
    text = f"that is for a master account: transfer to account {master} first, and do it there"
    return Explanation(text, {"master": master})


def explain_same_account(q: Question) -> Explanation:
    """A transfer goes to another."""
    return Explanation("payer and payee are one account: name another", {"account": q.regs.account})


def explain_step_cap(q: Question) -> Explanation:
    """The batch is full."""
    text = "the open batch has no room for it: send it again when the next one begins, in a second or so"
    return Explanation(text, {"batch_steps": phases.BATCH_STEP_CAP})


def explain_busy(q: Question) -> Explanation:
    """The machine has work of its own."""
    return Explanation(
        "the exchange has work of its own to finish first: send it again in a second", {"time_at": q.time}
    )


def explain_winding_down(q: Question) -> Explanation:
    """The end."""
    since = q.regs.winding_since
    text = f"the exchange has been winding down since {since}: withdraw what is free, positions are settled"
    return Explanation(text, {"since_at": since})


def explain_unknown_signer(q: Question) -> Explanation:
    """Reports are registered signers'."""
    signers = q.state.signers()
    text = f"there are oracle signers 0 to {signers.count - 1}, each with its own key: this report is none of theirs"
    return Explanation(text, {"signers": signers.count})


def explain_report_time(q: Question) -> Explanation:
    """Reports are of now, and each later than the one before."""
    signers, number = q.state.signers(), q.regs.account
    last = q.state.oracle(q.regs.market).times[number] if number < signers.count else 0
    first = max(last + 1, q.time - signers.max_age)
    text = (
        f"a report's time is {first} to {q.time + signers.max_age} now: later than this signer's last one ({last}), "
        f"and {signers.max_age} s from the exchange's time ({q.time}) at most"
    )
    return Explanation(text, {"first_at": first, "last_at": q.time + signers.max_age, "time_at": q.time})


def explain_not_due(q: Question) -> Explanation:
    """Time has to pass."""
    if q.kind != records.CRANK or not q.regs.market:
        return Explanation("nothing of it is due yet", {"time_at": q.time})
    due = q.market.sampled + phases.SAMPLE_INTERVAL
    text = f"{q.scale.symbol} takes a crank at {due} (in {max(0, due - q.time)} s), once it has a price"
    return Explanation(text, {"due_at": due, "wait_seconds": max(0, due - q.time)})


def explain_never(q: Question) -> Explanation:
    """What no record of a client is refused for."""
    return Explanation("the machine refuses the record", {"type": q.kind})
