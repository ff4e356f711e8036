// Steps one after the other, as far as they are: what a batch, a claim or a dispute goes through.
import type { ComponentChildren } from "preact";

export interface TimelineStep {
  readonly name: string;
  readonly about: ComponentChildren;
  readonly state: "done" | "now" | "later" | "bad";
  readonly more?: ComponentChildren;
}

const SAID = { done: "done", now: "now", later: "still to come", bad: "done" } as const;

export function Timeline({ label, steps }: { label: string; steps: readonly TimelineStep[] }) {
  return (
    <ol class="timeline" aria-label={label}>
      {steps.map((step) => (
        <li key={step.name} class={`card ${step.state}`} aria-current={step.state === "now" ? "step" : undefined}>
          <strong>
            {step.name} <span class="sr">({SAID[step.state]})</span>
          </strong>
          <span class="quiet">{step.about}</span>
          {step.more}
        </li>
      ))}
    </ol>
  );
}
