// Who pays whom, a line each.
import { capital, ether } from "../lib/format";
import { Panel } from "../ui/Panel";
import { Table } from "../ui/Table";
import { listPayments, type Payment } from "./money";
import type { Game, GameEvent, Terms } from "./types";
import { nameParty } from "./watch";

const KINDS: Record<Payment["kind"], string> = { locked: "locked", back: "given back", paid: "paid", burnt: "burnt" };

export function MoneyTable({ game, events, terms }: { game: Game; events: readonly GameEvent[]; terms: Terms }) {
  const payments = listPayments(game, events, terms, nameParty);
  return (
    <Panel
      title="Who pays whom"
      aside={
        <span class="quiet">
          a bond is {ether(terms.bond)} ETH, a stake {ether(terms.stake)}
        </span>
      }
    >
      <Table
        label="Payments"
        nothing="No money has moved yet."
        head={["From", "To", "#ETH", "What", "Why"]}
        rows={payments.map((each) => [
          capital(each.from),
          each.to,
          ether(each.amount),
          <span class={each.kind === "burnt" ? "bad" : each.kind === "paid" ? "good" : ""}>{KINDS[each.kind]}</span>,
          <span class="quiet">{each.why}</span>,
        ])}
      />
    </Panel>
  );
}
