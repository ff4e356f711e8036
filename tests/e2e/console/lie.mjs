// A lie after its verdict, as the watcher's console tells it, move by move from the beginning; then as the operator's
// console shows it from L1, where this browser runs the judged step, and everything else, itself.
import { checkAccess, scenario, words } from "./browser.mjs";

const [url, operator, epoch] = words;

await scenario(async (page) => {
  await page.goto(`${url}/console/`);
  await page.getByText("Epochs confirmed").waitFor();
  await checkAccess(page, "the watcher's view");
  await page.getByRole("link", { name: "Disputes" }).click();
  await page.getByText("a lie, replaced").waitFor();
  await checkAccess(page, "claims and disputes");
  await page.getByRole("row", { name: "a lie, replaced" }).getByRole("link", { name: "Watch the game" }).click();
  await page.getByRole("heading", { name: `Epoch ${epoch}: the operator lied, and it was proven` }).waitFor();
  await page.getByText("7 of 7 moves").waitFor();
  await page.getByText("The step that L1 judged").waitFor();
  await checkAccess(page, "the game, light");
  const where = await page.locator(".where").innerText();
  const judged = await page.locator(".judged").innerText();
  const sides = await page.locator(".side").allInnerTexts();
  const slider = page.getByLabel("Event", { exact: true });
  await slider.focus();
  await slider.press("Home");
  await page.getByText("0 of 7 moves").waitFor();
  await page.getByText("They differ somewhere among").waitFor();
  await page.getByRole("button", { name: "Dark colours" }).click();
  await checkAccess(page, "the game, dark");

  await page.goto(`${operator}/console/#/epoch/${epoch}`);
  await page.getByText("a lie, replaced").waitFor();
  await checkAccess(page, "an epoch");
  await page.getByRole("link", { name: "Watch the dispute" }).click();
  await page.getByText("7 of 7 moves").waitFor();
  await page.getByRole("button", { name: "Run the step in your browser" }).click();
  await page.getByText("After it, by the rule").first().waitFor({ timeout: 90_000 });
  const own = await page.locator(".judged").innerText();
  await checkAccess(page, "the game on the operator's console");
  await page.goto(`${operator}/console/#/message/0:0`);
  await page.getByRole("button", { name: "Run it in your browser" }).click();
  await page.getByText("The machine says: accepted.").waitFor();
  await checkAccess(page, "a message");
  await page.goto(`${operator}/console/#/verify`);
  await page.getByRole("button", { name: "Verify every batch" }).click();
  await page.getByText("One lie was claimed, and replaced.").waitFor({ timeout: 90_000 });
  const difference = await page.locator(".judged").innerText();
  await checkAccess(page, "a difference");
  return { where, judged, sides, own, difference };
});
