// Candles and volume of a market, with the mark as a line: Lightweight Charts, fed from history and stream.
import { useEffect, useRef } from "preact/hooks";
import { signal } from "@preact/signals";
import {
  CandlestickSeries,
  createChart,
  HistogramSeries,
  type IChartApi,
  type IPriceLine,
  type ISeriesApi,
  LineStyle,
  type UTCTimestamp,
} from "lightweight-charts";
import { market, marketNumber } from "../api/exchange";
import { get } from "../api/http";
import { subscribe } from "../api/stream";
import type { Candle, Candles, CandleUpdate } from "../api/types";
import { theme } from "../lib/theme";
import { countPlaces } from "../lib/scales";

const INTERVALS = ["1s", "1m", "5m", "15m", "1h", "4h", "1d"] as const;
const LIMIT = 500;

const interval = signal<string>("1m");

export function Chart() {
  const place = useRef<HTMLDivElement>(null);
  const step = market.value?.tick_size;
  const number = marketNumber.value;
  const chosen = interval.value;
  const look = theme.value;
  const chart = useRef<IChartApi | null>(null);
  const candles = useRef<ISeriesApi<"Candlestick"> | null>(null);
  const volumes = useRef<ISeriesApi<"Histogram"> | null>(null);
  const markLine = useRef<IPriceLine | null>(null);

  useEffect(() => {
    if (!place.current || !step) return undefined;
    const made = createChart(place.current, { autoSize: true, ...readColours() });
    const places = countPlaces(step);
    chart.current = made;
    candles.current = made.addSeries(CandlestickSeries, {
      ...readCandleColours(),
      borderVisible: false,
      priceFormat: { type: "price", precision: places, minMove: 1 / 10 ** places },
    });
    volumes.current = made.addSeries(HistogramSeries, {
      priceFormat: { type: "volume" },
      priceScaleId: "volume",
      lastValueVisible: false,
      priceLineVisible: false,
    });
    made.priceScale("volume").applyOptions({ scaleMargins: { top: 0.82, bottom: 0 } });
    return () => {
      made.remove();
      chart.current = null;
      markLine.current = null;
    };
  }, [step]);

  useEffect(() => {
    chart.current?.applyOptions(readColours());
    candles.current?.applyOptions(readCandleColours());
  }, [look, step]);

  useEffect(() => {
    let isOver = false;
    const show = (found: Candle): void => {
      candles.current?.update(toBar(found));
      volumes.current?.update(toVolume(found));
    };
    chart.current?.timeScale().applyOptions({ secondsVisible: chosen.endsWith("s") });
    candles.current?.setData([]);
    volumes.current?.setData([]);
    const end = subscribe<CandleUpdate>("candles", { market: number, interval: chosen }, (update) => {
      if (!isOver) show(update.candle);
    });
    get<Candles>(`/v1/history/candles/${number}?interval=${chosen}&limit=${LIMIT}`).then(
      (page) => {
        if (isOver) return;
        candles.current?.setData(page.candles.map(toBar));
        volumes.current?.setData(page.candles.map(toVolume));
        chart.current?.timeScale().scrollToRealTime();
      },
      () => undefined,
    );
    return () => {
      isOver = true;
      end();
    };
  }, [number, chosen, step]);

  const mark = market.value?.decimal.mark;
  useEffect(() => {
    const series = candles.current;
    if (!series) return;
    if (markLine.current) series.removePriceLine(markLine.current);
    markLine.current = mark
      ? series.createPriceLine({
          price: Number(mark),
          title: "mark",
          color: colour("--accent"),
          lineWidth: 1,
          lineStyle: LineStyle.Dotted,
          axisLabelVisible: true,
        })
      : null;
  }, [mark, look, step]);

  return (
    <section class="panel chart" aria-label="Candles">
      <header class="panel-head">
        <h2>Price</h2>
        <div class="segments" role="group" aria-label="Interval">
          {INTERVALS.map((each) => (
            <button key={each} type="button" aria-pressed={each === chosen} onClick={() => (interval.value = each)}>
              {each}
            </button>
          ))}
        </div>
      </header>
      <div class="chart-canvas" ref={place} />
    </section>
  );
}

function toBar(candle: Candle) {
  const { open, high, low, close } = candle.decimal;
  return {
    time: candle.start as UTCTimestamp,
    open: Number(open),
    high: Number(high),
    low: Number(low),
    close: Number(close),
  };
}

function toVolume(candle: Candle) {
  return {
    time: candle.start as UTCTimestamp,
    value: Number(candle.decimal.volume),
    color: colour(candle.close >= candle.open ? "--up-soft" : "--down-soft"),
  };
}

function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function readCandleColours() {
  const up = colour("--up-strong");
  const down = colour("--down-strong");
  return { upColor: up, wickUpColor: up, downColor: down, wickDownColor: down };
}

function readColours() {
  const line = colour("--line");
  return {
    layout: {
      background: { color: "transparent" },
      textColor: colour("--quiet"),
      fontFamily: getComputedStyle(document.body).fontFamily,
      fontSize: 11,
      attributionLogo: false,
    },
    grid: { vertLines: { color: line }, horzLines: { color: line } },
    rightPriceScale: { borderColor: line },
    timeScale: { borderColor: line, timeVisible: true, secondsVisible: false, rightOffset: 6, barSpacing: 9 },
  };
}
