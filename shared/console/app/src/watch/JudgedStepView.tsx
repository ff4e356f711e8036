// A step in words, with both states: the leaves before and after it, and what each side says of the machine.
import { capital, group } from "../lib/format";
import { Hash } from "../ui/Hash";
import { Table } from "../ui/Table";
import type { JudgedStep } from "./types";

interface Props {
  step: JudgedStep;
  nameOwner: (root: string) => string;
  /** Histories that are out, with the cause. */
  out: ReadonlyMap<string, string>;
}

export function JudgedStepView({ step, nameOwner, out }: Props) {
  const fields = Object.entries(step.asked.fields)
    .map(([name, value]) => (name === "side" ? (SIDES[value] ?? value) : `${name.replaceAll("_", " ")} ${show(value)}`))
    .join(", ");
  const changed = step.leaves.filter((leaf) => leaf.before !== leaf.after);
  const seen = step.leaves.filter((leaf) => leaf.before === leaf.after);
  const said = Object.entries(step.leaves_said);
  const liars = said.filter(([, hash]) => hash !== step.after).map(([root]) => nameOwner(root));
  const honest = said.filter(([, hash]) => hash === step.after).map(([root]) => nameOwner(root));
  return (
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
          head={["Leaf", "What", "#Before", "#After, by the rule"]}
          rows={changed.flatMap((leaf) =>
            leaf.changes.map((change) => {
              const [name = "", values = ""] = change.split(": ");
              const [before = "", after = ""] = values.split(" → ");
              return [leaf.name, nameField(name), show(before), <strong>{show(after)}</strong>];
            }),
          )}
        />
      )}
      {changed.length > 0 && (
        <p class="quiet inside">
          As the machine counts: amounts of money in token units, sizes in lots, prices in ticks; positions by their place
          in the account.
        </p>
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
        {said.map(([root, hash]) => (
          <div key={root} class={hash === step.after ? "good" : "bad"}>
            <dt>
              {capital(nameOwner(root))} says {hash === step.after ? "(true)" : "(false)"}
            </dt>
            <dd>
              <Hash text={hash} />
            </dd>
          </div>
        ))}
      </dl>
      {liars.length > 0 && (
        <p class="verdict-line">
          {out.size
            ? `L1 ran this one step from the machine that both agree on, and came to what ${honest.join(" and ") || "neither"} said. `
            : "L1 runs this one step, and no more, from the machine that both agree on. "}
          What {liars.join(" and ")} put in its place is known by its hash alone: no state that this step can make has
          it.
        </p>
      )}
    </div>
  );
}

const SIDES: Record<string, string> = { "0": "buy", "1": "sell" };

/** "positions.1.size" is the size of the account's position in place 1. */
function nameField(name: string): string {
  return name.replace(/^positions\.(\d+)\./, "position $1: ").replaceAll("_", " ");
}

function show(value: string): string {
  return /^-?\d+$/.test(value) ? group(value) : value.length > 24 ? `${value.slice(0, 12)}…${value.slice(-6)}` : value;
}
