"""What the first of a market look like in the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from setoff.operator.api.views.record_views import MS
from setoff.shared.codec.integers import PPM
from setoff.shared.rules import phases
from setoff.shared.wire.api import risk_answers as answers
from setoff.shared.wire.api.decimals import Scaled
from setoff.shared.wire.scales import MarketScale

if TYPE_CHECKING:
    from setoff.operator.api.risk.picture import MarketRisk, Standing

_RISK: Final = Scaled(answers.Risk)
_RUNG: Final = Scaled(answers.Rung)
_RANKED: Final = Scaled(answers.Ranked)


def show_risk(scale: MarketScale, market: int, risk: MarketRisk, time: int, as_of_ms: int) -> dict[str, Any]:
    """`time`: the exchange's, seconds; `as_of_ms`: when it was so, unix milliseconds."""
    mark = risk.market.mark
    shown = {
        "market": market,
        "symbol": scale.symbol,
        "as_of_ms": as_of_ms,
        "time": time,
        "time_ms": time * MS,
        "mark": mark,
        "longs": risk.longs,
        "shorts": risk.shorts,
        "nearest": [_show_rung(scale, one, mark) for one in risk.nearest],
        "ranked_longs": [_show_ranked(scale, one) for one in risk.ranked_longs],
        "ranked_shorts": [_show_ranked(scale, one) for one in risk.ranked_shorts],
    }
    return shown | {"decimal": _RISK.show(shown, scale)}


def _show_rung(scale: MarketScale, one: Standing, mark: int) -> dict[str, Any]:
    price = one.liquidation_price
    assert price is not None
    shown = {
        "account": one.account,
        "size": str(one.size),
        "profit": str(one.profit),
        "liquidation_price": price,
        "distance": abs(mark - price) * PPM // mark,
        "equity": str(one.equity),
        "maintenance": str(one.maintenance),
    }
    return shown | {"decimal": _RUNG.show(shown, scale)}


def _show_ranked(scale: MarketScale, one: Standing) -> dict[str, Any]:
    shown = {
        "account": one.account,
        "size": str(one.size),
        "profit": str(one.profit),
        "equity": str(one.equity),
        "score": str(one.score),
        "factor": round(max(0, one.score - phases.SCORE_ONE) * PPM / phases.SCORE_ONE**2, 3),
    }
    return shown | {"decimal": _RANKED.show(shown, scale)}
