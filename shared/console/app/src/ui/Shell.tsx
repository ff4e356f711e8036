// The frame of every page: where one can go, how the exchange is, who signs.
import type { ComponentChildren } from "preact";
import { info, status } from "../api/exchange";
import { connection } from "../api/stream";
import { span } from "../lib/format";
import { route } from "../lib/route";
import { theme, toggleTheme } from "../lib/theme";
import { now } from "../lib/now";
import { WalletButton } from "./WalletButton";

export interface Place {
  readonly path: string;
  readonly name: string;
  /** Other pages that belong to it. */
  readonly within?: readonly string[];
}

export function Shell({ places, children }: { places: readonly Place[]; children: ComponentChildren }) {
  const here = route.value[0] ?? places[0]?.path;
  return (
    <>
      <a
        class="skip"
        href="#main"
        onClick={(event) => {
          event.preventDefault();
          document.getElementById("main")?.focus();
        }}
      >
        To the page
      </a>
      <header class="top">
        <a class="brand" href={`#/${places[0]?.path ?? ""}`}>
          Setoff
        </a>
        <nav aria-label="Pages">
          {places.map((place) => (
            <a
              key={place.path}
              href={`#/${place.path}`}
              aria-current={here === place.path || place.within?.includes(here ?? "") ? "page" : undefined}
            >
              {place.name}
            </a>
          ))}
        </nav>
        <div class="top-end">
          <Pulse />
          <button
            type="button"
            class="icon-button"
            aria-label={theme.value === "dark" ? "Light colours" : "Dark colours"}
            onClick={toggleTheme}
          >
            {theme.value === "dark" ? "☀" : "☾"}
          </button>
          {info.value && <WalletButton />}
        </div>
      </header>
      <Lost />
      {children}
    </>
  );
}

/** How the exchange is, in a word. */
function Pulse() {
  if (!info.value) return null;
  const isLost = connection.value.state === "lost";
  const closed = status.value?.obstacle;
  const kind = isLost ? "bad" : closed ? "warn" : "good";
  const text = isLost ? "no answer" : closed ? closed.reason : "live";
  return (
    <span class={`pulse ${kind}`} title={closed?.detail}>
      <i aria-hidden="true" /> {text}
    </span>
  );
}

function Lost() {
  const { state, since } = connection.value;
  if (state !== "lost" || !info.value) return null;
  return (
    <div class="banner" role="alert">
      <strong>The operator has not answered for {span((now.value - since) / 1000)}.</strong> What is shown is what it
      said last. Your money is in the vault on L1 and does not need the operator: what it leaves out can be forced
      through L1, and if it stays silent others may post in its place.
    </div>
  );
}
