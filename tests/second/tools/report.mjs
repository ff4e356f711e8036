// notes/MISREADINGS.md from the list of misreadings and what became of them.
import { writeFileSync } from "node:fs";

/** The themes, by the source file of the replacement; the first that fits. */
const THEMES = [
  [/codec\//, "records, messages, legs and signatures as bytes"],
  [/fetch|load|authority|scope/, "fetch: turn, loading, authority, nonces, scopes"],
  [/messages/, "messages of the queue"],
  [/legs/, "legs"],
  [/exits/, "draws and exits"],
  [/phases\/orders|positions/, "ADMIT, AMEND, CLEAR, FIRE, what is live"],
  [/margin/, "margins, legal fills, sure makers, MARGIN"],
  [/matching|trade/, "MATCH, PROBE, FILL, one side of a trade"],
  [/auction/, "auctions"],
  [/phases\/book|bits|rules\/book/, "the book's lists and words"],
  [/payments/, "backstop requests, payments"],
  [/oracle|rules\/market/, "prices: index, mark, samples, cranks, calls"],
  [/liquidation|backstop/, "liquidation, takeover, deleveraging, unwinding"],
  [/\bwork\b/, "the machine's own work"],
  [/batch\/|dispute\//, "batches, histories, proofs"],
  [/./, "numbers, tree, leaves, registers, steps"],
];

const themeOf = ({ file }) => THEMES.find(([pattern]) => pattern.test(file.replace(/^src\//, "")))[1];

export function writeReport(list, path) {
  const measured = list.filter(({ caught }) => caught !== undefined);
  const missed = measured.filter(({ caught }) => !caught);
  const themes = grouped(measured);
  const missedIn = (entries) => entries.filter(({ caught }) => !caught);
  const sorted = [...themes].sort(([, a], [, b]) => missedIn(b).length - missedIn(a).length);
  const lines = [
    "# Misreadings", "",
    `${list.length} plausible misreadings of PROTOCOL.md, each a small change of one source file (\`notes/misreadings.json\`, run by`,
    "`node tools/misreadings.mjs`, which writes this file with `--write`). A verifier with one that the vectors miss passes all of",
    "them, and loses its bond at the first epoch in which the case comes up. (≈): equivalent, or nearly, in every state that",
    "genesis leads to.", "",
    `Measured: ${measured.length}. Caught by the vectors: ${measured.length - missed.length}. **Missed: ${missed.length}.**`, "",
    "| theme | misreadings | missed |", "|---|---|---|",
    ...sorted.map(([theme, entries]) => `| ${theme} | ${entries.length} | ${missedIn(entries).length} |`),
  ];
  if (missed.length > 0) lines.push("", "## Missed, by theme");
  for (const [theme, entries] of sorted) {
    if (missedIn(entries).length === 0) continue;
    lines.push("", `### ${theme}`, "");
    for (const { id, near, section, sentence, reading } of missedIn(entries)) {
      const mark = near ? " (≈)" : "";
      lines.push(`- ${id}${mark} §${section}: where the document says “${sentence}”, a reader could take: ${reading}.`);
    }
  }
  lines.push("", "## Caught", "");
  for (const { id, section, sentence, reading, by } of measured.filter(({ caught }) => caught)) {
    lines.push(`- ${id} §${section}: “${sentence}” – ${reading}. (${by})`);
  }
  writeFileSync(path, `${lines.join("\n")}\n`);
}

function grouped(entries) {
  const groups = new Map();
  for (const entry of entries) groups.set(themeOf(entry), [...(groups.get(themeOf(entry)) ?? []), entry]);
  return groups;
}
