// One message of the queue on L1: a deposit, or what somebody forced past the operator; and what became of it.
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { info, status } from "../api/exchange";
import { get } from "../api/http";
import type { Batch, LedgerEntry, PastBatch } from "../api/types";
import { type Message, readMessage } from "../l1/messages";
import { capital, group, moment, signed, span, tone } from "../lib/format";
import { usePolled } from "../lib/poll";
import { link, route } from "../lib/route";
import { fromUnits } from "../lib/scales";
import { Facts } from "../ui/Facts";
import { Hash } from "../ui/Hash";
import { Panel } from "../ui/Panel";
import { Table } from "../ui/Table";
import { Timeline } from "../ui/Timeline";
import { verifiersNode } from "../verify/node";
import { startVerifier } from "../verify/start";
import type { Told } from "../verify/worker";
import { canAskL1 } from "../wallet/rpc";
import { nameKind } from "./kinds";

const POLL_MS = 2_000;
/** Who has the queue take messages of these kinds, of those that no user sends. */
const SENDERS: Readonly<Record<number, string>> = { 0x81: "the vault", 0x86: "the queue itself" };

/** Of a message by its number, or as BATCH:INPUT, by where it was consumed. */
export default function MessagePage() {
  const [named = "0", place] = (route.value[1] ?? "0").split(":");
  const counted = usePolled(
    async () =>
      place === undefined ? Number(named) : (await get<Batch>(`/v1/batches/${named}`)).first_message + Number(place),
    0,
    [named, place],
  );
  const found = counted.value.data;
  return found === undefined ? (
    <main class="page" id="main" tabIndex={-1}>
      <h1>L1 message</h1>
      <p class={counted.value.error ? "said bad" : "said"}>{counted.value.error || "…"}</p>
    </main>
  ) : (
    <MessageView key={found} number={found} />
  );
}

function MessageView({ number }: { number: number }) {
  const canAsk = canAskL1();
  const asked = usePolled(async () => (canAsk ? readMessage(number) : undefined), POLL_MS, [number, canAsk]);
  const batch = usePolled(() => findBatch(number), POLL_MS, [number]);
  const message = asked.value.data;
  const life = batch.value.data;
  const input = life && number - life.first_message;
  const account = message && Number(message.fields["account"] ?? 0);
  const ledger = usePolled(
    async () =>
      life && account
        ? (await get<{ entries: LedgerEntry[] }>(`/v1/history/ledger/${account}?limit=1000`)).entries.filter(
            (entry) => entry.batch === life.batch && entry.input_index === input,
          )
        : [],
    0,
    [life?.batch, account],
  );
  const decimals = info.value?.collateral.decimals ?? 6;
  const entries = ledger.value.data ?? [];
  return (
    <main class="page" id="main" tabIndex={-1}>
      <h1>L1 message {group(number)}</h1>
      <p class="lead">
        Whatever is queued on L1 has to be in a batch in time: if the operator leaves it out, it may post nothing more.
        Deposits come this way, and whatever somebody forces past the operator.
      </p>
      {(asked.value.error || batch.value.error) && <p class="said bad">{asked.value.error || batch.value.error}</p>}
      <Timeline
        label="Its way"
        steps={[
          {
            name: "queued",
            about: "In L1's queue, where nobody can take it out",
            state: message ? "done" : asked.value.error ? "later" : "now",
            more: message && <span>{moment(message.at * 1000)}</span>,
          },
          {
            name: "consumed",
            about: "An input of a batch",
            state: life ? "done" : message ? "now" : "later",
            more: life && <a href={link("batch", life.batch)}>batch {group(life.batch)}</a>,
          },
          {
            name: "confirmed",
            about: "What came of it is final",
            state: life?.stage === "confirmed" ? "done" : life ? "now" : "later",
            more: life && <a href={link("epoch", life.epoch)}>epoch {group(life.epoch)}</a>,
          },
        ]}
      />
      <Panel title={message ? tellKind(message) : "What it asks for"}>
        {message ? (
          <Facts
            rows={[
              ...Object.entries(message.fields).map(
                ([name, value]) =>
                  [
                    capital(name.replaceAll("_", " ")),
                    <Value name={name} value={value} />,
                  ] as const,
              ),
              ["Sent by", message.sender ? <Hash text={message.sender} /> : (SENDERS[message.kind] ?? "the lister")],
              ["Transaction", <Hash text={message.transaction} />],
              ["Block", group(message.block)],
              ["Queue hash after it", <Hash text={message.queueHash} />],
            ]}
          />
        ) : (
          <p class="nothing">
            {asked.value.error
              ? "L1 has no such message."
              : canAsk
                ? "…"
                : "Connect a wallet: this page may ask no L1 node."}
          </p>
        )}
      </Panel>
      <Panel title="What became of it" aside={life && <span class="quiet">input {group(input)} of its batch</span>}>
        {!life && (
          <p class="nothing">
            {asked.value.error
              ? "Nothing."
              : number >= (status.value?.messages ?? 0)
                ? "No batch has consumed it yet."
                : "Its batch is not closed yet."}
          </p>
        )}
        {life && (
          <Table
            label="Changes of the account's collateral"
            nothing="It changed nobody's collateral."
            head={["#Time", "Why", "#Amount"]}
            keys={entries.map((entry) => entry.entry)}
            rows={entries.map((entry) => [
              moment(entry.time_ms),
              entry.kind,
              <span class={tone(entry.amount)}>{signed(entry.decimal.amount, decimals)}</span>,
            ])}
          />
        )}
        {life && verifiersNode.value && <Outcome batch={life.batch} input={input ?? 0} epoch={life.epoch} />}
      </Panel>
      <nav class="pager" aria-label="Other messages">
        {number > 0 && <a href={link("message", number - 1)}>← {number - 1}</a>}
        <a href={link("message", number + 1)}>{number + 1} →</a>
      </nav>
    </main>
  );
}

