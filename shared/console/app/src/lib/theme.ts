// Light or dark: as the system has it, until somebody chooses.
import { effect, signal } from "@preact/signals";

export type Theme = "light" | "dark";

const KEY = "setoff.theme";
const system = matchMedia("(prefers-color-scheme: dark)");
const stored = localStorage.getItem(KEY);
const chosen = signal<Theme | undefined>(stored === "light" || stored === "dark" ? stored : undefined);

export const theme = signal<Theme>("light");

function choose(): void {
  theme.value = chosen.value ?? (system.matches ? "dark" : "light");
}

system.addEventListener("change", choose);
effect(choose);
effect(() => {
  document.documentElement.dataset["theme"] = theme.value;
});

export function toggleTheme(): void {
  chosen.value = theme.value === "dark" ? "light" : "dark";
  localStorage.setItem(KEY, chosen.value);
}
