// A wallet of the browser, as extensions are: announced by EIP-6963, spoken to by EIP-1193. It signs with a real key and
// asks a real node; the console was told of no node, so everything that it knows of L1 comes through this wallet.
import { createRequire } from "node:module";
import { join } from "node:path";
import { checkAccess, scenario, words } from "./browser.mjs";

const [url, key, node] = words;
const require = createRequire(join(process.argv[2], "package.json"));
const { privateKeyToAccount } = require("viem/accounts");
const account = privateKeyToAccount(key);
const asked = new Set();
let refuses = false;

async function ask(method, params) {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
  const answer = await (
    await fetch(node, { method: "POST", headers: { "content-type": "application/json" }, body })
  ).json();
  if (answer.error) throw new Error(answer.error.message);
  return answer.result;
}

/** What a wallet does itself; all else is the node's. */
const OWN = {
  eth_requestAccounts: async () => [account.address.toLowerCase()],
  eth_signTypedData_v4: async ([address, text]) => {
    if (refuses) throw new Error("User rejected the request.");
    if (address.toLowerCase() !== account.address.toLowerCase()) throw new Error("not an account of this wallet");
    const { domain, types, primaryType, message } = JSON.parse(text);
    const { EIP712Domain, ...own } = types;
    if (!EIP712Domain) throw new Error("no type of the domain");
    return account.signTypedData({ domain, types: own, primaryType, message });
  },
  eth_sendTransaction: async ([call]) => {
    const nonce = Number(await ask("eth_getTransactionCount", [account.address, "pending"]));
    const gas = (BigInt(await ask("eth_estimateGas", [call])) * 12n) / 10n;
    const price = BigInt(await ask("eth_gasPrice", []));
    const chainId = Number(await ask("eth_chainId", []));
    const fees = { maxFeePerGas: 2n * price, maxPriorityFeePerGas: 1n };
    const { to, data } = call;
    return ask("eth_sendRawTransaction", [
      await account.signTransaction({ type: "eip1559", chainId, nonce, gas, ...fees, to, data }),
    ]);
  },
};

await scenario(async (page) => {
  await page.exposeFunction("walletAnswers", async (method, params) => {
    asked.add(method);
    try {
      return { result: await (OWN[method] ?? ((given) => ask(method, given)))(params) };
    } catch (error) {
      return { error: { code: 4001, message: error.message } };
    }
  });
  await page.addInitScript(() => {
    const provider = {
      request: async ({ method, params = [] }) => {
        const { result, error } = await window.walletAnswers(method, params);
        if (error) throw Object.assign(new Error(error.message), error);
        return result;
      },
      on: () => undefined,
    };
    const info = {
      uuid: "f8e1a1a0-0000-4000-8000-000000000001",
      name: "Travelling Wallet",
      icon: "data:,",
      rdns: "test",
    };
    const announce = () =>
      window.dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail: Object.freeze({ info, provider }) }));
    window.addEventListener("eip6963:requestProvider", announce);
    announce();
  });
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
  refuses = true;
  await ticket.getByRole("button", { name: "Buy BTC" }).click();
  await ticket.getByText("User rejected the request.").waitFor();
  refuses = false;
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
  return { asked: [...asked], node: named, verified: await page.locator(".callout").innerText() };
});
