// node dist/cli/serve.js: JSON lines on stdin, an answer a line on stdout (see src/vectors/session.ts for requests).
import { createInterface } from "node:readline";
import type { Json } from "../vectors/json.js";
import { Session } from "../vectors/session.js";

const session = new Session();
const lines = createInterface({ input: process.stdin, crlfDelay: Infinity });
for await (const line of lines) {
  if (line.trim() === "") continue;
  let answer: Json;
  try {
    answer = session.answer(JSON.parse(line) as Json);
  } catch (error) {
    answer = { error: "not JSON", detail: String(error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
