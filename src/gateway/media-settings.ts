import { canonicalAddress, isUnicast } from "../core/transport/address.ts";
import { MAX_MEDIA_WORKERS, type MediaOptions } from "./options.ts";
import type { SettingsReader } from "./settings-reader.ts";

export function readMedia(reader: SettingsReader): MediaOptions {
  const workers = reader.whole("MEDIA_WORKERS", 1, MAX_MEDIA_WORKERS, "a number of threads");
  const ports = readPorts(reader, workers ?? 1);
  const publicAddress = readAddress(reader);
  return {
    ...(workers === null ? {} : { workers }),
    ...ports,
    ...(publicAddress === null ? {} : { publicAddress }),
  };
}

/** `10000`: the first worker's port. `10000-10015`: the first ones are the workers', the rest are extra ports. */
function readPorts(reader: SettingsReader, workers: number): Pick<MediaOptions, "port" | "extraPorts"> {
  const name = "MEDIA_PORT";
  const text = reader.optional(name);
  if (text === null) return {};
  const ports = parsePorts(text);
  if (ports === null) {
    const hint = "One, such as 10000, or the first and the last, such as 10000-10015; 0 for any free one.";
    reader.problem(name, "is not a UDP port, nor a range of them", hint);
    return {};
  }
  const { first, last } = ports;
  if (first === 0) return { port: 0 };
  const count = (last ?? 65_535) - first + 1;
  if (count < workers) {
    const hint = `Each worker takes a port of its own: ${workers} or more of them, or a smaller MEDIA_WORKERS.`;
    reader.problem(name, `has ${count} port${count === 1 ? "" : "s"} for ${workers} media workers`, hint);
    return {};
  }
  const begin = first + workers;
  return { port: first, ...(last !== null && begin <= last ? { extraPorts: { begin, end: last } } : {}) };
}

function readAddress(reader: SettingsReader): string | null {
  const name = "MEDIA_PUBLIC_ADDRESS";
  const text = reader.optional(name);
  const address = text === null ? null : canonicalAddress(text);
  if (text !== null && (address === null || !isUnicast(address))) {
    const hint = "The address that the internet sees, such as 203.0.113.7.";
    reader.problem(name, "is not the IP address of a machine", hint);
  }
  return address;
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

function parsePort(text: string): number | null {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : -1;
  return port >= 0 && port <= 65_535 ? port : null;
}
