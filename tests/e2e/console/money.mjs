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
  await money.getByRole("link", { name: /Account/ }).click();
  await page.getByRole("heading", { name: "Withdrawals" }).waitFor({ timeout: 120_000 });
  await page.getByRole("button", { name: "Have it paid" }).last().waitFor({ timeout: 60_000 });
  await checkAccess(page, "an account");
  await page.getByRole("link", { name: "Settlement" }).click();
  await page.getByText("held = owed, to the unit").waitFor({ timeout: 60_000 });
  await checkAccess(page, "settlement");
  await page.getByRole("link", { name: "Risk" }).click();
  await page.getByText("Liquidation ladder").waitFor();
  await checkAccess(page, "risk");
  await page.getByRole("link", { name: "Verify" }).click();
  await page.getByRole("button", { name: "Verify every batch" }).click();
  await page.getByText(/Your browser comes to the same end as L1 in each of [1-9]/).waitFor({ timeout: 90_000 });
  await checkAccess(page, "verify");
  const verified = await page.locator(".callout").innerText();
  writeFileSync(`${folder}/ready`, "");
  while (!existsSync(`${folder}/killed`)) await page.waitForTimeout(100);
  await page.getByText(/The operator has not answered for/).waitFor();
  await checkAccess(page, "without an operator");
  return { verified, banner: await page.getByRole("alert").innerText() };
});
