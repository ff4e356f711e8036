"""What to do about a refusal or an error, in a line: by its reason, for every reason that a command can end with."""

from __future__ import annotations

from typing import Final

from setoff.shared.advice import UNREACHABLE
from setoff.shared.errors import ConfigError, SetoffError

OUTCOMES: Final[dict[str, str]] = {
    "malformed_record": "compare the record with shared/PROTOCOL.md, section 3; a client of this version makes none",
    "unknown_account": "name an account that is there: it begins with its owner's `setoff deposit AMOUNT`",
    "unknown_market": "name one of the markets that the exchange has",
    "bad_signature": "sign with the account's own --key, or as its agent: --account and --agent (`setoff agent list`)",
    "nonce_used": "the record, or another with its nonce, was taken before: look with `setoff account`, sign anew",
    "nonce_too_old": "sign it anew, with a nonce of now",
    "nonce_too_far": "sign it anew, with the account's next nonce",
    "step_cap": "do it in smaller parts: fewer lots, or fewer legs of a bulk record",
    "insufficient_margin": "`setoff account` shows what is free: deposit, close, cancel orders, or ask for less",
    "no_price": "wait until the oracle has reported a price: `setoff trade market N`",
    "price_out_of_range": "give a price of 1 tick or more that a book can hold",
    "price_band": "give a price nearer to the mark: `setoff trade market N` shows mark and band",
    "size_out_of_range": "give a size of 1 lot or more within the market's limit: `setoff trade market N`",
    "order_slot_out_of_range": "an account has a limited number of order slots: leave --order-slot out",
    "order_slot_taken": "cancel an order first: `setoff account` lists them with their slots",
    "too_many_positions": "close a position first, or trade from a sub-account (--sub)",
    "position_limit": "ask for less: `setoff trade market N` shows the limit of one position",
    "would_cross": "a post-only order may not trade at once: give a price on your side of the book",
    "unknown_order": "it was filled, cancelled or has expired: `setoff account` lists the orders that are open",
    "amount_out_of_range": "give an amount greater than 0 that the account has",
    "same_account": "name another account than the one that pays",
    "unknown_signer": "--signer is the number of --key's address among the oracle signers, which the lister names",
    "stale_report": "report a price of now: another one is newer already",
    "future_report": "set the clock: the report is of a time that has not come",
    "bad_parameters": "compare with the ranges in shared/PROTOCOL.md; `--dry-run` shows what would be proposed",
    "agent_expired": "have the owner name the agent again: `setoff agent set`",
    "sub_account": "only the master account may do this: leave --sub out",
    "order_expired": "give it more time, or none: --expires",
    "not_reducing": "a reduce-only order needs a position on the other side: `setoff account`",
    "unfillable": "there is not so much in the book at this price: `setoff trade book N`, or leave `--flags fok` out",
    "self_trade": "it would have met an order of your own: cancel that, or choose --self-trade",
    "stale_price": "wait for a fresh price of the oracle, then send it again: `setoff trade market N` shows its age",
    "halted": "wait until the market opens again, by an auction: `setoff trade market N`",
    "market_expired": "the market is settled: what it came to is in the account",
    "open_interest_cap": "the market takes no larger positions now: close, or wait until others do",
    "not_due": "it is too early for this: a minute after the last crank",
    "busy": "the machine was at work; it has gone on with that: send it again",
    "withdrawals_limited": "ask for less now, and for the rest later: `setoff account` says what may leave when",
    "would_trigger": "the mark is beyond the trigger already: send the order without --above or --below",
    "wrong_leg_page": "send the bulk record again, whole",
    "winding_down": "the exchange ends: only what closes and takes out is taken: `setoff force withdraw`",
    "parked": "it waits for the machine's own work, which a next batch, or `setoff force crank 0`, lets go on",
    "wrong_session": "the owner has named the agent anew since: use its new session",
    "out_of_scope": "the owner allows the agent less than that: `setoff agent list`",
    "request_pending": "a request of the account's to the backstop waits: it has to be settled first",
}
"""By outcome of an input; accepted needs none."""

