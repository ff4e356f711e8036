// A dispute while it is played, on the watcher's console: nothing is loaded anew, each move shows by itself.
import { checkAccess, scenario, words } from "./browser.mjs";

const [url] = words;

await scenario(async (page) => {
  await page.goto(`${url}/console/#/games`);
  await page.getByText("disputed now").first().waitFor({ timeout: 200_000 });
  await page.getByRole("row", { name: "disputed now" }).first().getByRole("link", { name: "Watch the game" }).click();
  await page.evaluate(() => {
    window.loadedOnce = true;
  });
  await page.getByText("live").waitFor();
  await page
    .getByText(/left, running/)
    .first()
    .waitFor();
  const seen = [];
  const moves = page.getByText(/^\d of 7 moves$/);
  while (seen.at(-1) !== "7 of 7 moves") {
    const now = await moves.innerText();
    if (now !== seen.at(-1)) seen.push(now);
    else await page.waitForTimeout(50);
  }
  await checkAccess(page, "a dispute that is played");
  await page.getByText("Lied: L1 ran the step and got something else").waitFor({ timeout: 60_000 });
  await page.getByText("The step that L1 judged").waitFor();
  await page.getByText("nobody: it is burnt").waitFor({ timeout: 100_000 });
  const payments = await page.getByRole("group", { name: "Payments" }).innerText();
  const chapters = await page.getByRole("list", { name: "The dispute" }).innerText();
  return { seen, payments, chapters, loadedOnce: await page.evaluate(() => window.loadedOnce) };
});
