/** Takes the lines of a log as they are written, counts their bytes, and looks for values that must not be in them. */
export class Scan {
  readonly #values: readonly string[];
  readonly #found = new Set<string>();
  readonly #messages = new Map<string, number>();
  #bytes = 0;

  constructor(values: readonly string[]) {
    this.#values = values;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Values that were in a line, each with the first line that it was in. */
  get found(): readonly string[] {
    return [...this.#found];
  }

  /** How many lines of each message there were. */
  get messages(): ReadonlyMap<string, number> {
    return this.#messages;
  }

  write(line: string): void {
    this.#bytes += Buffer.byteLength(line);
    for (const value of this.#values) {
      if (line.includes(value) && this.#found.size < 3) this.#found.add(`${value} in ${line}`);
    }
    const message = /"msg":"([^"]*)"/.exec(line)?.[1] ?? "";
    this.#messages.set(message, (this.#messages.get(message) ?? 0) + 1);
  }
}
