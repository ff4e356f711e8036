// Withdrawals of an account: asked for, complete, confirmed, paid; and the button that has the vault pay.
import { useSignal } from "@preact/signals";
import { info } from "../api/exchange";
import { tell } from "../api/http";
import type { LedgerEntry } from "../api/types";
import { moment } from "../lib/format";
import { usePolled } from "../lib/poll";
import { Amount } from "../ui/Amount";
import { Panel } from "../ui/Panel";
import { Table } from "../ui/Table";
import { claim, findProof, isPaid } from "../wallet/vault";
import { canAskL1 } from "../wallet/rpc";
import { wallet } from "../wallet/wallet";

interface Props {
  entries: readonly LedgerEntry[];
  owner: string;
}

export function Withdrawals({ entries, owner }: Props) {
  const own = entries.filter((entry) => entry.kind === "withdrawal" && entry.about !== null);
  if (!own.length) return null;
  const isOwn = wallet.value?.address.toLowerCase() === owner.toLowerCase();
  return (
    <Panel title="Withdrawals">
      <Table
        label="Withdrawals"
        head={["#Number", "#Amount", "State", "#Asked at"]}
        keys={own.map((entry) => entry.entry)}
        rows={own.map((entry) => [
          entry.about,
          <Amount units={entry.amount.replace("-", "")} decimals={info.value?.collateral.decimals ?? 6} />,
          <State index={entry.about ?? 0} isOwn={isOwn} />,
          moment(entry.time_ms),
        ])}
      />
    </Panel>
  );
}

function State({ index, isOwn }: { index: number; isOwn: boolean }) {
  const said = useSignal("");
  const isBusy = useSignal(false);
  const polled = usePolled(
    async () => ({
      proof: await findProof(index),
      isPaid: canAskL1() ? await isPaid(index) : undefined,
    }),
    3_000,
    [index],
  );
  const found = polled.value.data;
  const state = !found
    ? "…"
    : found.isPaid
      ? "paid"
      : found.proof
        ? "its epoch is complete: L1 pays once that is confirmed"
        : "its epoch is not complete yet";
  return (
    <>
      {state}
      {isOwn && found?.proof && !found.isPaid && (
        <button
          type="button"
          class="quiet-button apart"
          disabled={isBusy.value}
          onClick={() => {
            const { proof } = found;
            if (!proof) return;
            isBusy.value = true;
            said.value = "";
            claim(proof)
              .catch((error: unknown) => (said.value = tell(error)))
              .finally(() => (isBusy.value = false));
          }}
        >
          Have it paid
        </button>
      )}
      {said.value && !found?.isPaid && <span class="bad"> {said.value}</span>}
    </>
  );
}
