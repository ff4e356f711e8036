"""The table of operations: what can be asked of the API, with what, what is answered, why it may be refused, and what
it costs. Routes, the OpenAPI and AsyncAPI documents and the page for people are made from it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from setoff.shared.errors import OUTCOMES
from setoff.shared.wire.api import account_answers as accounts
from setoff.shared.wire.api import history_answers as history
from setoff.shared.wire.api import market_answers as markets
from setoff.shared.wire.api import record_answers as records
from setoff.shared.wire.api import risk_answers as risk
from setoff.shared.wire.api import service_answers as service
from setoff.shared.wire.api.parameters import ACCOUNT, LARGE, MARKET, NAME, NAMES, NUMBER, Parameter

VERSION: Final = "1"
"""Of the interface: the first part of its paths. Members may be added to answers; nothing is taken away or renamed."""


class Cost(Enum):
    """What asking is counted against."""

    NOTHING = "Nothing: it is answered from memory."
    READ = "The processor's time that it takes, against the client's part of the time for reading."
    SHARED = "Nothing of the client's: one answer is made for all who ask, for a tenth of the time at most."
    RECORD = "A record on its way for each, against the client's and everybody's."
    LISTENER = "A connection; what is not read is dropped, and the connection with it."


class Body(Enum):
    """What a request carries."""

    RECORD = "application/json"
    RECORDS = "application/octet-stream"


@dataclass(frozen=True)
class Operation:
    """One of them. `answer`: a class of `…_answers.py`, or the media type of what is no JSON object of one."""

    name: str
    method: str
    path: str
    about: str
    answer: Any
    parameters: tuple[Parameter, ...] = ()
    refusals: tuple[str, ...] = ()
    cost: Cost = Cost.READ
    body: Body | None = None
    is_socket: bool = False
    tag: str = "exchange"

    @property
    def path_parameters(self) -> frozenset[str]:
        """Names of those in the path."""
        return frozenset(re.findall(r"{(\w+)}", self.path))


_MARKET: Final = Parameter("market", MARKET, "Which market.")
_ACCOUNT: Final = Parameter("account", ACCOUNT, "Whose.")
_PAGE: Final = (
    Parameter("before", NUMBER, "Those before this one, newest first; without it and `after` the latest."),
    Parameter("after", NUMBER, "Those after this one, oldest first."),
    Parameter("limit", NUMBER, "So many, at most 1000.", 100),
)
_NOT_READY: Final = ("not_ready",)
_READ: Final = ("missing_field", "not_ready", "overloaded")
_FIND: Final = (*_READ, "not_found")
_KEPT: Final = ("missing_field", "not_ready", "not_found")
_SUBMIT: Final = (
    "malformed_json", "missing_field", "body_too_large", "wrong_chain", "not_ready", "overloaded", "paced",
    "pending",
)  # fmt: skip
_RECORD: Final = (*_SUBMIT, *(reason for reason in OUTCOMES if reason != "accepted"))

OPERATIONS: Final = (
    Operation(
        "submitRecord", "POST", "/v1/records",
        "Submit a signed record as JSON, a bulk record with its leg pages. Answered when it is durable.",
        records.Result, refusals=_RECORD, cost=Cost.RECORD, body=Body.RECORD, tag="records",
    ),
    Operation(
        "submitRecords", "POST", "/v1/records/bulk",
        "Submit 1 to 256 signed records as bytes, 124 each, leg pages behind their bulk record. A result or a refusal "
        "for each, in their order.",
        records.Results, refusals=(*_SUBMIT, "malformed_record", "wrong_leg_page"), cost=Cost.RECORD,
        body=Body.RECORDS, tag="records",
    ),
    Operation(
        "enterRecords", "GET", "/v1/entry", "A WebSocket for records, many on their way.", records.Result,
        refusals=("missing_field",), cost=Cost.RECORD, is_socket=True, tag="records",
    ),
    Operation(
        "getInfo", "GET", "/v1/info", "What to know before signing: chain, vault, domain, types, limits, markets.",
        service.Info, refusals=_READ,
    ),
    Operation("getTime", "GET", "/v1/time", "What time it is.", service.Time, cost=Cost.NOTHING),
    Operation(
        "getStatus", "GET", "/v1/status", "Where the sequencer is. Answers in every state.",
        service.Status, refusals=_NOT_READY, cost=Cost.NOTHING,
    ),
    Operation(
        "getHealth", "GET", "/v1/health", "Whether records are taken now: 200, or 503 with the reason.",
        service.Health, refusals=("not_ready", "overloaded", "paced"), cost=Cost.NOTHING,
    ),
    Operation("getMarkets", "GET", "/v1/markets", "All markets, and the exchange's terms.", markets.Markets,
              refusals=_READ, tag="markets"),
    Operation("getMarket", "GET", "/v1/markets/{market}", "One market.", markets.Market, (_MARKET,), _FIND,
              tag="markets"),
    Operation(
        "getBook", "GET", "/v1/book/{market}", "The best levels of both sides of a market.", markets.Book,
        (_MARKET, Parameter("depth", NUMBER, "Levels of a side, at most 1000.", 20)), _FIND, tag="markets",
    ),
    Operation(
        "getFills", "GET", "/v1/fills", "The latest fills, or those after a number, oldest first.", records.Fills,
        (
            Parameter("market", MARKET, "Of this market alone."),
            Parameter("account", ACCOUNT, "With this account on either side."),
            Parameter("after", NUMBER, "Those after this fill's number. Without it: the latest."),
            Parameter("limit", NUMBER, "So many, at most 1000.", 100),
        ),
        _FIND, tag="markets",
    ),
    Operation(
        "getAccount", "GET", "/v1/accounts/{account}",
        "Money, health, positions, orders, nonces and agents of an account.", accounts.Account, (_ACCOUNT,), _FIND,
        tag="accounts",
    ),
    Operation("getOrders", "GET", "/v1/orders/{account}", "An account's orders that can still trade.", accounts.Orders,
              (_ACCOUNT,), _FIND, tag="accounts"),
    Operation(
        "getRisk", "GET", "/v1/risk/{market}",
        "Of all accounts those nearest to liquidation in a market, and those that are closed against first.",
        risk.Risk, (_MARKET,), _KEPT, Cost.SHARED, tag="markets",
    ),
    Operation("getBackstop", "GET", "/v1/backstop", "The backstop vault.", accounts.Backstop, refusals=_READ,
              tag="accounts"),
    Operation(
        "getBatch", "GET", "/v1/batches/{number}", "A closed batch.", service.Batch,
        (Parameter("number", NUMBER, "From 0."),), _FIND, tag="settlement",
    ),
    Operation(
        "getWithdrawal", "GET", "/v1/withdrawals/{index}",
        "The proof of a withdrawal for the vault, once its epoch is complete.", service.Withdrawal,
        (Parameter("index", NUMBER, "From 0."),), _FIND, tag="settlement",
    ),
    Operation("getTrades", "GET", "/v1/history/trades/{market}", "Trades in a market's book.", history.Trades,
              (_MARKET, *_PAGE), _FIND, tag="history"),
    Operation(
        "getCandles", "GET", "/v1/history/candles/{market}",
        "Candles of a market's trades, the latest ones, oldest first.", history.Candles,
        (
            _MARKET,
            Parameter("interval", NAME, "1s, 1m, 5m, 15m, 1h, 4h or 1d.", "1m"),
            Parameter("first", NUMBER, "Seconds: none that begin before."),
            Parameter("last", NUMBER, "Seconds: none that begin later."),
            Parameter("limit", NUMBER, "So many, at most 1000.", 100),
        ),
        _FIND, tag="history",
    ),
    Operation("getPrices", "GET", "/v1/history/prices/{market}", "Index and mark of a market, each change.",
              history.Prices, (_MARKET, *_PAGE), _FIND, tag="history"),
    Operation("getFundingRates", "GET", "/v1/history/funding/{market}", "Funding rates of a market, each sample.",
              history.FundingRates, (_MARKET, *_PAGE), _FIND, tag="history"),
    Operation(
        "getLiquidations", "GET", "/v1/history/liquidations", "Fills of accounts in liquidation.",
        history.Liquidations,
        (
            Parameter("market", MARKET, "In this market alone."),
            Parameter("account", ACCOUNT, "Of this account alone."),
            *_PAGE,
        ),
        _FIND, tag="history",
    ),
    Operation("getAccountFills", "GET", "/v1/history/fills/{account}",
              "An account's fills, with its fees, orders and client ids.", history.AccountFills, (_ACCOUNT, *_PAGE),
              _FIND, tag="history"),
    Operation(
        "getPastOrders", "GET", "/v1/history/orders/{account}", "An account's orders, and what became of them.",
        history.PastOrders,
        (_ACCOUNT, Parameter("status", NAME, "open, filled, cancelled, expired, amended or refused."), *_PAGE),
        _FIND, tag="history",
    ),
    Operation(
        "getLedger", "GET", "/v1/history/ledger/{account}",
        "Every change of an account's collateral, to the unit: money in and out, transfers, trades, fees, funding.",
        history.Ledger, (_ACCOUNT, Parameter("kind", NAME, "Of this kind alone, as funding."), *_PAGE), _FIND,
        tag="history",
    ),
    Operation("getPastRecords", "GET", "/v1/history/records/{account}", "An account's records, and how far they are.",
              history.PastRecords, (_ACCOUNT, *_PAGE), _FIND, tag="history"),
    Operation("getPastBatches", "GET", "/v1/history/batches", "Closed batches, and the L1 transactions they are in.",
              history.PastBatches, _PAGE, _READ, tag="history"),
    Operation("getRecord", "GET", "/v1/records/{sequence}", "A record by its number, and how far it is.",
              history.PastRecord, (Parameter("sequence", NUMBER, "From 0."),), _FIND, tag="history"),
    Operation(
        "lookUp", "GET", "/v1/lookup/{account}",
        "What became of a record whose answer was lost: by the nonce that it was signed with, or its client id.",
        history.Lookup,
        (
            _ACCOUNT,
            Parameter("client", LARGE, "A client id; its latest 100 orders are shown."),
            Parameter("nonce", LARGE, "A nonce."),
        ),
        _FIND, tag="history",
    ),
    Operation(
        "listen", "GET", "/ws", "A WebSocket on which what happens is pushed, as it happens.", None,
        (Parameter("channels", NAMES, "Channels to listen to, all without it."),), ("missing_field",), Cost.LISTENER,
        is_socket=True, tag="streams",
    ),
    Operation(
        "stream", "GET", "/v1/stream",
        "A WebSocket on which a client subscribes to books, best prices, trades, candles and accounts.", None,
        refusals=("missing_field",), cost=Cost.LISTENER, is_socket=True, tag="streams",
    ),
    Operation("getOpenApi", "GET", "/v1/openapi.json", "This interface as an OpenAPI document.", "application/json",
              cost=Cost.NOTHING, tag="documents"),
    Operation("getAsyncApi", "GET", "/v1/asyncapi.json", "Its WebSockets as an AsyncAPI document.", "application/json",
              cost=Cost.NOTHING, tag="documents"),
    Operation("getDocs", "GET", "/docs", "The same for people.", "text/html", cost=Cost.NOTHING, tag="documents"),
)  # fmt: skip


def find_operation(method: str, path: str) -> Operation | None:
    """The operation at a request's path, if any."""
    for operation in OPERATIONS:
        if operation.method == method and re.fullmatch(re.sub(r"{\w+}", "[^/]+", operation.path), path):
            return operation
    return None
