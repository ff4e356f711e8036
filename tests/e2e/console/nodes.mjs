// Two L1 nodes to verify by: the wallet's, and the one that the operator names, which leaves messages out of its logs.
import { checkAccess, scenario, words } from "./browser.mjs";
import { bringWallet } from "./travelling_wallet.mjs";

const [url, key, node] = words;

await scenario(async (page) => {
  const wallet = await bringWallet(page, key, node);
  await page.goto(`${url}/console/#/verify`);
  const callout = page.locator(".callout");
  const verify = async () => {
    await page.getByRole("button", { name: "Verify every batch" }).click();
    await callout.waitFor({ timeout: 90_000 });
    return callout.innerText();
  };
  const alone = await page.getByText("L1 node:").innerText();
  const refused = await verify();
  await checkAccess(page, "a node that shows too little");
  await page.getByRole("button", { name: "Connect" }).click();
  await page.getByRole("button", { name: "Travelling Wallet" }).click();
  const choice = page.getByLabel("L1 node");
  const choices = await choice.locator("option").allInnerTexts();
  const first = await choice.inputValue();
  let verified = "";
  for (const end = Date.now() + 90_000; !/the same end as L1 in each of [1-9]/.test(verified) && Date.now() < end; )
    verified = await verify();
  const batches = await page.locator(".table tbody tr").count();
  await checkAccess(page, "a choice of two nodes");
  await choice.selectOption("operator");
  const asked = wallet.asked.has("eth_getLogs");
  wallet.asked.clear();
  const again = await verify();
  return { alone, refused, choices, first, verified, batches, asked, again, askedAfter: [...wallet.asked] };
});
