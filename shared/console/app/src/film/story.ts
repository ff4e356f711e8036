// A day's fall within the hour, as the market's laboratory played it on real prices: its curves, and what happens when.
import recorded from "./flash-crash.json";

type Curve = keyof typeof recorded.curves;
export const curves: Readonly<Record<Curve, readonly number[]>> = recorded.curves;
export const gains: Readonly<Record<string, number>> = recorded.gains;
export const inputs: Readonly<Record<string, number>> = recorded.inputs;
export const LENGTH = curves.hours.length;

export interface Line {
  readonly name: string;
  readonly curve: Curve;
  readonly colour: "text" | "accent" | "warn" | "down" | "up";
}

export interface Strip {
  readonly title: string;
  readonly unit: string;
  readonly places: number;
  readonly fromZero: boolean;
  readonly lines: readonly Line[];
}

export const STRIPS: readonly Strip[] = [
  {
    title: "Price",
    unit: "$",
    places: 0,
    fromZero: false,
    lines: [
      { name: "elsewhere", curve: "price", colour: "text" },
      { name: "index", curve: "index", colour: "accent" },
      { name: "mark", curve: "mark", colour: "warn" },
    ],
  },
  {
    title: "Open interest",
    unit: "BTC",
    places: 2,
    fromZero: true,
    lines: [{ name: "open interest", curve: "open_interest", colour: "accent" }],
  },
  {
    title: "Closed so far",
    unit: "BTC",
    places: 2,
    fromZero: true,
    lines: [
      { name: "in the book", curve: "liquidated", colour: "accent" },
      { name: "by the backstop", curve: "taken", colour: "warn" },
      { name: "deleveraged", curve: "deleveraged", colour: "down" },
    ],
  },
  {
    title: "Insurance",
    unit: "$",
    places: 0,
    fromZero: true,
    lines: [{ name: "insurance", curve: "insurance", colour: "up" }],
  },
  {
    title: "Backstop",
    unit: "$",
    places: 0,
    fromZero: true,
    lines: [
      { name: "equity", curve: "backstop", colour: "up" },
      { name: "position", curve: "exposure", colour: "warn" },
    ],
  },
];

export interface Scene {
  readonly at: number;
  readonly text: string;
}

const dollars = (value: number): string => `$${Math.round(value).toLocaleString("en")}`;
const first = (curve: Curve): number =>
  curves[curve].findIndex((value, at) => at > 0 && value > (curves[curve][0] ?? 0));
const value = (curve: Curve, at: number): number => curves[curve][at] ?? 0;

/** What is said from which moment on, each found in the curves themselves. */
export const SCENES: readonly Scene[] = makeScenes();

function makeScenes(): Scene[] {
  const last = LENGTH - 1;
  const low = curves.price.indexOf(Math.min(...curves.price));
  const fall = Math.round((1 - value("price", low) / value("price", 0)) * 100);
  const [book, taken, against] = [first("liquidated"), first("taken"), first("deleveraged")];
  const scenes: Scene[] = [
    {
      at: 0,
      text: `A quiet day: bitcoin trades at ${dollars(value("price", 0))}, ${value("open_interest", 0)} BTC of positions are open.`,
    },
    {
      at: book,
      text: "The price falls. The first accounts are below their maintenance margin: the machine closes them in the book, by rule.",
    },
    {
      at: taken,
      text: "Makers offer less the more the price moves. What the book does not take, the backstop takes over with its position.",
    },
    {
      at: against,
      text: "The backstop has all that it may carry. What is left is closed against those who profit most, at the mark: nobody can choose whom.",
    },
    {
      at: low,
      text: `The low: ${dollars(value("price", low))}, ${fall} % below the beginning. What accounts owe beyond what they have: ${dollars(Math.max(...curves.owed))}.`,
    },
    {
      at: last,
      text: `Over: ${value("liquidated", last)} BTC were closed in the book, ${value("taken", last)} by the backstop, ${value("deleveraged", last)} by deleveraging. Insurance has ${dollars(value("insurance", last))}, the backstop ${dollars(value("backstop", last))}.`,
    },
  ];
  return scenes.filter((scene) => scene.at >= 0).sort((one, other) => one.at - other.at);
}
