// A lie from its claim to its verdict, as the watcher's console tells it; then the replay from the beginning.
import { checkAccess, scenario, words } from "./browser.mjs";

const [url, epoch] = words;

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
  return { where, judged, sides };
});
