import type { EventEnvelope } from "../../src/core/events/event-types.ts";

/** One message of a stream of server-sent events, or a comment. */
export interface SseMessage {
  readonly id: string | null;
  readonly data: EventEnvelope | null;
  readonly comment: string | null;
}

/** Reads server-sent events of an answer, until it ends. */
export async function* readSse(response: Response): AsyncGenerator<SseMessage> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    rest += decoder.decode(chunk, { stream: true });
    const blocks = rest.split("\n\n");
    rest = blocks.pop() ?? "";
    for (const block of blocks) yield toMessage(block);
  }
}

function toMessage(block: string): SseMessage {
  const field = (name: string): string | null => {
    const line = block.split("\n").find((text) => text.startsWith(`${name}: `));
    return line === undefined ? null : line.slice(name.length + 2);
  };
  const data = field("data");
  return {
    id: field("id"),
    data: data === null ? null : (JSON.parse(data) as EventEnvelope),
    comment: field(""),
  };
}