SERVICES: Final[dict[str, str]] = {
    "malformed_json": "compare the request with the API's reference",
    "missing_field": "compare the request with the API's reference",
    "body_too_large": "send less at once",
    "wrong_chain": "name a node and a deployment file of one chain: --rpc, --deployment",
    "not_found": "look whether number and deployment are the right ones; what is new needs a batch first",
    "not_ready": "it may be starting, or busy: try again in a few seconds",
    "overloaded": "try again in a few seconds",
    "paced": "try again at the time named",
    "data_mismatch": "ask another L1 node (--rpc URL,URL), and tell the operator: data and commitment differ",
    "data_withheld": "name more places that may have it: --beacon, --peers",
    "bad_witness": "ask another L1 node: what this one gives does not fit its root",
    "bad_config": "see --help; `setoff operator config` lists an operator's settings, so do watcher, oracle, gateway",
    "port_taken": "stop the other process, or choose another port",
    "rpc_unreachable": UNREACHABLE,
    "pending": "do not send it again before you have looked, with this node or another, what became of it",
    "rpc_refused": "ask another L1 node: --rpc URL,URL takes several",
    "transaction_reverted": "look at the transaction on L1; nothing was changed by it",
    "insufficient_funds": "send ether there, for gas; on a development chain: `setoff wallet fund KEY`",
    "receipt_broken": "keep the receipt: `setoff receipts check`, then `setoff receipts prosecute` takes the bond",
    "wrong_deployment": "name the deployment file of this chain: --deployment, SETOFF_DEPLOYMENT",
    "too_early": "try again when the time named is over",
    "epoch_too_early": "try again when the time named is over",
    "not_confirmed": "wait until L1 has confirmed the epoch: the challenge period at least",
    "withdrawal_paid": "nothing: the vault has paid it already",
    "deposit_too_small": "deposit that or more",
    "deposit_cap": "deposit less",
    "token_balance": "deposit less, or bring tokens there; on a development chain: `setoff wallet fund KEY`",
    "not_the_lister": "sign with the lister's key: --key",
    "not_the_operator": "sign with the operator's key: --key",
    "not_the_owner": "sign with the owner's key: --key",
    "no_such_proposal": "`setoff market proposals` lists those that wait",
    "earlier_proposal": "enact or revoke the earlier ones first: `setoff market proposals`",
    "proposal_expired": "propose it anew",
}
"""By the other reasons. Those of the contracts that are not here are faults of a program, not of who typed."""

