// A table that scrolls in its panel: columns by name, numbers to the right, a word where there is nothing.
import type { ComponentChildren } from "preact";

interface Props {
  /** Names of columns; one that begins with # holds numbers, an empty one buttons. */
  head: readonly string[];
  rows: readonly (readonly ComponentChildren[])[];
  label: string;
  nothing?: string;
  keys?: readonly (string | number)[];
}

export function Table({ head, rows, label, nothing = "None.", keys }: Props) {
  const isNumber = head.map((name) => name === "" || name.startsWith("#"));
  if (!rows.length) return <p class="nothing">{nothing}</p>;
  return (
    <div class="scroll wide" tabIndex={0} role="group" aria-label={label}>
      <table class="table">
        <thead>
          <tr>
            {head.map((name, at) => (
              <th key={at} class={isNumber[at] ? "num" : ""}>
                {name.replace(/^#/, "") || <span class="sr">What to do</span>}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((cells, row) => (
            <tr key={keys?.[row] ?? row}>
              {cells.map((cell, at) => (
                <td key={at} class={isNumber[at] ? "num" : ""}>
                  {cell}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
