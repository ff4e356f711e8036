// A labelled input with its unit.
import type { Signal } from "@preact/signals";

interface Props {
  name: string;
  label: string;
  value: Signal<string>;
  unit?: string;
  /** Shown instead of the value, which then cannot be typed. */
  fixed?: string | undefined;
  placeholder?: string;
  isSecret?: boolean;
}

export function Field({ name, label, value, unit, fixed, placeholder = "", isSecret = false }: Props) {
  return (
    <label class="field">
      <span>{label}</span>
      <input
        type={(isSecret ? "password" : "text") as "text"}
        name={name}
        inputMode={isSecret ? "text" : "decimal"}
        autoComplete="off"
        disabled={fixed !== undefined}
        placeholder={placeholder}
        value={fixed ?? value.value}
        onInput={(event) => (value.value = event.currentTarget.value)}
      />
      {unit && <span class="unit">{unit}</span>}
    </label>
  );
}
