// The time, a second at a time, for what counts up or down on the page.
import { signal } from "@preact/signals";

export const now = signal(Date.now());

setInterval(() => {
  now.value = Date.now();
}, 1_000);
