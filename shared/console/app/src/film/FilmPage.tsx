// A flash crash as a film: price, open interest, liquidations, insurance, backstop and deleveraging over three days, as the
// rules made them on recorded prices.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { group } from "../lib/format";
import { link } from "../lib/route";
import { Panel } from "../ui/Panel";
import { Table } from "../ui/Table";
import { curves, gains, inputs, LENGTH, SCENES, STRIPS } from "./story";
import { StripChart } from "./StripChart";

const FRAME_MS = 70;

export default function FilmPage() {
  const at = useSignal(LENGTH - 1);
  const isPlaying = useSignal(false);
  useEffect(() => {
    if (!isPlaying.value) return undefined;
    const timer = setInterval(() => {
      if (at.peek() + 1 < LENGTH) at.value = at.peek() + 1;
      else isPlaying.value = false;
    }, FRAME_MS);
    return () => clearInterval(timer);
  }, [isPlaying.value]);
  const hours = curves.hours[at.value] ?? 0;
  const scene = SCENES.findLast((each) => each.at <= at.value);
  return (
    <main class="page" id="main" tabIndex={-1}>
      <h1>A flash crash</h1>
      <p class="lead">
        Bitcoin from 4 to 7 February 2018, an hour of the record in a minute, played on these rules by traders, makers
        and takers that are made up: {group(inputs["accepted"])} records, in the machine that this exchange runs.{" "}
        <a href={link("risk")}>Risk now</a>
      </p>
      <div class="replay" role="group" aria-label="Film">
        <button
          type="button"
          onClick={() => {
            if (!isPlaying.value && at.value === LENGTH - 1) at.value = 0;
            isPlaying.value = !isPlaying.value;
          }}
        >
          {isPlaying.value ? "Pause" : "Play"}
        </button>
        <input
          type="range"
          min={0}
          max={LENGTH - 1}
          value={at.value}
          aria-label="Moment"
          aria-valuetext={`hour ${hours}`}
          onInput={(event) => {
            isPlaying.value = false;
            at.value = Number(event.currentTarget.value);
          }}
        />
        <span class="num count-of">hour {hours.toFixed(2)}</span>
      </div>
      <p class="callout film-said" aria-live="polite">
        {scene?.text}
      </p>
      {STRIPS.map((strip, place) => (
        <StripChart key={strip.title} strip={strip} at={at.value} isLarge={place === 0} />
      ))}
      <Panel
        title="Who has won and lost in the end"
        aside={<span class="quiet">nothing is made, nothing is lost</span>}
      >
        <Table
          label="Gains"
          head={["Who", "#Dollars"]}
          rows={Object.entries(gains).map(([who, gain]) => [
            who,
            <span class={gain > 0 ? "up" : gain < 0 ? "down" : ""}>
              {gain > 0 ? "+" : ""}
              {group(gain)}
            </span>,
          ])}
        />
      </Panel>
    </main>
  );
}
