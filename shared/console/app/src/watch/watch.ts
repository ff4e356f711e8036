// What the watcher sees, asked for once for all pages; of an operator's console the court itself, while a page shows it.
import { computed, signal } from "@preact/signals";
import { config, every } from "../api/exchange";
import { get, tell } from "../api/http";
import { readClaims, readGame, readOperator, readTerms } from "../l1/games";
import { shorten } from "../lib/format";
import { usePolled, type Polled } from "../lib/poll";
import { wallet } from "../wallet/wallet";
import type { Claim, Game, Terms, Watch } from "./types";

const POLL_MS = 1_500;
const COURT_MS = 2_500;

export const watch = signal<Watch | undefined>(undefined);
export const watchError = signal("");
const read = signal<{ terms: Terms; operator: string } | undefined>(undefined);

/** The court's terms, as soon as they are known. */
export const terms = computed(() => watch.value?.terms ?? read.value?.terms);
const operator = computed(() => watch.value?.operator_address ?? read.value?.operator);

export function loadWatch(): void {
  every(POLL_MS, async () => {
    try {
      watch.value = await get<Watch>("/v1/watch");
      watchError.value = "";
    } catch (error) {
      watchError.value = tell(error);
    }
  });
}

const isWatcher = (): boolean => config.value.role === "watcher";

/** The latest claims, newest first. */
export function useClaims(): Polled<readonly Claim[]> {
  const polled = usePolled<readonly Claim[]>(
    async () => {
      if (isWatcher()) return [];
      await loadTerms();
      return readClaims();
    },
    isWatcher() ? 0 : COURT_MS,
    [],
  );
  return isWatcher() ? { data: watch.value?.claims, error: watchError.value } : polled.value;
}

/** One claim from its beginning. */
export function useGame(key: string): Polled<Game> {
  return usePolled(
    async () => {
      if (isWatcher()) return get<Game>(`/v1/games/${key}`);
      await loadTerms();
      return readGame(key);
    },
    POLL_MS,
    [key],
  ).value;
}

/** From L1, once. */
export async function loadTerms(): Promise<Terms> {
  if (!read.value) {
    const [found, address] = await Promise.all([readTerms(), readOperator()]);
    read.value = { terms: found, operator: address };
  }
  return read.value.terms;
}

/** L1's time, unix seconds, as far as this page knows it. */
export function timeOfL1(): number {
  return watch.value?.now ?? Date.now() / 1000;
}

/** Who that is, for people. */
export function nameParty(address: string): string {
  if (address === operator.value) return "the operator";
  if (address === watch.value?.account) return "this watcher";
  if (address === wallet.value?.address.toLowerCase()) return "you";
  return shorten(address, 4);
}
