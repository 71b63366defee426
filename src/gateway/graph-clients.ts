import { createGraphClient, type GraphClient } from "../whatsapp/graph-client.ts";
import { type GatewayOptions, graphClientOptions } from "./options.ts";

/** The Graph clients of a gateway's numbers: one, and so one connection pool, for each access token. */
export class GraphClients {
  readonly #byNumber = new Map<string, GraphClient>();

  constructor({ phoneNumbers, token: gatewayToken, graph }: GatewayOptions) {
    const byToken = new Map<string, GraphClient>();
    for (const entry of phoneNumbers) {
      const number = typeof entry === "string" ? { id: entry } : entry;
      const token = number.token ?? gatewayToken;
      const client = byToken.get(token) ?? createGraphClient(graphClientOptions(token, graph));
      byToken.set(token, client);
      this.#byNumber.set(number.id, client);
    }
  }

  /** Null: the number is not ours. */
  of(phoneNumberId: string): GraphClient | null {
    return this.#byNumber.get(phoneNumberId) ?? null;
  }

  /** Waits for requests under way. */
  async close(): Promise<void> {
    await Promise.all([...new Set(this.#byNumber.values())].map((client) => client.close()));
  }
}