TOPICS: Final[tuple[tuple[str, str, str], ...]] = (
    ("not_found", "there is no account", "deposit first (`setoff deposit AMOUNT`), wait a batch; an agent's key needs "
                                         "--account and --agent"),
    ("not_found", "there is no market", "name one of these"),
    ("not_found", "there is no withdrawal", "`setoff withdraw AMOUNT` asks for one, and says its number"),
    ("not_found", "there is no proof of withdrawal", "its epoch is not complete yet: try again in a minute"),
    ("not_found", "no complete epoch", "look at the number; its epoch may not be complete yet: try again in a minute"),
    ("not_found", "there is nothing at", "what answers is no exchange of this version: --exchange, SETOFF_EXCHANGE"),
    ("not_found", "there is no message", "`setoff inspect message N` takes one that is there"),
    ("not_found", "there is no record", "wait until its batch is posted, or take one that is there"),
    ("not_found", "the history has no record", "try again in a second, or take one that is there"),
    ("not_found", "batch ", "batches are numbered from 0; a new one is there once it is closed"),
    ("not_found", "at the end of epoch", "`setoff account` shows what it has now; L1 confirms it with a later epoch"),
    ("not_found", "more than", "read what was missed from the history, then subscribe anew"),
    ("not_found", "L1 has confirmed no epoch", "wait: L1 confirms an epoch after its challenge period"),
    ("missing_field", "'account'", "name an account's number, or its owner's address: `setoff wallet address KEY`"),
    ("not_ready", "the exchange does not", "look whether an operator runs, and at this address: --exchange, "
                                           "SETOFF_EXCHANGE"),
    ("not_ready", "the exchange's answer cannot be read", "what answers there is no exchange: --exchange is the "
                                                          "operator's API, --rpc the L1 node"),
    ("pending", "the deposit is locked", "`setoff account` shows it once the exchange goes on; or, if "
                                           "it stays away: `setoff force --help`"),
    ("pending", "the withdrawal was taken", "`setoff account` shows it, and `setoff withdraw --index N` has it paid: "
                                            "do not ask for another"),
    ("not_found", "L1 knows no start of epoch", "verify an earlier epoch, or leave --from out: then all before it is "
                                                "executed, too"),
    ("not_found", "the file ", "name a file that is there: what URL/v1/snapshots/0x… of a watcher or operator gives"),
    ("not_ready", "http", "ask another watcher, or the operator: --from URL; without --from everything is executed"),
    ("bad_witness", "a ", "ask another watcher: --from URL; or execute the epoch: `setoff verify --from URL`"),
    ("bad_config", "spot:", "`setoff verify EPOCH --spot N --from URL`; the URL is a watcher's"),
    ("overloaded", "http", "try again in a minute, or ask another watcher: --from URL"),
    ("bad_witness", "http", "ask another watcher: --from URL; or take more of this one, if it is so large: --most MB"),
    ("data_mismatch", "http", "ask another watcher: --from URL; what this one gives is not what L1 has"),
    ("not_ready", "no feeder answers", "`setoff oracle run` starts one; `listen` says where it answers"),
    ("bad_signature", "account", "the owner names it: `setoff agent set NUMBER ADDRESS`; `setoff agent list`"),
    ("bad_signature", "an agent trades", "give the owner's --key, and leave --account and --agent out"),
    ("unknown_account", "sub-accounts", "name one of these"),
    ("price_out_of_range", "the price comes in steps", "take one of these"),
    ("size_out_of_range", "the size comes in steps", "take one of these"),
    ("insufficient_margin", "the account has", "`setoff account` shows the shares: ask for no more than these"),
    ("bad_parameters", "", "see --help: it says what goes together"),
    ("bad_config", "there is no settings file", "name a file that is there: --config, SETOFF_CONFIG; `setoff operator "
                                                "config --sample` prints one"),
    ("bad_config", "key: it is the owner's", "with the owner's key: `setoff wallet new agent.key`, `setoff agent set 1 "
                                             "ADDRESS`; then give this command --key agent.key"),
    ("bad_config", "key: 0x", "with the owner's key: `setoff agent set NUMBER ADDRESS`; `setoff agent list` shows all"),
    ("bad_config", "account: not_found", "its owner deposits first: `setoff deposit AMOUNT`; or look at the number"),
)  # fmt: skip
"""By reason and by what the detail begins with, before what a reason alone says: the first that fits."""

SETTINGS: Final[dict[str, str]] = {
    "deployment": "name it with --deployment FILE or SETOFF_DEPLOYMENT; `setoff deploy` and `setoff devnet` write one",
    "key": "give --key FILE with a key in it, or SETOFF_KEY, or `key` in [client]; `setoff wallet new FILE` makes one",
    "wallet": "use the key that is there (--key FILE): on a new devnet, too, after `setoff wallet fund FILE`; or name "
    "another file",
    "account": "give --account the owner's address or the account's number; `setoff account` shows both",
    "name": "choose another symbol",
    "gateway.key": "give --key FILE, or SETOFF_GATEWAY_KEY, or `key` in the [gateway] section of --config",
    "node": "pip install 'setoff[node]': what runs operators, watchers and development chains is an extra",
    "operator.key": "give --key FILE, or SETOFF_OPERATOR_KEY, or `key` in the [operator] section of --config",
    "watcher.key": "give --key FILE, or SETOFF_WATCHER_KEY, or `key` in the [watcher] section of --config",
    "oracle.key": "give --key FILE, or SETOFF_ORACLE_KEY, or `key` in the [oracle] section of --config",
    "feeds": "`setoff oracle config --sample` explains it; --set feeds=MARKET=SOURCE,… or `feeds` in [oracle]",
    "receipts": "trade where a deployment file is named, and they are kept; --receipts FOLDER names another place",
    "redis_url": "look whether the Redis server runs there: --set redis_url=URL, REDIS_URL; empty: one is started here",
}
"""Of what is wrong with a setting, by its name, as the detail of the error begins."""


def find_advice(error: SetoffError) -> str:
    """What to do next, "" where nothing is to be said."""
    for reason, begins, advice in TOPICS:
        if error.reason == reason and error.detail.startswith(begins):
            return advice
    setting = SETTINGS.get(error.detail.partition(":")[0])
    if setting and isinstance(error, ConfigError):
        return setting
    return OUTCOMES.get(error.reason) or SERVICES.get(error.reason, "")
