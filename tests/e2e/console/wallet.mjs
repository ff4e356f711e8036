// Trading with a wallet that travels: the console was told of no node, so all that it knows of L1 comes through it.
import { checkAccess, scenario, words } from "./browser.mjs";
import { bringWallet } from "./travelling_wallet.mjs";

const [url, key, node] = words;

await scenario(async (page) => {
  const wallet = await bringWallet(page, key, node);
  await page.goto(`${url}/console/`);
  await page.getByText("78,010").first().waitFor();
  await page.getByRole("button", { name: "Connect" }).click();
  await checkAccess(page, "the wallet's dialog");
  await page.getByRole("button", { name: "Travelling Wallet" }).click();

  const money = page.getByRole("region", { name: "Money" });
  await money.getByText("1,000.00").first().waitFor();
  await money.getByLabel("Amount").fill("200");
  await money.getByRole("button", { name: "Deposit" }).click();
  await money.getByText("1,200.00").first().waitFor();

  const ticket = page.getByRole("region", { name: "Order ticket" });
  await ticket.getByLabel("Price").fill("78010");
  await ticket.getByLabel("Size").fill("0.01");
  wallet.refuses = true;
  await ticket.getByRole("button", { name: "Buy BTC" }).click();
  await ticket.getByText("User rejected the request.").waitFor();
  wallet.refuses = false;
  await ticket.getByRole("button", { name: "Buy BTC" }).click();
  await ticket.getByText("0.0100 BTC traded").waitFor();

  await money.getByLabel("Amount").fill("100");
  await money.getByRole("button", { name: "Withdraw", exact: true }).click();
  await money.getByText("Withdrawn. L1 pays").waitFor();
  await money.getByLabel("Amount").fill("50");
  await money.getByRole("button", { name: "Force the withdrawal through L1" }).click();
  await money.getByRole("link", { name: /Account/ }).click();
  const withdrawals = page.getByRole("region", { name: "Withdrawals" });
  await withdrawals.getByText("50.00").waitFor({ timeout: 90_000 });
  const end = Date.now() + 200_000;
  while ((await withdrawals.getByRole("cell", { name: "paid", exact: true }).count()) < 2) {
    if (Date.now() > end) throw new Error(await withdrawals.innerText());
    const button = withdrawals.getByRole("button", { name: "Have it paid" }).first();
    if (await button.isEnabled().catch(() => false)) await button.click().catch(() => undefined);
    await page.waitForTimeout(1_000);
  }
  await page.getByRole("link", { name: "Disputes" }).click();
  await page.getByRole("table").getByText("the operator").first().waitFor();
  await page.getByRole("link", { name: "Settlement" }).click();
  await page.getByText("held = owed, to the unit").waitFor({ timeout: 60_000 });
  await page.getByRole("link", { name: "Verify" }).click();
  const named = await page.getByText("L1 node:").innerText();
  await page.getByRole("button", { name: "Verify every batch" }).click();
  await page.getByText(/Your browser comes to the same end as L1 in each of [1-9]/).waitFor({ timeout: 90_000 });
  await checkAccess(page, "verify by the wallet's node");
  return { asked: [...wallet.asked], node: named, verified: await page.locator(".callout").innerText() };
});
