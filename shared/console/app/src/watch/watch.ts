// What the watcher sees, asked for once for all pages.
import { signal } from "@preact/signals";
import { every } from "../api/exchange";
import { get, tell } from "../api/http";
import { shorten } from "../lib/format";
import type { Watch } from "./types";

const POLL_MS = 1_500;

export const watch = signal<Watch | undefined>(undefined);
export const watchError = signal("");

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

/** Who that is, for people. */
export function nameParty(address: string): string {
  const known = watch.value;
  if (known && address === known.operator_address) return "the operator";
  if (known && address === known.account) return "this watcher";
  return shorten(address, 4);
}
