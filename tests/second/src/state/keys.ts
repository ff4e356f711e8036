// Keys of leaves: kind << 36 | body, 40 bits (section 5, "Keys"). A key is a plain number: 40 bits are exact in one.
export const KIND = {
  ACCOUNT: 1, ORDER: 2, LEVEL: 3, BITMAP: 4, MARKET: 5, ORACLE: 6, SIGNERS: 7, WITHDRAWAL: 8, AGENT: 9, PARKED: 10,
  HOLDERS: 11, REQUEST: 12, TERMS: 13, ACTIVITY: 14,
} as const;

const BODY = 2 ** 36;

const key = (kind: number, body: bigint): number => kind * BODY + Number(BigInt.asUintN(36, body));

export const accountKey = (account: bigint): number => key(KIND.ACCOUNT, account);
export const orderKey = (handle: bigint): number => key(KIND.ORDER, handle);
export const levelKey = (market: bigint, side: bigint, tick: bigint): number =>
  key(KIND.LEVEL, (market << 26n) | (side << 24n) | tick);
export const bitmapKey = (market: bigint, side: bigint, depth: number, index: bigint): number =>
  key(KIND.BITMAP, (market << 20n) | (side << 18n) | (BigInt(depth) << 16n) | index);
export const marketKey = (market: bigint): number => key(KIND.MARKET, market);
export const oracleKey = (market: bigint): number => key(KIND.ORACLE, market);
export const SIGNERS_KEY = key(KIND.SIGNERS, 0n);
export const withdrawalKey = (index: bigint): number => key(KIND.WITHDRAWAL, index);
export const agentKey = (master: bigint, agent: bigint): number => key(KIND.AGENT, (master << 8n) | agent);
export const parkedKey = (index: bigint): number => key(KIND.PARKED, index);
export const holdersKey = (market: bigint, depth: number, index: bigint): number =>
  key(KIND.HOLDERS, (market << 18n) | (BigInt(depth) << 16n) | index);
export const requestKey = (account: bigint): number => key(KIND.REQUEST, account);
export const TERMS_KEY = key(KIND.TERMS, 0n);
export const activityKey = (master: bigint): number => key(KIND.ACTIVITY, master);

// Account ids and handles (section 5).
export const masterOf = (account: bigint): bigint => account & 0xfffffn;
export const subOf = (account: bigint): bigint => account >> 20n;
export const handleOf = (account: bigint, slot: bigint): bigint => (account << 12n) | slot;
export const accountOfHandle = (handle: bigint): bigint => handle >> 12n;
export const slotOfHandle = (handle: bigint): bigint => handle & 0xfffn;
