// A new development key: test money in, some out again by either way, paid on L1; then the operator is killed.
import { checkAccess, scenario, words } from "./browser.mjs";
import { existsSync, writeFileSync } from "node:fs";

const [url, folder] = words;

await scenario(async (page) => {
  await page.goto(`${url}/console/`);
  await page.getByRole("button", { name: "Connect" }).click();
  await page.getByRole("button", { name: "New development key" }).click();
  await page.getByRole("button", { name: /Begin with 10,000 test dollars/ }).click();
  const money = page.getByRole("region", { name: "Money" });
  await money.getByText("10,000.00").first().waitFor();
  await money.getByLabel("Amount").fill("1234.5");
  await money.getByRole("button", { name: "Withdraw", exact: true }).click();
  await money.getByText("Withdrawn. L1 pays").waitFor();
  await money.getByText("8,765.50").first().waitFor();
  await money.getByLabel("Amount").fill("65.5");
  await money.getByRole("button", { name: "Force the withdrawal through L1" }).click();
  await money.getByText("8,700.00").first().waitFor({ timeout: 60_000 });
  const own = page.getByRole("region", { name: "Your account" });
  await own.getByRole("tab", { name: "Agents" }).click();
  await own.getByLabel("Address").fill("0x00000000000000000000000000000000000000a1");
  await own.getByLabel("only to close").check();
  await own.getByRole("button", { name: "Name agent 1" }).click();
  await own.getByText("only to close").nth(1).waitFor();
  await checkAccess(page, "agents");
  await own.getByRole("button", { name: "Revoke agent 1" }).click();
  await own.getByText("No other key may trade for this account.").waitFor();
  await money.getByRole("link", { name: /Account/ }).click();
  await page.getByRole("heading", { name: "Withdrawals" }).waitFor({ timeout: 120_000 });
  await page.getByRole("button", { name: "Have it paid" }).last().waitFor({ timeout: 60_000 });
  await checkAccess(page, "an account");
  await page.getByRole("link", { name: "Settlement" }).click();
  await page.getByText("held = owed, to the unit").waitFor({ timeout: 60_000 });
  await checkAccess(page, "settlement");
  await page.getByRole("link", { name: "Risk" }).click();
  await page.getByText("Liquidation ladder").waitFor();
  await page.getByText("Shorts, if a long cannot pay").waitFor();
  await checkAccess(page, "risk");
  await page.getByRole("link", { name: "See it happen in a flash crash." }).click();
  await page.getByText("BTC were closed in the book").waitFor();
  await page.getByRole("button", { name: "Play" }).click();
  await page.getByText("A quiet day").waitFor();
  await page.getByText("The first accounts are below their maintenance margin").waitFor();
  await page.getByRole("button", { name: "Pause" }).click();
  await checkAccess(page, "the film");
  await page.getByRole("link", { name: "Verify" }).click();
  let blobs = 0;
  page.on("response", (response) => {
    if (response.url().includes("/v1/blobs/0x") && response.ok()) blobs++;
  });
  const patience = Date.now() + 120_000;
  const callout = page.locator(".callout");
  for (;;) {
    // Until a batch with records is on L1, whose blob the watcher has read: its node has none to give.
    await page.getByRole("button", { name: "Verify every batch" }).click();
    await callout.waitFor({ timeout: 90_000 });
    const said = await callout.innerText();
    if (blobs && /the same end as L1 in each of [1-9]/.test(said)) break;
    if (Date.now() > patience) throw new Error(said);
    await page.waitForTimeout(2_000);
  }
  await checkAccess(page, "verify");
  const verified = await page.locator(".callout").innerText();
  writeFileSync(`${folder}/ready`, "");
  while (!existsSync(`${folder}/killed`)) await page.waitForTimeout(100);
  await page.getByText(/The operator has not answered for/).waitFor();
  await checkAccess(page, "without an operator");
  return { verified, blobs, banner: await page.getByRole("alert").innerText() };
});
