import { canonicalAddress, isUnicast } from "../core/transport/address.ts";
import { type ConfigProblem, isRingbackError, RingbackError } from "../errors.ts";
import type { LogLevel } from "../platform/log.ts";
import { type GraphClientOptions, resolveGraphOptions } from "../whatsapp/graph-options.ts";
import { type GatewayOptions, MAX_MEDIA_WORKERS, type MediaOptions } from "./options.ts";

/** What `ringback serve` runs with, read from the environment. */
export interface ServeConfig {
  readonly gateway: GatewayOptions;
  readonly host: string;
  readonly port: number;
  readonly logLevel: LogLevel;
}

type Environment = Readonly<Record<string, string | undefined>>;
/** Reads a secret file (`NAME_FILE`); throws when it cannot. */
export type ReadSecret = (path: string) => string;

const LOG_LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error", "silent"];

/**
 * Reads the settings, all problems at once.
 *
 * @throws {RingbackError} `CONFIG_INVALID` with each problem by name and where its value is to be found.
 */
export function loadConfig(env: Environment, readSecret: ReadSecret): ServeConfig {
  const reader = new SettingsReader(env, readSecret);
  const token = reader.token("WHATSAPP_TOKEN");
  const appSecret = reader.secrets("WHATSAPP_APP_SECRET");
  const verifyToken = reader.required("WHATSAPP_WEBHOOK_VERIFICATION_TOKEN", HINTS.verifyToken);
  const phoneNumbers = reader.phoneNumberIds();
  const url = reader.graph("GRAPH_API_URL", (baseUrl) => ({ baseUrl }), HINTS.graphUrl);
  const version = reader.graph("GRAPH_API_VERSION", (apiVersion) => ({ apiVersion }), HINTS.graphVersion);
  const port = reader.port("PORT") ?? 3000;
  const workers = reader.workers("MEDIA_WORKERS");
  const mediaPorts = reader.mediaPorts("MEDIA_PORT", workers ?? 1);
  const publicAddress = reader.address("MEDIA_PUBLIC_ADDRESS");
  const logLevel = reader.oneOf("LOG_LEVEL", LOG_LEVELS) ?? "info";
  reader.throwProblems();
  return {
    host: reader.optional("HOST") ?? "127.0.0.1",
    port,
    logLevel,
    gateway: {
      token,
      appSecret,
      verifyToken,
      phoneNumbers,
      graph: { ...(url === null ? {} : { url }), ...(version === null ? {} : { version }) },
      media: {
        ...(workers === null ? {} : { workers }),
        ...mediaPorts,
        ...(publicAddress === null ? {} : { publicAddress }),
      },
    },
  };
}

const HINTS = {
  token:
    "Meta App Dashboard > WhatsApp > API Setup (a temporary token), or Business Settings > System users (a lasting one).",
  appSecret: "Meta App Dashboard > App settings > Basic > App secret.",
  verifyToken:
    "Any text of your choice; enter the same one at Meta App Dashboard > WhatsApp > Configuration > Verify token.",
  phoneNumberId:
    "Meta App Dashboard > WhatsApp > API Setup > Phone number ID (digits, not the number itself). Several: with commas.",
  graphUrl: "https://graph.facebook.com, or the address that `ringback simulate` prints.",
  graphVersion: "A version such as v26.0.",
} as const;

/** Reads one setting after the other and keeps every problem. */
class SettingsReader {
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

  /** `NAME`, or the content of the file that `NAME_FILE` names. */
  required(name: string, hint: string): string {
    const direct = this.optional(name);
    const path = this.optional(`${name}_FILE`);
    if (direct !== null && path !== null) {
      return this.#problem(name, `is set twice: as ${name} and as ${name}_FILE`, "Keep one of the two.");
    }
    if (direct !== null) return direct;
    if (path === null) return this.#problem(name, "is missing", hint);
    return this.#secretFrom(name, path, hint);
  }

  token(name: string): string {
    const token = this.required(name, HINTS.token);
    if (token !== "") this.#askGraphClient(name, { token }, HINTS.token);
    return token;
  }

  secrets(name: string): readonly string[] {
    const text = this.required(name, HINTS.appSecret);
    const secrets = text.split(",").map((secret) => secret.trim());
    if (text !== "" && secrets.includes("")) {
      this.#problem(name, "has an empty entry between its commas", HINTS.appSecret);
    }
    return secrets;
  }

  phoneNumberIds(): readonly string[] {
    const name = "WHATSAPP_PHONE_NUMBER_ID";
    const text = this.required(name, HINTS.phoneNumberId);
    const ids = text.split(",").map((id) => id.trim());
    if (text !== "" && !ids.every((id) => /^\d{5,25}$/.test(id))) {
      this.#problem(name, "is not a list of ids made of digits", HINTS.phoneNumberId);
    }
    return ids;
  }

