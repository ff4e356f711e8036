"""What the sequencer tells, handed on to whoever listens to a market or an account: trades, fills, records, candles."""

from __future__ import annotations

from setoff.operator.api.streams.topics import Topic, Topics
from setoff.operator.api.views.history_views import show_candle
from setoff.operator.api.views.record_views import show_fill, show_result, show_traded
from setoff.operator.api.views.scales import Scales
from setoff.operator.history.candles import INTERVALS, join
from setoff.operator.history.ledger import BOOK
from setoff.operator.history.observer import NOBODYS
from setoff.operator.history.rows import Candle
from setoff.operator.sequencer.exchange import NumberedFill, SubmitResult
from setoff.shared.codec import records


class News:
    """Told by the feed."""

    def __init__(self, topics: Topics, scales: Scales) -> None:
        self._topics = topics
        self._scales = scales
        self._candles: dict[Topic, tuple[int, Candle]] = {}

    @property
    def is_heard(self) -> bool:
        """Whether anybody listens."""
        return len(self._topics) > 0

    @property
    def hears_records(self) -> bool:
        """Whether anybody listens to records."""
        return bool(self._topics.of("account_records"))

    def end(self) -> None:
        """See `Tap`."""
        self._candles.clear()
        self._topics.end()

    def begin_candle(self, topic: Topic, start: int, candle: Candle) -> None:
        """What the history has of the candle that trades are in, for whoever listens first."""
        self._candles.setdefault(topic, (start, candle))

    def tell_record(self, result: SubmitResult) -> None:
        """To its account."""
        kind, account, _ = records.get_head(result.record)
        if kind in NOBODYS:
            return
        self._topics.tell(
            Topic("account_records", account=account), result.sequence, lambda: show_result(self._scales, result)
        )

    def tell_fill(self, fill: NumberedFill) -> None:
        """To both accounts, and to the market."""
        trade = fill.fill
        for account in {trade.taker, trade.maker}:
            topic = Topic("account_fills", account=account)
            self._topics.tell(topic, fill.number, lambda: show_fill(self._scales, fill))
        if trade.kind in BOOK:
            topic = Topic("trades", trade.market)
            self._topics.tell(topic, fill.number, lambda: show_traded(self._scales, fill))
            for interval in INTERVALS:
                self._tell_candle(Topic("candles", trade.market, interval=interval), fill)

    def _tell_candle(self, topic: Topic, fill: NumberedFill) -> None:
        if topic not in self._topics:
            self._candles.pop(topic, None)
            return
        trade, seconds = fill.fill, INTERVALS[topic.interval]
        start = fill.time - fill.time % seconds
        value = self._scales.value(trade.market, trade.size, trade.price)
        one = Candle(trade.price, trade.price, trade.price, trade.price, trade.size, value, 1)
        began, candle = self._candles.get(topic, (start, None))
        if candle is None or began != start:
            candle = one
        else:
            join(candle, one)
        self._candles[topic] = start, candle
        row = {"market": topic.market, "start": start, **vars(candle)} | {"value": str(candle.value)}
        symbol = self._scales[topic.market].symbol
        self._topics.tell(
            topic,
            None,
            lambda: {
                "market": topic.market,
                "symbol": symbol,
                "interval": topic.interval,
                "candle": show_candle(self._scales, row),
            },
        )
