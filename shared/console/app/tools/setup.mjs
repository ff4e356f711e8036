// The points of the trusted set-up of EIP-4844 that commitments need, for batches in blobs: `node setup.mjs WHOLE FILE`.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

const [whole, file] = process.argv.slice(2);
const lines = readFileSync(whole, "utf8").split(/\s+/);
mkdirSync(dirname(file), { recursive: true });
writeFileSync(file, `${lines.slice(0, 2 + Number(lines[0])).join("\n")}\n`);
