// The watcher's view: is it safe to sleep?
import { get } from "../api/http";
import { ether, group, moment, shorten, span } from "../lib/format";
import { usePolled } from "../lib/poll";
import { link } from "../lib/route";
import { Panel } from "../ui/Panel";
import { Stat } from "../ui/Stat";
import { Table } from "../ui/Table";
import type { Past, Watch } from "./types";
import { nameParty, watch, watchError } from "./watch";

const PAST_MS = 10_000;
const PRESENCE: Record<string, string> = {
  there: "is there",
  late: "is late",
  open: "is silent: anybody may post in its place",
  slow: "posts, but completes no epoch",
  "winding down": "the exchange winds down",
};

export default function WatchPage() {
  const seen = watch.value;
  const past = usePolled(() => get<Past>("/v1/past"), PAST_MS, []);
  if (!seen) {
    return (
      <main class="page" id="main" tabIndex={-1}>
        <h1>Watcher</h1>
        <p class={watchError.value ? "said bad" : "said"}>{watchError.value || "Reading L1…"}</p>
      </main>
    );
  }
  const worries = [...seen.alerts.map((alert) => alert.text), ...seen.problems];
  const disputes = past.value.data?.disputes ?? [];
  return (
    <main class="page" id="main" tabIndex={-1}>
      <h1>Is it safe to sleep?</h1>
      <Verdict seen={seen} worries={worries} />
      <div class="stats">
        <Stat name="L1 block" value={group(seen.block)} />
        <Stat name="Epochs confirmed" value={group(seen.confirmed)} />
        <Stat name="Disputes now" value={group(countOpen(seen))} tone={countOpen(seen) ? "warn" : ""} />
        <Stat
          name="The operator"
          value={seen.operator ? (PRESENCE[seen.operator.state] ?? seen.operator.state) : "–"}
          about={seen.operator ? `posted ${span(seen.operator.silent_for)} ago` : ""}
        />
        <Stat
          name="Bond of a dispute"
          value={`${ether(seen.terms.bond)} ETH`}
          about={`${span(seen.challenge_period)} to dispute`}
        />
        <Stat
          name="Data withheld"
          value={group(seen.withheld.length)}
          about="batches that nobody can read"
          tone={seen.withheld.length ? "bad" : ""}
        />
      </div>
      <Panel title="Processes">
        <Table
          label="Processes"
          head={["Process", "State, and what it says"]}
          keys={seen.processes.map((each) => each.name)}
          rows={seen.processes.map((each) => [
            <span class="process">{each.name}</span>,
            <>
              <span class={each.is_alive ? "good" : "bad"}>
                {each.is_alive ? "alive" : `silent for ${span(each.age)}`}
              </span>
              <span class="facts-line">{tellFacts(each.facts)}</span>
            </>,
          ])}
        />
      </Panel>
      <Panel title="Lies and money" aside={<a href={link("games")}>All claims</a>}>
        <Table
          label="Disputes that are over"
          nothing="No dispute is over yet."
          head={[
            "#Epoch",
            "Claimed by",
            "Verdict",
            "#Claimed at",
            "#Took",
            "#Histories",
            "#Won, ETH",
            "#Lost, ETH",
            "#Gas, ETH",
          ]}
          rows={disputes.map((each) => [
            group(each.epoch),
            nameParty(each.claimant),
            <span class={each.was_true ? "good" : "bad"}>{each.was_true ? "told the truth" : "lied"}</span>,
            moment(each.claimed_at * 1000),
            span(each.ended_at - each.claimed_at),
            group(each.histories),
            ether(each.won),
            ether(each.lost),
            ether(each.gas, 6),
          ])}
        />
      </Panel>
    </main>
  );
}

function Verdict({ seen, worries }: { seen: Watch; worries: readonly string[] }) {
  if (watchError.value) return <p class="callout bad">The watcher does not answer: {watchError.value}</p>;
  if (!worries.length) {
    return (
      <p class="callout good">
        <strong>Yes.</strong> Every process runs,{" "}
        {seen.knows ? "every claim was executed and is true" : "nothing is disputed"}, and nobody has to do anything.
      </p>
    );
  }
  return (
    <div class="callout warn" role="status">
      <strong>Somebody should look at this:</strong>
      <ul>
        {worries.map((worry) => (
          <li key={worry}>{worry}</li>
        ))}
      </ul>
    </div>
  );
}

function countOpen(seen: Watch): number {
  return seen.disputes.filter((each) => each.state === "disputed").length;
}

/** Of the watcher's own bookkeeping. */
const INNER = new Set(["own_time"]);

function tellFacts(facts: Record<string, unknown>): string {
  return Object.entries(facts)
    .filter(([name, value]) => !INNER.has(name) && isWorthSaying(value))
    .map(([name, value]) => tellFact(name, value))
    .join(" · ");
}

function isWorthSaying(value: unknown): boolean {
  if (typeof value === "object") return value !== null && Object.keys(value).length > 0;
  return value !== "" && value !== false;
}

/** Wei as ETH, long hashes and addresses by their ends, what is in one another with commas. */
function tellFact(name: string, value: unknown): string {
  const said = name.replaceAll("_", " ");
  if (Array.isArray(value)) return `${said} ${value.join(", ")}`;
  if (name === "wei" && typeof value === "object" && value !== null) {
    const costs = Object.entries(value).map(([part, each]) => `${part} ${ether(String(each), 6)} ETH`);
    return `gas: ${costs.join(", ")}`;
  }
  if (typeof value === "object" && value !== null) {
    const parts = Object.entries(value).filter(([, each]) => isWorthSaying(each));
    return `${said}: ${parts.map(([part, each]) => tellFact(part, each)).join(", ")}`;
  }
  if (/ wei$/.test(said) && /^\d+$/.test(String(value)))
    return `${said.replace(/ wei$/, "")} ${ether(String(value))} ETH`;
  if (typeof value === "number") return `${said} ${group(value)}`;
  return `${said} ${/^0x[0-9a-f]{40,}$/i.test(String(value)) ? shorten(String(value)) : String(value)}`;
}
