/** What further values are counted under. */
const OTHER = "other";

/** A label whose values come from outside: only so many of them get a series of their own, the others share one. */
export class BoundedLabel {
  readonly #known = new Set<string>();
  readonly #maxValues: number;

  constructor(maxValues: number) {
    this.#maxValues = maxValues;
  }

  of(value: string): string {
    if (this.#known.has(value)) return value;
    if (this.#known.size >= this.#maxValues) return OTHER;
    this.#known.add(value);
    return value;
  }
}