  /** A setting that the Graph client takes as `toOptions` says. */
  graph(
    name: string,
    toOptions: (text: string) => Omit<GraphClientOptions, "token">,
    hint: string,
  ): string | null {
    const text = this.optional(name);
    if (text !== null) this.#askGraphClient(name, { token: "-", ...toOptions(text) }, hint);
    return text;
  }

  address(name: string): string | null {
    const text = this.optional(name);
    const address = text === null ? null : canonicalAddress(text);
    if (text !== null && (address === null || !isUnicast(address))) {
      const hint = "The address that the internet sees, such as 203.0.113.7.";
      this.#problem(name, "is not the IP address of a machine", hint);
    }
    return address;
  }

  oneOf<T extends string>(name: string, values: readonly T[]): T | null {
    const text = this.optional(name);
    if (text === null) return null;
    const value = values.find((each) => each === text);
    if (value === undefined) this.#problem(name, "is unknown", `It takes one of ${values.join(", ")}.`);
    return value ?? null;
  }

  port(name: string): number | null {
    const text = this.optional(name);
    if (text === null) return null;
    const port = parsePort(text);
    if (port === null) this.#problem(name, "is not a port", "A whole number from 0 to 65535.");
    return port;
  }

  workers(name: string): number | null {
    const text = this.optional(name);
    if (text === null) return null;
    const workers = /^\d{1,2}$/.test(text) ? Number(text) : 0;
    if (workers >= 1 && workers <= MAX_MEDIA_WORKERS) return workers;
    this.#problem(name, "is not a number of threads", `A whole number from 1 to ${MAX_MEDIA_WORKERS}.`);
    return null;
  }

  /** `10000`: the first worker's port. `10000-10015`: the first ones are the workers', the rest are extra ports. */
  mediaPorts(name: string, workers: number): Pick<MediaOptions, "port" | "extraPorts"> {
    const text = this.optional(name);
    if (text === null) return {};
    const ports = parsePorts(text);
    if (ports === null) {
      const hint = "One, such as 10000, or the first and the last, such as 10000-10015; 0 for any free one.";
      this.#problem(name, "is not a UDP port, nor a range of them", hint);
      return {};
    }
    const { first, last } = ports;
    if (first === 0) return { port: 0 };
    const count = (last ?? 65_535) - first + 1;
    if (count < workers) {
      const hint = `Each worker takes a port of its own: ${workers} or more of them, or a smaller MEDIA_WORKERS.`;
      this.#problem(name, `has ${count} port${count === 1 ? "" : "s"} for ${workers} media workers`, hint);
      return {};
    }
    const begin = first + workers;
    return { port: first, ...(last !== null && begin <= last ? { extraPorts: { begin, end: last } } : {}) };
  }

  throwProblems(): void {
    if (this.#problems.length === 0) return;
    const names = this.#problems.map((problem) => `${problem.name} ${problem.problem}`).join("; ");
    throw new RingbackError("CONFIG_INVALID", `Settings are missing or malformed: ${names}.`, {
      details: { problems: this.#problems },
    });
  }

  /** The client itself judges what it is to be made with, so that nothing passes here and fails there. */
  #askGraphClient(name: string, options: GraphClientOptions, hint: string): void {
    try {
      resolveGraphOptions(options);
    } catch (error) {
      if (!isRingbackError(error, "OPTION_INVALID")) throw error;
      // Its messages begin with the name that the option has there.
      this.#problem(name, error.message.replace(`${error.details.option} `, ""), hint);
    }
  }

  #secretFrom(name: string, path: string, hint: string): string {
    try {
      const secret = this.#readSecret(path).trim();
      return secret === "" ? this.#problem(`${name}_FILE`, "names an empty file", hint) : secret;
    } catch {
      // The cause is of no use to the reader beyond this: the path is wrong or not readable.
      return this.#problem(`${name}_FILE`, "names a file that cannot be read", hint);
    }
  }

  #problem(name: string, problem: string, hint: string): string {
    this.#problems.push({ name, problem, hint });
    return "";
  }
}

function parsePort(text: string): number | null {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : -1;
  return port >= 0 && port <= 65_535 ? port : null;
}

interface Ports {
  readonly first: number;
  /** Null: one port. */
  readonly last: number | null;
}

function parsePorts(text: string): Ports | null {
  const [first = null, last = null, ...more] = text.split("-").map((part) => parsePort(part.trim()));
  if (first === null || more.length > 0) return null;
  if (!text.includes("-")) return { first, last };
  return last === null || first === 0 || last < first ? null : { first, last };
}
