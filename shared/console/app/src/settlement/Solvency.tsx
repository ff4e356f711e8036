// Whether the vault on L1 holds what the exchange owes, to the unit: L1's word beside the machine's.
import type { Hex } from "viem";
import { info, status } from "../api/exchange";
import { group } from "../lib/format";
import { usePolled } from "../lib/poll";
import { fromUnits } from "../lib/scales";
import { findProof, isPaid, readBalance } from "../wallet/vault";
import { readEvents, view } from "../l1/call";
import { QUEUE, VAULT } from "../l1/interfaces";
import { canAskL1 } from "../wallet/rpc";

const POLL_MS = 4_000;
/** Withdrawals that are looked at, the latest ones. */
const MOST = 50;

interface Reading {
  readonly held: bigint;
  readonly owed: bigint;
  /** Deposits on L1 that the machine has not taken yet. */
  readonly coming: bigint;
  /** Withdrawals that were decided and not paid yet, as far as their proofs are there. */
  readonly leaving: bigint;
  /** Of which there is no proof yet. */
  readonly unproven: number;
}

export function Solvency() {
  const canAsk = canAskL1();
  const polled = usePolled<Reading | undefined>(async () => (canAsk ? read() : undefined), POLL_MS, [canAsk]);
  const decimals = info.value?.collateral.decimals ?? 6;
  const symbol = info.value?.collateral.symbol ?? "";
  const money = (units: bigint) => group(fromUnits(units, decimals, decimals));
  const found = polled.value.data;
  const due = found ? found.owed + found.coming + found.leaving : 0n;
  const isEqual = found && found.held === due;
  const waits = found && found.unproven > 0;
  return (
    <section class="panel solvency" aria-label="Solvency">
      <header class="panel-head">
        <h2>Solvency</h2>
        <span class={`verdict ${!found ? "" : isEqual ? "good" : waits ? "warn" : "bad"}`}>
          {!found
            ? canAsk
              ? "reading L1…"
              : "connect a wallet: this page may ask no L1 node"
            : isEqual
              ? "held = owed, to the unit"
              : waits
                ? `${found.unproven} withdrawals wait for their epoch`
                : "held and owed differ"}
        </span>
      </header>
      <div class="stats inside">
        <Sum name="Held by the vault, on L1" value={found && money(found.held)} unit={symbol} />
        <span class="operator" aria-hidden="true">
          =
        </span>
        <Sum
          name="Owed by the machine"
          value={found ? money(found.owed) : status.value && money(BigInt(status.value.owed))}
          unit={symbol}
        />
        <span class="operator" aria-hidden="true">
          +
        </span>
        <Sum name="Deposits not taken yet" value={found && money(found.coming)} unit={symbol} />
        <span class="operator" aria-hidden="true">
          +
        </span>
        <Sum name="Withdrawals not paid yet" value={found && money(found.leaving)} unit={symbol} />
      </div>
    </section>
  );
}

function Sum({ name, value, unit }: { name: string; value: string | undefined; unit: string }) {
  return (
    <div class="stat">
      <span class="stat-name">{name}</span>
      <span class="stat-value num">{value ?? "–"}</span>
      <span class="quiet">{unit}</span>
    </div>
  );
}

async function read(): Promise<Reading | undefined> {
  const terms = info.value;
  const before = status.value;
  if (!terms || !before) return undefined;
  const vault = terms.vault as Hex;
  const held = await readBalance(vault);
  const coming = await readComing(vault, terms.queue as Hex, before.messages);
  let leaving = 0n;
  let unproven = 0;
  for (let index = before.withdrawals - 1; index >= Math.max(before.withdrawals - MOST, 0); index--) {
    const proof = await findProof(index);
    if (!proof) unproven++;
    else if (!(await isPaid(index))) leaving += BigInt(proof.amount);
  }
  return { held, owed: BigInt(before.owed), coming, leaving, unproven };
}

async function readComing(vault: Hex, queue: Hex, taken: number): Promise<bigint> {
  if (Number(await view(queue, QUEUE, "count")) <= taken) return 0n;
  return (await readEvents(vault, VAULT, "Deposited"))
    .filter(({ args }) => (args["message"] as bigint) >= BigInt(taken))
    .reduce((sum, { args }) => sum + (args["amount"] as bigint), 0n);
}
