// Numbers and times as people read them: grouped, with a fixed number of places, and a true minus sign.

/** A decimal with its thousands apart; `places`: cut or filled up to so many. */
export function group(text: string | number | null | undefined, places?: number): string {
  if (text === null || text === undefined || text === "") return "–";
  let plain = String(text);
  const isNegative = plain.startsWith("-");
  if (isNegative) plain = plain.slice(1);
  let [whole = "0", fraction = ""] = plain.split(".");
  if (places !== undefined) fraction = fraction.slice(0, places).padEnd(places, "0");
  whole = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  const isZero = !/[1-9]/.test(whole + fraction);
  return `${isNegative && !isZero ? "\u2212" : ""}${whole}${fraction ? `.${fraction}` : ""}`;
}

export function signed(text: string | number | null | undefined, places?: number): string {
  const shown = group(text, places);
  return /^[\d]/.test(shown) && /[1-9]/.test(shown) ? `+${shown}` : shown;
}

/** "up", "down" or "": the class of what rose or fell. */
export function tone(value: string | number | bigint | null | undefined): string {
  const text = String(value ?? "0");
  return text.startsWith("-") ? "down" : /[1-9]/.test(text) ? "up" : "";
}

/** Parts per million as a percentage. */
export function percent(ppm: number, places = 2): string {
  return `${group((ppm / 10_000).toFixed(places))} %`;
}

const two = (value: number): string => String(value).padStart(2, "0");

/** By hand: what browsers have for it takes a hundred times as long, and a page of trades asks for forty a frame. */
export function clock(milliseconds: number): string {
  const date = new Date(milliseconds);
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

export function moment(milliseconds: number): string {
  const date = new Date(milliseconds);
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${clock(milliseconds)}`;
}

/** A span of seconds, in the two largest units that it has. */
export function span(seconds: number): string {
  const whole = Math.max(Math.round(seconds), 0);
  if (whole < 60) return `${whole} s`;
  if (whole < 3_600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
  if (whole < 86_400)
    return `${Math.floor(whole / 3_600)} h ${String(Math.floor((whole % 3_600) / 60)).padStart(2, "0")} min`;
  return `${Math.floor(whole / 86_400)} d ${Math.floor((whole % 86_400) / 3_600)} h`;
}

/** The two ends of a hash or an address. */
export function shorten(text: string, ends = 6): string {
  return text.length > 2 * ends + 4 ? `${text.slice(0, ends + 2)}…${text.slice(-ends)}` : text;
}

export function ether(wei: bigint | string | number, places = 4): string {
  const value = BigInt(wei);
  const unit = 10n ** BigInt(18 - places);
  const digits = (value / unit).toString().padStart(places + 1, "0");
  return group(`${digits.slice(0, -places)}.${digits.slice(-places)}`);
}

/** The same at the beginning of a sentence. */
export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
