// The console: loads what the service says of itself, then shows its pages.
import { render } from "preact";
import { lazy } from "./ui/lazy";
import { config, loadConfig, loadExchange } from "./api/exchange";
import { tell } from "./api/http";
import { route } from "./lib/route";
import "./lib/theme";
import { type Place, Shell } from "./ui/Shell";
import "./styles/index.css";

const pages = {
  market: lazy(() => import("./market/MarketPage")),
  settlement: lazy(() => import("./settlement/SettlementPage")),
  batch: lazy(() => import("./settlement/BatchPage")),
  account: lazy(() => import("./settlement/AccountPage")),
  record: lazy(() => import("./settlement/RecordPage")),
  epoch: lazy(() => import("./settlement/EpochPage")),
  message: lazy(() => import("./settlement/MessagePage")),
  risk: lazy(() => import("./risk/RiskPage")),
  film: lazy(() => import("./film/FilmPage")),
  verify: lazy(() => import("./verify/VerifyPage")),
  watch: lazy(() => import("./watch/WatchPage")),
  games: lazy(() => import("./watch/GamesPage")),
  game: lazy(() => import("./watch/GamePage")),
};

const OPERATOR: readonly Place[] = [
  { path: "market", name: "Market" },
  { path: "settlement", name: "Settlement", within: ["batch", "account", "record", "epoch", "message"] },
  { path: "games", name: "Disputes", within: ["game"] },
  { path: "risk", name: "Risk", within: ["film"] },
  { path: "verify", name: "Verify" },
];

const WATCHER: readonly Place[] = [
  { path: "watch", name: "Watcher" },
  { path: "games", name: "Disputes", within: ["game"] },
];

function App() {
  const places = config.value.role === "operator" ? OPERATOR : WATCHER;
  const home = config.value.role === "operator" ? "market" : "watch";
  const name = (route.value[0] ?? home) as keyof typeof pages;
  const Page = pages[name] ?? pages[home];
  return (
    <Shell places={places}>
      <Page key={route.value.join("/")} />
    </Shell>
  );
}

async function start(): Promise<void> {
  const place = document.getElementById("app");
  if (!place) return;
  try {
    await loadConfig();
    if (config.value.role === "operator") await loadExchange();
    else (await import("./watch/watch")).loadWatch();
    render(<App />, place);
  } catch (error) {
    render(
      <main class="page">
        <h1>The exchange does not answer</h1>
        <p>{tell(error)}</p>
        <p class="quiet">This page tries again every few seconds.</p>
      </main>,
      place,
    );
    setTimeout(() => void start(), 3_000);
  }
}

void start();
