// A real Chromium for the scenarios of this folder: `node SCENARIO.mjs FOLDER CHROMIUM URL …`, FOLDER being where the
// console was built. What a page logs as an error, or throws, fails the scenario in the end.
import { createRequire } from "node:module";
import { join } from "node:path";
import { readFileSync } from "node:fs";

const [folder, program] = process.argv.slice(2);
const require = createRequire(join(folder, "package.json"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

/** What the scenario was given beside these two. */
export const words = process.argv.slice(4);

/** Run `play(page)` in a browser; its result is printed as JSON. */
export async function scenario(play, options = {}) {
  const browser = await chromium.launch({ executablePath: program, args: ["--no-sandbox", "--disable-gpu"] });
  const problems = [];
  try {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(30_000);
    page.on("pageerror", (error) => problems.push(`thrown: ${error.message}`));
    page.on("console", (message) => {
      // A refusal (404: no account yet) is an answer; browsers log it all the same.
      if (message.type() === "error" && !/Failed to load resource|WebSocket connection/.test(message.text()))
        problems.push(message.text());
    });
    const told = await play(page).catch(async (error) => {
      // What the page says is most of what one needs to know.
      const said = await page.locator("body").innerText().catch(() => "");
      throw new Error(`${error.stack}\n${page.url()}: ${said.replace(/\s*\n\s*/g, " | ").slice(-2500)}`);
    });
    if (problems.length) throw new Error(problems.join("\n"));
    console.log(JSON.stringify(told ?? {}));
  } finally {
    await browser.close();
  }
}

/** Throws what axe-core finds wrong with the page as it is. */
export async function checkAccess(page, where) {
  const session = await page.context().newCDPSession(page); // past the page's own policy, which runs no foreign script
  await session.send("Runtime.evaluate", { expression: axe });
  const { result } = await session.send("Runtime.evaluate", {
    expression:
      "axe.run().then((found) => JSON.stringify(found.violations.map((each) => ({ id: each.id, nodes: each.nodes.slice(0, 3).map((node) => node.html + ' ' + node.failureSummary) }))))",
    awaitPromise: true,
    returnByValue: true,
  });
  const violations = JSON.parse(result.value);
  if (violations.length) throw new Error(`${where}: ${JSON.stringify(violations, null, 1)}`);
}

/** Open the wallet's dialog, and trade with this development key. */
export async function connect(page, key) {
  await page.getByRole("button", { name: "Connect" }).click();
  await page.getByLabel("Key").fill(key);
  await page.getByRole("button", { name: "Use this development key" }).click();
}
