// An order from TypeScript: the API's types are generated from its OpenAPI document, the signature is a wallet library's.
//
//   node dist/order.js URL KEY SYMBOL SIDE PRICE SIZE     (price and size in decimals)

import createClient from "openapi-fetch";
import type { TypedDataDomain, TypedDataParameter } from "viem";
import { privateKeyToAccount } from "viem/accounts";

import type { components, paths } from "./api.js";

type Market = components["schemas"]["Market"];
type OrderMessage = components["schemas"]["OrderRecord"]["typed"]["message"];

const [url, key, symbol, side, price, size] = process.argv.slice(2);
if (!url || !key || !symbol || !side || !price || !size) throw new Error("order URL KEY SYMBOL SIDE PRICE SIZE");

const api = createClient<paths>({ baseUrl: url });
const wallet = privateKeyToAccount(key as `0x${string}`);

/** What the exchange answers; its refusals as errors. */
function take<T>(answer: { data?: T; error?: unknown }): T {
  if (answer.data === undefined) throw new Error(JSON.stringify(answer.error));
  return answer.data;
}

/** The fields of a type string, as wallets take them: "Order(uint32 account,uint64 nonce,…)". */
function readFields(types: string[], name: string): TypedDataParameter[] {
  const text = types.find((each) => each.startsWith(`${name}(`));
  if (text === undefined) throw new Error(`the exchange has no type ${name}`);
  return text
    .slice(name.length + 1, -1)
    .split(",")
    .map((field) => {
      const [type = "", called = ""] = field.split(" ");
      return { name: called, type };
    });
}

/** How many steps a decimal is; it has to be a whole number of them. */
function count(value: string, step: string): bigint {
  const places = Math.max(value.split(".")[1]?.length ?? 0, step.split(".")[1]?.length ?? 0);
  const scale = (text: string) => {
    const [whole = "0", part = ""] = text.split(".");
    return BigInt(whole + part.padEnd(places, "0"));
  };
  if (scale(value) % scale(step) !== 0n) throw new Error(`${value} is no multiple of ${step}`);
  return scale(value) / scale(step);
}

const info = take(await api.GET("/v1/info"));
const account = take(await api.GET("/v1/accounts/{account}", { params: { path: { account: wallet.address } } }));
const market: Market | undefined = info.markets.find((each) => each.symbol === symbol);
if (market === undefined) throw new Error(`there is no market ${symbol}`);

const taken = new Set(account.orders.map((each) => each.order_slot));
const message: OrderMessage = {
  account: account.account,
  nonce: account.next_nonce,
  market: market.market,
  side: side === "buy" ? 0 : 1,
  flags: 0,
  order_slot: [...Array(info.limits.max_order_slot + 1).keys()].find((slot) => !taken.has(slot)) ?? 0,
  price: Number(count(price, market.tick_size)),
  size: count(size, market.lot_size).toString(),
  expiry: 0,
  trigger: 0,
  client: 0,
  partner: 0,
  agent: 0,
};
const domain: TypedDataDomain = {
  name: info.name,
  version: info.version,
  chainId: info.chain_id,
  verifyingContract: info.vault as `0x${string}`,
};
const signature = await wallet.signTypedData({
  domain,
  types: { Order: readFields(info.types, "Order") },
  primaryType: "Order",
  message: Object.fromEntries(Object.entries(message).map(([name, value]) => [name, BigInt(value)])),
});
const result = take(await api.POST("/v1/records", { body: { typed: { type: "Order", message }, signature } }));
console.log(JSON.stringify({ sequence: result.sequence, outcome: result.outcome, resting: result.resting }));
