// The flash crash of the market's laboratory, as its curves were recorded, for the film: `node film.mjs RECORDED FILE`.
import { readFileSync, writeFileSync } from "node:fs";

const [recorded, file] = process.argv.slice(2);
const { prices, stories } = JSON.parse(readFileSync(recorded, "utf8"));
const { curves, gains, inputs } = stories["flash-crash"];
writeFileSync(file, JSON.stringify({ prices, gains, inputs, curves }));
