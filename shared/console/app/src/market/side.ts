// A side of a book, its prices always in order: an update costs the place that it changes, not a sort of all levels.
export class Side {
  readonly #sizes = new Map<number, bigint>();
  /** Best first. */
  readonly #prices: number[] = [];

  /** `direction`: 1 where low prices are the best, −1 where high ones are. */
  constructor(readonly direction: 1 | -1) {}

  clear(): void {
    this.#sizes.clear();
    this.#prices.length = 0;
  }

  /** What stands at a price now; 0 for nothing. */
  set(price: number, size: bigint): void {
    const isThere = this.#sizes.has(price);
    if (size) this.#sizes.set(price, size);
    else this.#sizes.delete(price);
    if (isThere === size > 0n) return;
    const at = this.#find(price);
    if (isThere) this.#prices.splice(at, 1);
    else this.#prices.splice(at, 0, price);
  }

  best(most: number): [number, bigint][] {
    return this.#prices.slice(0, most).map((price) => [price, this.#sizes.get(price) ?? 0n]);
  }

  /** Where a price is, or would be. */
  #find(price: number): number {
    let [low, high] = [0, this.#prices.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (((this.#prices[middle] ?? 0) - price) * this.direction < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
