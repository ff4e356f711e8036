// The API's answers by name; `schema.d.ts` is made from its OpenAPI document when the console is built.
import type { components } from "./schema";

type Schemas = components["schemas"];

export type Account = Schemas["Account"];
export type AccountFill = Schemas["AccountFill"];
export type Agent = Schemas["Agent"];
export type Backstop = Schemas["Backstop"];
export type Batch = Schemas["Batch"];
export type BookUpdate = Schemas["BookUpdate"];
export type Candle = Schemas["Candle"];
export type CandleUpdate = Schemas["CandleUpdate"];
export type Candles = Schemas["Candles"];
export type Fill = Schemas["Fill"];
export type Info = Schemas["Info"];
export type LedgerEntry = Schemas["LedgerEntry"];
export type Level = Schemas["Level"];
export type Market = Schemas["Market"];
export type Order = Schemas["Order"];
export type PastBatch = Schemas["PastBatch"];
export type PastRecord = Schemas["PastRecord"];
export type Position = Schemas["Position"];
export type Refusal = Schemas["Refusal"];
export type Ranked = Schemas["Ranked"];
export type Result = Schemas["Result"];
export type Risk = Schemas["Risk"];
export type Rung = Schemas["Rung"];
export type Status = Schemas["Status"];
export type Trade = Schemas["Trade"];
export type Withdrawal = Schemas["Withdrawal"];
