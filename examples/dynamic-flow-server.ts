// Decides while the call goes on: dynamic.flow.json asks for a customer number and redirects to this server, which answers with the
// next steps, by what was pressed and by the time of day. In any language: it is JSON over HTTP (docs/flows.md).
import { createServer, type IncomingMessage, type Server } from "node:http";
import { json } from "node:stream/consumers";
import { type FlowBuilder, type FlowEvent, flow } from "ringback";

const CUSTOMERS: ReadonlyMap<string, string> = new Map([
  ["1234", "Ada"],
  ["5678", "Grace"],
]);

// Files or words ({ say: "Welcome back!" }) in a program of your own.
const sound = (frequencyHz: number) => ({ tone: { frequencyHz, durationMs: 400 } });
const UNKNOWN = sound(300);
const CLOSED = sound(550);
const MENU = sound(700);
const ORDERED = sound(900);
const CANCELLED = sound(1_100);

/** @param hour Of the day, 0 to 23. */
export function createFlowServer(hour: () => number = () => new Date().getHours()): Server {
  return createServer((request, response) => {
    nextSteps(request, hour()).then(
      (steps) => response.setHeader("content-type", "application/json").end(JSON.stringify(steps)),
      () => response.writeHead(400).end(),
    );
  });
}

async function nextSteps(request: IncomingMessage, hour: number): Promise<FlowBuilder> {
  const { step, tags } = (await json(request)) as FlowEvent;
  const here = `http://${request.headers.host}/`;
  if (step?.id === "menu") {
    console.log(`${tags["customer"]} pressed ${step.digits}`);
    return flow().play(step.digits === "1" ? ORDERED : CANCELLED);
  }
  const customer = CUSTOMERS.get(step?.digits ?? "");
  if (customer === undefined) return flow().gather({ id: "number", prompt: UNKNOWN }).redirect(here);
  if (hour < 9 || hour >= 17) return flow().play(CLOSED);
  return flow().tag({ customer }).gather({ id: "menu", prompt: MENU, maxDigits: 1 }).redirect(here);
}

if (process.argv[1] === import.meta.filename) createFlowServer().listen(8080, "127.0.0.1");
