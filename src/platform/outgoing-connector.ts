import { connect as connectTcp, isIP, type LookupFunction, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import type { buildConnector } from "undici";

export interface ConnectorOptions {
  /** The judged addresses, in the order to try them. */
  readonly addresses: readonly string[];
  readonly ca: string | undefined;
  readonly signal: AbortSignal;
}

/** Connects to the judged addresses alone, and lets go at once when the signal aborts. */
export function connectorFor({ addresses, ca, signal }: ConnectorOptions): buildConnector.connector {
  const lookup = lookupOf(addresses);
  return ({ protocol, hostname, port }, callback) => {
    const isSecure = protocol === "https:";
    const common = { host: hostname, lookup, autoSelectFamily: true };
    const socket: Socket | TLSSocket = isSecure
      ? connectTls({
          ...common,
          port: Number(port || 443),
          ALPNProtocols: ["http/1.1"],
          // RFC 6066 §3: no address there. The certificate is then compared with `host`.
          servername: isIP(hostname) === 0 ? hostname : "",
          ca,
        })
      : connectTcp({ ...common, port: Number(port || 80) });
    const abort = (): void => void socket.destroy(new Error("The request was ended."));
    signal.addEventListener("abort", abort, { once: true });
    let report: buildConnector.Callback | null = callback;
    socket.setNoDelay(true);
    socket.once(isSecure ? "secureConnect" : "connect", () => {
      report?.(null, socket);
      report = null;
    });
    socket.on("error", (error) => {
      report?.(error, null);
      report = null;
    });
    socket.once("close", () => signal.removeEventListener("abort", abort));
  };
}

/** Whatever name is asked for, the answer is what was judged: between the two, the name may have got another one. */
function lookupOf(addresses: readonly string[]): LookupFunction {
  const all = addresses.map((address) => ({ address, family: isIP(address) }));
  return (_host, options, callback) => {
    const [first] = all;
    if (options.all === true) callback(null, all);
    else callback(null, first?.address ?? "", first?.family);
  };
}
