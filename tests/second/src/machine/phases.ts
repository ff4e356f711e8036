// The phases by number (section 7).
const PHASES = [
  "idle", "admit", "margin", "match", "probe", "fill", "unlink", "unlist", "seek", "rest", "list", "drop", "transfer",
  "withdraw", "report", "clear", "amend", "next", "crank", "leg", "shares", "work", "sweep", "liquidated", "takeover",
  "rank", "deleverage", "unwind", "trigger", "fire", "enrol", "strike", "gather", "descend", "depth", "sample",
  "approach", "tally", "pair", "vouch", "cross", "request", "credit",
] as const;

export const IDLE = 0n, ADMIT = 1n, MARGIN = 2n, MATCH = 3n, PROBE = 4n, FILL = 5n, UNLINK = 6n, UNLIST = 7n,
  SEEK = 8n, REST = 9n, LIST = 10n, DROP = 11n, TRANSFER = 12n, WITHDRAW = 13n, REPORT = 14n, CLEAR = 15n, AMEND = 16n,
  NEXT = 17n, CRANK = 18n, LEG = 19n, SHARES = 20n, WORK = 21n, SWEEP = 22n, LIQUIDATED = 23n, TAKEOVER = 24n,
  RANK = 25n, DELEVERAGE = 26n, UNWIND = 27n, TRIGGER = 28n, FIRE = 29n, ENROL = 30n, STRIKE = 31n, GATHER = 32n,
  DESCEND = 33n, DEPTH = 34n, SAMPLE = 35n, APPROACH = 36n, TALLY = 37n, PAIR = 38n, VOUCH = 39n, CROSS = 40n,
  REQUEST = 41n, CREDIT = 42n;

export function phaseName(phase: bigint): string {
  return PHASES[Number(phase)] ?? `phase_${phase}`;
}
