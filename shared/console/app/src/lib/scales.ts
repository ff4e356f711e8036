// Between decimals that people type and the whole ticks, lots and token units that are signed; exact both ways.

/** How many steps of size `step` a decimal is; undefined where it is none, or falls between two. */
export function toSteps(text: string, step: string): bigint | undefined {
  const value = parse(text.trim());
  const size = parse(step);
  if (!value || !size || size.mantissa === 0n) return undefined;
  const places = Math.max(value.places, size.places);
  const scaled = value.mantissa * 10n ** BigInt(places - value.places);
  const unit = size.mantissa * 10n ** BigInt(places - size.places);
  return scaled % unit === 0n ? scaled / unit : undefined;
}

/** So many steps as a decimal, with all the step's places, so that columns align. */
export function fromSteps(count: bigint | number, step: string): string {
  const size = parse(step);
  if (!size) return String(count);
  return shift(BigInt(count) * size.mantissa, size.places);
}

/** Token units as a decimal of the currency, cut to so many places. */
export function fromUnits(units: bigint | string, decimals: number, shown = 2): string {
  const value = BigInt(units);
  const cut = 10n ** BigInt(Math.max(decimals - shown, 0));
  return shift(value / cut, Math.min(shown, decimals));
}

/** The same rounded up: what something costs at most. */
export function atMost(units: bigint, decimals: number, shown = 2): string {
  const cut = 10n ** BigInt(Math.max(decimals - shown, 0));
  return shift((units + cut - 1n) / cut, Math.min(shown, decimals));
}

export function countPlaces(step: string): number {
  return parse(step)?.places ?? 0;
}

function parse(text: string): { mantissa: bigint; places: number } | undefined {
  const found = /^(-?)(\d*)(?:\.(\d*))?$/.exec(text.replaceAll(",", ""));
  if (!found || !(found[2] || found[3])) return undefined;
  const fraction = found[3] ?? "";
  const mantissa = BigInt(`${found[2] ?? ""}${fraction}` || "0");
  return { mantissa: found[1] ? -mantissa : mantissa, places: fraction.length };
}

function shift(value: bigint, places: number): string {
  const sign = value < 0n ? "-" : "";
  const digits = (value < 0n ? -value : value).toString().padStart(places + 1, "0");
  const whole = digits.slice(0, digits.length - places);
  return places ? `${sign}${whole}.${digits.slice(-places)}` : `${sign}${whole}`;
}
