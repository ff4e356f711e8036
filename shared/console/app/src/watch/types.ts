// What a watcher tells (`watcher/monitor/game_desk.py`). Times are unix seconds, money is wei.

export interface Watch {
  block: number;
  now: number;
  confirmed: number;
  challenge_period: number;
  knows: boolean;
  disputes: Dispute[];
  withheld: { batch: number; epoch: number; since: number }[];
  operator: { state: string; silent_for: number; opens_in: number; waiting: number } | null;
  operator_address: string;
  account: string;
  alerts: { level: string; key: string; text: string }[];
  words: Record<string, string>;
  terms: Terms;
  claims: Claim[];
  processes: { name: string; age: number; is_alive: boolean; facts: Record<string, unknown> }[];
  problems: string[];
}

/** The court's: money is wei, the challenge period seconds. */
export interface Terms {
  bond: string;
  bond_burn: string;
  stake: string;
  stake_reward: string;
  challenge_period: number;
  epoch_batches: number;
}

export interface Dispute {
  key: string;
  epoch: number;
  state: string;
  verdict: string;
  installable_in: number;
  join_in: number;
  matches: { one: string; other: string; level: number; on_turn: string; time_left: number; verdict: string }[];
}

export interface Claim {
  key: string;
  epoch: number;
  start: string;
  end: string;
  round: number;
  claimant: string;
  claimed_at: number;
  disputed_at: number;
  changed_at: number;
  result: string;
  winner: string;
  state: string;
  histories: number;
}

export interface Game {
  claim: Claim;
  histories: { root: string; end: string; owner: string; state: string; joined_at: number }[];
  /** The position at which the first sealed match parts. */
  sealed: number | string | null;
  events: GameEvent[];
}

export interface GameEvent {
  block: number;
  kind: string;
  at: number;
  root?: string;
  owner?: string;
  end?: string;
  claimant?: string;
  mover?: string;
  opponent?: string;
  level?: number;
  index?: number;
  mover_child?: string;
  opponent_child?: string;
  cause?: string;
  winner?: string;
  amount?: string | number;
}

export interface JudgedStep {
  batch: number;
  input: number;
  record: number | null;
  asked: { kind: string; fields: Record<string, string> };
  step: number;
  rule: string;
  before: string;
  after: string;
  position: number;
  leaves: { name: string; before: string; after: string; changes: string[] }[];
  leaves_said: Record<string, string>;
}

export interface Past {
  disputes: {
    epoch: number;
    claimant: string;
    claimed_at: number;
    ended_at: number;
    histories: number;
    was_true: boolean;
    won: string | number;
    lost: string | number;
    gas: string | number;
  }[];
}
