// Curves of one kind, up to the moment that is shown; what comes later is left empty, so nothing moves but the lines.
import { group } from "../lib/format";
import { curves, LENGTH, type Strip } from "./story";

const WIDTH = 1000;
const HEIGHT = 110;

export function StripChart({ strip, at, isLarge }: { strip: Strip; at: number; isLarge: boolean }) {
  const height = isLarge ? 2 * HEIGHT : HEIGHT;
  const all = strip.lines.flatMap((line) => curves[line.curve]);
  const least = strip.fromZero ? 0 : Math.min(...all);
  const most = Math.max(...all, least + 1e-9);
  const x = (moment: number): number => (moment / (LENGTH - 1)) * WIDTH;
  const y = (value: number): number => height - 3 - ((value - least) / (most - least)) * (height - 6);
  const points = (curve: keyof typeof curves): string =>
    curves[curve]
      .slice(0, at + 1)
      .map((value, moment) => `${x(moment).toFixed(1)},${y(value).toFixed(1)}`)
      .join(" ");
  return (
    <section class="panel film-strip" aria-label={strip.title}>
      <header class="panel-head">
        <h2>
          {strip.title}, {strip.unit}
        </h2>
        <span class="film-key">
          {strip.lines.map((line) => (
            <span key={line.curve}>
              <i class={`key-${line.colour}`} aria-hidden="true" />
              {strip.lines.length > 1 && <span class="quiet">{line.name} </span>}
              <span class="num film-value">{group((curves[line.curve][at] ?? 0).toFixed(strip.places))}</span>
            </span>
          ))}
        </span>
      </header>
      <div class="film-plot">
        <svg
          viewBox={`0 0 ${WIDTH} ${height}`}
          preserveAspectRatio="none"
          style={{ height: `${height}px` }}
          aria-hidden="true"
        >
          {strip.lines.map((line) => (
            <polyline key={line.curve} class={`line-${line.colour}`} points={points(line.curve)} />
          ))}
          <line class="film-now" x1={x(at)} x2={x(at)} y1="0" y2={height} />
        </svg>
        <span class="film-most quiet num">{group(most.toFixed(strip.places))}</span>
        <span class="film-least quiet num">{group(least.toFixed(strip.places))}</span>
      </div>
    </section>
  );
}
