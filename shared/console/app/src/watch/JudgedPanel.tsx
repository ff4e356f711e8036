// The judged step in words: what was asked for, which rule ran, what it changed, and what each side made of it.
import { get } from "../api/http";
import { group } from "../lib/format";
import { usePolled } from "../lib/poll";
import { Hash } from "../ui/Hash";
import { Panel } from "../ui/Panel";
import { Table } from "../ui/Table";
import type { JudgedStep } from "./types";

interface Props {
  claimKey: string;
  nameOwner: (root: string) => string;
  isDecided: boolean;
}

export function JudgedPanel({ claimKey, nameOwner, isDecided }: Props) {
  const polled = usePolled(() => get<JudgedStep>(`/v1/games/${claimKey}/step`), 0, [claimKey]);
  const step = polled.value.data;
  if (!step) return polled.value.error ? <p class="said bad">{polled.value.error}</p> : null;
  const fields = Object.entries(step.asked.fields)
    .map(([name, value]) => `${name.replaceAll("_", " ")} ${group(value)}`)
    .join(", ");
  const changed = step.leaves.filter((leaf) => leaf.before !== leaf.after);
  const seen = step.leaves.filter((leaf) => leaf.before === leaf.after);
  return (
    <Panel
      title={isDecided ? "The step that L1 judged" : "The step in question"}
      aside={
        <span class="quiet">
          batch {group(step.batch)}, input {group(step.input)}, step {group(step.step)}
        </span>
      }
    >
      <div class="judged">
        <p>
          Input {group(step.input)} asks for <strong>{step.asked.kind}</strong>
          {fields && <>: {fields}</>}. Its step {group(step.step)} runs the rule <strong>{step.rule}</strong>
          {seen.length > 0 && <>, which looks at {seen.map((leaf) => leaf.name).join(", ")}</>}
          {changed.length ? " and changes:" : " and changes no leaf."}
        </p>
        {changed.length > 0 && (
          <Table
            label="Leaves before and after"
            head={["Leaf", "What", "#Before", "#After"]}
            rows={changed.flatMap((leaf) =>
              leaf.changes.map((change) => {
                const [name = "", values = ""] = change.split(": ");
                const [before = "", after = ""] = values.split(" → ");
                return [leaf.name, name.replaceAll("_", " "), show(before), <strong>{show(after)}</strong>];
              }),
            )}
          />
        )}
        <dl class="facts roomy">
          <div>
            <dt>Both agree on the machine before it</dt>
            <dd>
              <Hash text={step.before} />
            </dd>
          </div>
          <div class="good">
            <dt>After it, by the rule</dt>
            <dd>
              <Hash text={step.after} />
            </dd>
          </div>
          {Object.entries(step.leaves_said).map(([root, said]) => (
            <div key={root} class={said === step.after ? "good" : "bad"}>
              <dt>
                {nameOwner(root)} says {said === step.after ? "(true)" : "(false)"}
              </dt>
              <dd>
                <Hash text={said} />
              </dd>
            </div>
          ))}
        </dl>
      </div>
    </Panel>
  );
}

function show(value: string): string {
  return /^-?\d+$/.test(value) ? group(value) : value.length > 24 ? `${value.slice(0, 12)}…${value.slice(-6)}` : value;
}
