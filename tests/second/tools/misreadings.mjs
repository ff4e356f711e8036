// Runs misreadings of the document against the vectors: each is one text replacement in one source file, transpiled
// alone into a copy of dist/ (so: build first).
// usage: node tools/misreadings.mjs --setup FILE [--only ID…] [--every N] [--vectors FOLDER] [--write] [--no-control]
//   --setup FILE  the trusted set-up of EIP-4844
//   --only ID…   these alone                      --vectors FOLDER   by default ../vectors
//   --every N    every Nth: a sample              --write            keep the results, in notes/
//   --no-control without a run of what is not misread, where another has shown that it passes
// Exits 1 if a find string is not in its file exactly once, or the vectors miss what notes/misreadings.json says that
// they catch.
import { spawnSync } from "node:child_process";
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { setPriority } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { writeReport } from "./report.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const copy = join(root, "dist-mis");
const listFile = join(root, "notes", "misreadings.json");

function readArguments(args) {
  const options = { setup: "", only: new Set(), every: 1, vectors: join(root, "..", "vectors"), write: false, control: true };
  for (let i = 0; i < args.length; i++) {
    if (args[i] === "--only") while (/^M\d+$/.test(args[i + 1] ?? "")) options.only.add(args[++i]);
    else if (args[i] === "--every" && Number(args[i + 1]) >= 1) options.every = Number(args[++i]);
    else if (args[i] === "--setup" && args[i + 1] !== undefined) options.setup = args[++i];
    else if (args[i] === "--vectors" && args[i + 1] !== undefined) options.vectors = args[++i];
    else if (args[i] === "--write") options.write = true;
    else if (args[i] === "--no-control") options.control = false;
    else throw new Error(`what is ${args[i]}? See the head of this file`);
  }
  if (options.setup === "") throw new Error("--setup FILE is needed");
  return options;
}

/** The file with the replacement as JavaScript, or a complaint. */
function misread({ file, find, replace }) {
  const parts = readFileSync(join(root, file), "utf8").split(find);
  if (parts.length !== 2) return { complaint: `'${find.slice(0, 60)}' is ${parts.length - 1} times in ${file}` };
  const { outputText } = ts.transpileModule(parts.join(replace), {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
  });
  return { code: outputText };
}

/** Which case of which family shows it, the family that showed it before being asked first. */
function runVectors(folder, timeout, by) {
  const first = by ? `--first=${by.split(/[:,]/)[0]}` : "--first";
  const args = [join(copy, "cli", "vectors.js"), folder, options.setup, first];
  const run = spawnSync(process.execPath, args, { encoding: "utf8", timeout, maxBuffer: 2 ** 28 });
  if (run.status === 0) return { caught: false, by: null };
  if (run.error !== undefined) return { caught: true, by: "no end" };
  const said = run.stdout.trim();
  if (said !== "") return { caught: true, by: said.slice(0, 100) };
  const fault = run.stderr.split("\n").find((line) => /Error/.test(line)) ?? "";
  if (/Cannot find module/.test(fault)) throw new Error(`the copy in ${copy} is gone: nothing can be said`);
  return { caught: true, by: `fault: ${fault}` };
}

const options = readArguments(process.argv.slice(2));
setPriority(15);
rmSync(copy, { recursive: true, force: true });
cpSync(join(root, "dist"), copy, { recursive: true });
const list = JSON.parse(readFileSync(listFile, "utf8"));
const chosen = list.filter(({ id }, i) => (options.only.size === 0 ? i % options.every === 0 : options.only.has(id)));
const began = Date.now();
if (options.control) {
  const { caught: isWrongAlready, by: wrongBy } = runVectors(options.vectors);
  if (isWrongAlready) throw new Error(`nothing is misread yet, and the vectors do not pass: ${wrongBy}`);
}
const timeout = options.control ? 10 * (Date.now() - began) : 600_000; // a misreading may loop for ever
let wrong = 0;
let missed = 0;
for (const entry of chosen) {
  const { code, complaint } = misread(entry);
  if (complaint !== undefined) {
    console.log(`${entry.id} ${complaint}`);
    wrong++;
    continue;
  }
  const target = entry.file.replace(/^src/, "").replace(/\.ts$/, ".js");
  writeFileSync(join(copy, target), code);
  const { caught, by } = runVectors(options.vectors, timeout, entry.by);
  cpSync(join(root, "dist", target), join(copy, target));
  if (!caught) missed++;
  const known = entry.caught ?? caught;
  if (known && !caught) wrong++;
  if (!caught || !known) {
    console.log(`${entry.id} ${caught ? "caught" : known ? "MISSED, and was caught" : "missed"}: ${entry.section}, ${entry.reading}`);
  }
  Object.assign(entry, { caught, by });
  if (options.write) writeFileSync(listFile, `${JSON.stringify(list, null, 1)}\n`);
}
rmSync(copy, { recursive: true, force: true });
console.log(`${chosen.length} misreadings of ${list.length}: ${chosen.length - missed} caught, ${missed} missed`);
if (options.write) writeReport(list, join(root, "notes", "MISREADINGS.md"));
if (wrong > 0) process.exit(1);
