// The console's reading of L1's logs, in a real browser and against a node that is made up: which blocks it is asked for.
import { createRequire } from "node:module";
import { join } from "node:path";
import { scenario } from "./browser.mjs";

const folder = process.argv[2];
const { rolldown } = createRequire(join(folder, "package.json"))("rolldown");
const bundle = await rolldown({ input: join(folder, "src/l1/logs.ts") });
const { output } = await bundle.generate({ format: "iife", name: "logs" });

/** Runs in the page: a chain with a log each thousand blocks, whose node takes `most` blocks a question. */
function makeNode({ name, most, latest, diesAfter = Infinity }) {
  const asked = [];
  const refused = [];
  const hex = (value) => "0x" + value.toString(16);
  return {
    name,
    asked,
    refused,
    latest,
    async ask(method, { fromBlock, toBlock } = {}) {
      if (method === "eth_blockNumber") return hex(this.latest);
      const [first, last] = [Number(fromBlock), Number(toBlock)];
      if (asked.length >= diesAfter) throw new Error("the L1 node does not answer");
      if (last - first + 1 > most) {
        refused.push([first, last]);
        throw new Error(`at most ${most} blocks`);
      }
      asked.push([first, last]);
      const found = [];
      for (let block = Math.ceil(first / 1000) * 1000; block <= last; block += 1000)
        found.push({ blockNumber: hex(block), topics: [hex(block % 3000), hex(block)], data: "0x" });
      return found;
    },
  };
}

await scenario(async (page) => {
  await page.route("http://127.0.0.1:9/", (route) => route.fulfill({ contentType: "text/html", body: "<title>-" }));
  const open = async () => {
    await page.goto("http://127.0.0.1:9/");
    await page.addScriptTag({ content: `${output[0].code}; window.logs = logs; window.makeNode = ${makeNode}` });
  };
  const read = (given, later = []) =>
    page.evaluate(
      async ([given, later]) => {
        const node = window.makeNode(given);
        const reader = new window.logs.LogReader(node, { block: 500_000, hash: "0xaa" });
        const tell = (found) => found.map((log) => Number(log.blockNumber));
        const said = [];
        for (const latest of [given.latest, ...later]) {
          node.latest = latest;
          const before = node.asked.length;
          const [all, some] = await Promise.all([reader.read("0x01", []), reader.read("0x01", [null, "0x7d000"])]).catch(
            (error) => [error.message, []],
          );
          const found = typeof all === "string" ? all : tell(all);
          said.push({ found, some: tell(some), asked: node.asked.slice(before), refused: node.refused.length });
        }
        return said;
      },
      [given, later],
    );
  const public_ = { name: "a public node", most: 2_000, latest: 600_000 };
  await open();
  const [first, again] = await read(public_, [600_001]);
  await open();
  const [reloaded] = await read({ ...public_, latest: 600_002 });
  const [other] = await read({ name: "a generous node", most: Infinity, latest: 600_000 });
  const [dead] = await read({ name: "a mortal node", most: 2_000, latest: 600_000, diesAfter: 20 });
  const [risen] = await read({ name: "a mortal node", most: 2_000, latest: 600_000 });
  return { first, again, reloaded, other, dead, risen };
});
