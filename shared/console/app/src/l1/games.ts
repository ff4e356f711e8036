// Claims and their disputes from the court itself, in the shape in which a watcher tells of them.
import type { Hex } from "viem";
import type { Claim, Game, GameEvent, Terms } from "../watch/types";
import { findContracts, type Happened, readClaimEvents, readEvents, view } from "./call";
import { COURT, INBOX } from "./interfaces";

/** The court's numbers of a claim's states (section 12). */
const STATES = ["absent", "claimed", "disputed", "installed", "settled", "void", "moot"] as const;
const CLOSED = new Set<string>(["settled", "void", "moot"]);

export async function readTerms(): Promise<Terms> {
  const { court } = await findContracts();
  const terms = await view(court, COURT, "get_terms");
  return {
    bond: String(terms.bond),
    bond_burn: String(terms.bond_burn),
    stake: String(terms.stake),
    stake_reward: String(terms.stake_reward),
    challenge_period: Number(terms.challenge_period),
    epoch_batches: Number(terms.epoch_batches),
  };
}

/** Who posts, by the inbox. */
export async function readOperator(): Promise<string> {
  return (await view((await findContracts()).inbox, INBOX, "OPERATOR")).toLowerCase();
}

/** The end that L1 has confirmed of an epoch; undefined while it has none. */
export async function readConfirmed(epoch: number): Promise<string | undefined> {
  const end = await view((await findContracts()).court, COURT, "confirmed", BigInt(epoch));
  return /^0x0+$/.test(end) ? undefined : end;
}

/** The latest claims, or those of an epoch, newest first. */
export async function readClaims(epoch?: number, most = 60): Promise<Claim[]> {
  const { court } = await findContracts();
  const wanted = epoch === undefined ? undefined : { epoch: BigInt(epoch) };
  const made = await readEvents(court, COURT, "Claimed", wanted, most);
  return Promise.all(made.reverse().map((event) => readClaim(court, event)));
}

export async function readGame(key: string): Promise<Game> {
  const { court } = await findContracts();
  const happened = await readClaimEvents(court, key as Hex);
  const made = happened.find((event) => event.name === "Claimed");
  if (!made) throw new Error(`the court has no claim ${key}`);
  const events = happened.map(tellEvent);
  const out = new Set(events.filter((event) => event.kind === "Eliminated").map((event) => event.root));
  const histories = events
    .filter((event) => event.kind === "Joined")
    .map((event) => ({
      root: event.root ?? "",
      end: event.end ?? "",
      owner: event.owner ?? "",
      state: out.has(event.root) ? "out" : "standing",
      joined_at: event.at,
    }));
  const claim = await readClaim(court, made);
  return { claim: { ...claim, changed_at: events.at(-1)?.at ?? claim.claimed_at }, histories, sealed: null, events };
}

/** Claims that nothing can happen to any more. */
const closed = new Map<Hex, Claim>();

async function readClaim(court: Hex, { args, at }: Happened): Promise<Claim> {
  const key = args["key"] as Hex;
  const kept = closed.get(key);
  if (kept) return kept;
  const claim = await view(court, COURT, "claim_of", key);
  const found: Claim = {
    key,
    epoch: Number(claim.epoch),
    start: claim.start,
    end: args["end"] as Hex,
    round: Number(args["round"]),
    claimant: String(args["claimant"]).toLowerCase(),
    claimed_at: at,
    disputed_at: Number(claim.disputed_at),
    changed_at: at,
    result: claim.result,
    winner: claim.winner,
    state: STATES[Number(claim.state)] ?? "absent",
    histories: Number(claim.joined),
  };
  if (CLOSED.has(found.state)) closed.set(key, found);
  return found;
}

function tellEvent({ name, args, block, at }: Happened): GameEvent {
  const told: Record<string, unknown> = { block, at, kind: name };
  for (const [field, value] of Object.entries(args)) {
    if (field === "children" || field === "key") continue;
    told[field] =
      typeof value === "bigint"
        ? Number.isSafeInteger(Number(value)) && value < BigInt(2 ** 53)
          ? Number(value)
          : String(value)
        : typeof value === "string" && value.length === 42
          ? value.toLowerCase()
          : value;
  }
  return told as unknown as GameEvent;
}