/** A field's value as people read it: money as decimals, spans of time in words. */
function Value({ name, value }: { name: string; value: string }) {
  const { decimals = 6, symbol = "" } = info.value?.collateral ?? {};
  if (name === "account") return <a href={link("account", value)}>{value}</a>;
  if (value.startsWith("0x")) return <Hash text={value} />;
  if (name === "amount")
    return (
      <>
        {group(fromUnits(value, decimals, decimals))} <span class="unit">{symbol}</span>
      </>
    );
  return <>{name === "max_age" ? span(Number(value)) : group(value)}</>;
}

/** The machine's word on it, by the verifier in this browser. */
function Outcome({ batch, input, epoch }: { batch: number; input: number; epoch: number }) {
  const said = useSignal<{ text: string; kind: string }>({ text: "", kind: "" });
  const worker = useRef<Worker | undefined>(undefined);
  useEffect(() => () => worker.current?.terminate(), []);
  const take = (told: Told): void => {
    if (told.kind === "batch" && told.finding.batch === batch) {
      const outcome = told.finding.outcomes[input] ?? "";
      said.value = {
        text: `The machine says: ${outcome.replaceAll("_", " ")}.`,
        kind: outcome === "accepted" ? "good" : "warn",
      };
      worker.current?.terminate();
    } else if (told.kind === "failed") said.value = { text: told.text, kind: "bad" };
  };
  return (
    <div class="inside verify-bar">
      <button
        type="button"
        onClick={() => {
          said.value = { text: `Running every batch up to it, from L1 as ${verifiersNode.value?.name} has it…`, kind: "" };
          worker.current = startVerifier(take, epoch);
        }}
      >
        Run it in your browser
      </button>
      <span class={said.value.kind} role="status">
        {said.value.text}
      </span>
    </div>
  );
}

function tellKind(message: Message): string {
  return message.sender && message.kind !== 0 ? `Forced: ${nameKind(message.kind)}` : nameKind(message.kind);
}

/** The batch that consumed a message, by halving: batches consume them in order. */
async function findBatch(message: number): Promise<PastBatch | undefined> {
  let least = 0;
  let most = (await get<{ batches: PastBatch[] }>("/v1/history/batches?limit=1")).batches[0]?.batch ?? -1;
  while (least <= most) {
    const middle = Math.floor((least + most) / 2);
    const [found] = (await get<{ batches: PastBatch[] }>(`/v1/history/batches?before=${middle + 1}&limit=1`)).batches;
    if (!found) return undefined;
    if (message < found.first_message) most = middle - 1;
    else if (message >= found.first_message + found.messages) least = middle + 1;
    else return found;
  }
  return undefined;
}
