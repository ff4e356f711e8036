"""What to do about a refusal or an error, in a line: by its reason, for every reason that a command can end with."""

from __future__ import annotations

from typing import Final

from setoff.shared.errors import ConfigError, SetoffError

OUTCOMES: Final[dict[str, str]] = {
    "malformed_record": "compare the record with shared/PROTOCOL.md, section 3; a client of this version makes none",
    "unknown_account": "deposit first: `setoff deposit AMOUNT`; the next batch opens the account",
    "unknown_market": "the markets there are: `setoff market proposals` and the exchange's GET /v1/markets",
    "bad_signature": "sign with the owner's key, or as its agent with --account and --agent; on the right deployment",
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
    "unknown_signer": "report with the key of an oracle signer that is named: `setoff trade market N`",
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
    "not_ready": "look whether it runs, and at the right address; it may be starting: try again in a few seconds",
    "overloaded": "try again in a few seconds",
    "paced": "try again at the time named",
    "data_mismatch": "ask another L1 node (--rpc URL,URL), and tell the operator: data and commitment differ",
    "data_withheld": "name more places that may have it: --beacon, --peers",
    "bad_witness": "ask another L1 node: what this one gives does not fit its root",
    "bad_config": "see --help; `setoff operator config`, `watcher config` and `oracle config` list all settings",
    "port_taken": "stop the other process, or choose another port",
    "rpc_unreachable": "look whether the L1 node runs, and at this address: --rpc, SETOFF_RPC_URL",
    "rpc_refused": "ask another L1 node: --rpc URL,URL takes several",
    "transaction_reverted": "look at the transaction on L1; nothing was changed by it",
    "insufficient_funds": "send ether to the account of the key: `setoff wallet address KEY` shows it",
    "receipt_broken": "keep the receipt: `setoff receipts check`, then `setoff receipts prosecute` takes the bond",
    "wrong_deployment": "name the deployment file of this chain: --deployment, SETOFF_DEPLOYMENT",
    "too_early": "try again when the time named is over",
    "epoch_too_early": "try again when the time named is over",
    "not_confirmed": "wait until L1 has confirmed the epoch: the challenge period at least",
    "withdrawal_paid": "nothing: the vault has paid it already",
    "deposit_too_small": "deposit more",
    "deposit_cap": "deposit less",
    "token_balance": "the wallet has not so many tokens: deposit less",
    "not_the_lister": "sign with the lister's key: --key",
    "not_the_operator": "sign with the operator's key: --key",
    "not_the_owner": "sign with the owner's key: --key",
    "no_such_proposal": "`setoff market proposals` lists those that wait",
    "earlier_proposal": "enact or revoke the earlier ones first: `setoff market proposals`",
    "proposal_expired": "propose it anew",
}
"""By the other reasons. Those of the contracts that are not here are faults of a program, not of who typed."""

SETTINGS: Final[dict[str, str]] = {
    "deployment": "name it with --deployment FILE or SETOFF_DEPLOYMENT; `setoff deploy` and `setoff devnet` write one",
    "key": "give --key FILE, SETOFF_KEY, or `key` in [client] of --config; `setoff wallet new FILE` makes one",
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
    setting = SETTINGS.get(error.detail.partition(":")[0])
    if setting and isinstance(error, ConfigError):
        return setting
    return OUTCOMES.get(error.reason) or SERVICES.get(error.reason, "")
