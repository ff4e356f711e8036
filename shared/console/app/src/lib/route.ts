// Where one is in the console: the part of the address behind #, as #/batch/12.
import { signal } from "@preact/signals";

export const route = signal<readonly string[]>(read());

function read(): string[] {
  return location.hash.replace(/^#\/?/, "").split("/").filter(Boolean).map(decodeURIComponent);
}

window.addEventListener("hashchange", () => {
  route.value = read();
});

export function go(...parts: (string | number)[]): void {
  location.hash = link(...parts);
}

export function link(...parts: (string | number)[]): string {
  return `#/${parts.map((part) => encodeURIComponent(part)).join("/")}`;
}
