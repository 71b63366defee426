/** What a command may do to the world: tests pass their own. */
export interface CliIo {
  /**
   * Reads a text file, or standard input when the path is `-`.
   * @throws {RingbackError} `OPTION_INVALID` when it cannot be read or is larger than `maxBytes`.
   */
  readFile(path: string, maxBytes: number): Promise<string>;
  /** Writes a line to standard output. */
  out(line: string): void;
  /** Writes to standard output exactly what is given. */
  write(text: string): void;
  /** Writes a line to standard error. */
  err(line: string): void;
  setExitCode(code: number): void;
}
