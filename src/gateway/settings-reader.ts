import { type ConfigProblem, isRingbackError, RingbackError } from "../errors.ts";

export type Environment = Readonly<Record<string, string | undefined>>;
/** Reads a secret file (`NAME_FILE`); throws when it cannot. */
export type ReadSecret = (path: string) => string;

/** A setting, and where a right value of it is to be found. */
export interface Setting {
  readonly name: string;
  readonly hint: string;
}

const YES: readonly string[] = ["1", "true", "yes", "on"];
const NO: readonly string[] = ["0", "false", "no", "off"];

/** Reads one setting after the other and keeps every problem. A setting that is empty is not set. */
export class SettingsReader {
  readonly #env: Environment;
  readonly #readSecret: ReadSecret;
  readonly #problems: ConfigProblem[] = [];

  constructor(env: Environment, readSecret: ReadSecret) {
    this.#env = env;
    this.#readSecret = readSecret;
  }

  optional(name: string): string | null {
    const value = this.#env[name]?.trim();
    return value === undefined || value === "" ? null : value;
  }

  /** `NAME`, or the content of the file that `NAME_FILE` names; null when neither is set, or with a problem. */
  secret(name: string, hint: string): string | null {
    const direct = this.optional(name);
    const path = this.optional(`${name}_FILE`);
    if (direct !== null && path !== null) {
      this.problem(name, `is set twice: as ${name} and as ${name}_FILE`, "Keep one of the two.");
      return null;
    }
    return path === null ? direct : this.#secretFrom(name, path, hint);
  }

  /** The same for one that must be there; empty with a problem. */
  required(name: string, hint: string): string {
    this.missing(name, hint);
    return this.secret(name, hint) ?? "";
  }

  /** A problem when it is not there: neither itself nor the file that it may come from. */
  missing(name: string, hint: string): void {
    if (!this.#isSet(name)) this.problem(name, "is missing", hint);
  }

  /** Entries between commas, empty ones included; none when it is not set. */
  list(name: string): readonly string[] {
    return (
      this.optional(name)
        ?.split(",")
        .map((entry) => entry.trim()) ?? []
    );
  }

  oneOf<T extends string>(name: string, values: readonly T[]): T | null {
    const text = this.optional(name);
    if (text === null) return null;
    const value = values.find((each) => each === text);
    if (value === undefined) this.problem(name, "is unknown", `It takes one of ${values.join(", ")}.`);
    return value ?? null;
  }

  /** Default false. */
  flag(name: string): boolean {
    const text = this.optional(name)?.toLowerCase() ?? "no";
    const isYes = YES.includes(text);
    if (!isYes && !NO.includes(text)) {
      this.problem(name, "is neither yes nor no", `It takes ${YES.join(", ")}, or ${NO.join(", ")}.`);
    }
    return isYes;
  }

  /** @param what It is, for the message. */
  whole(name: string, min: number, max: number, what: string): number | null {
    const text = this.optional(name);
    if (text === null) return null;
    const value = /^\d{1,9}$/.test(text) ? Number(text) : -1;
    if (value >= min && value <= max) return value;
    this.problem(name, `is not ${what}`, `A whole number from ${min} to ${max}.`);
    return null;
  }

  /**
   * Has those judge settings who will be given them, so that nothing passes here and fails there.
   *
   * @param settings By the names that they have as options there.
   * @returns What was made of them; null with a problem.
   */
  judged<T>(make: () => T, settings: Readonly<Record<string, Setting>>): T | null {
    try {
      return make();
    } catch (error) {
      const setting = isRingbackError(error, "OPTION_INVALID") ? settings[error.details.option] : undefined;
      if (!isRingbackError(error, "OPTION_INVALID") || setting === undefined) throw error;
      // Such messages begin with the option's name, and may speak of others.
      const problem = error.message.replace(`${error.details.option} `, "");
      this.problem(setting.name, withSettingNames(problem, settings), setting.hint);
      return null;
    }
  }

  problem(name: string, problem: string, hint: string): void {
    this.#problems.push({ name, problem, hint });
  }

  /** Takes over what was found elsewhere. */
  problems(found: readonly ConfigProblem[]): void {
    this.#problems.push(...found);
  }

  /** @throws {RingbackError} `CONFIG_INVALID` when there was a problem. */
  throwProblems(): void {
    if (this.#problems.length === 0) return;
    const names = this.#problems.map((problem) => `${problem.name} ${problem.problem}`).join("; ");
    throw new RingbackError("CONFIG_INVALID", `Settings are missing or malformed: ${names}.`, {
      details: { problems: this.#problems },
    });
  }

  #isSet(name: string): boolean {
    return this.optional(name) !== null || this.optional(`${name}_FILE`) !== null;
  }

  #secretFrom(name: string, path: string, hint: string): string | null {
    try {
      const secret = this.#readSecret(path).trim();
      if (secret !== "") return secret;
      this.problem(`${name}_FILE`, "names an empty file", hint);
    } catch {
      // The cause is of no use to the reader beyond this: the path is wrong or not readable.
      this.problem(`${name}_FILE`, "names a file that cannot be read", hint);
    }
    return null;
  }
}

function withSettingNames(text: string, settings: Readonly<Record<string, Setting>>): string {
  return text.replace(/[A-Za-z][A-Za-z.]*[A-Za-z]/g, (word) => {
    return Object.hasOwn(settings, word) ? (settings[word]?.name ?? word) : word;
  });
}
