// A wallet of the browser, as extensions are: announced by EIP-6963, spoken to by EIP-1193. It signs with a real key
// and asks a real node.
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(join(process.argv[2], "package.json"));
const { privateKeyToAccount } = require("viem/accounts");

/** Give the page one of `key`, which asks `node`. `wallet.refuses`: it signs nothing; `wallet.isMute`: it sends, and
 * its answer never comes; `wallet.asked`: by which methods it was asked. */
export async function bringWallet(page, key, node) {
  const account = privateKeyToAccount(key);
  const wallet = { asked: new Set(), refuses: false, isMute: false };

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
      if (wallet.refuses) throw new Error("User rejected the request.");
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
      const hash = await ask("eth_sendRawTransaction", [
        await account.signTransaction({ type: "eip1559", chainId, nonce, gas, ...fees, to, data }),
      ]);
      return wallet.isMute ? new Promise(() => undefined) : hash;
    },
  };

  await page.exposeFunction("walletAnswers", async (method, params) => {
    wallet.asked.add(method);
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
  return wallet;
}
