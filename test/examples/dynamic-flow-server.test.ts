import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test, vi } from "vitest";
import { createFlowServer } from "../../examples/dynamic-flow-server.ts";
import { createGateway, type FlowDocument, type GatewayOptions, runFlow } from "../../src/index.ts";
import { type ExampleRig, hangUpAt, press, startExample, toneAt, tonesHeard } from "./example-rig.ts";

vi.setConfig({ testTimeout: 60_000 });
vi.spyOn(console, "log").mockImplementation(() => {});

const FLOW = new URL("../../examples/dynamic.flow.json", import.meta.url);
const [NUMBER_HZ, UNKNOWN_HZ, CLOSED_HZ, MENU_HZ, ORDERED_HZ, CANCELLED_HZ, FAILED_HZ] = [
  440, 300, 550, 700, 900, 1_100, 200,
];
const ALL_HZ = [NUMBER_HZ, UNKNOWN_HZ, CLOSED_HZ, MENU_HZ, ORDERED_HZ, CANCELLED_HZ, FAILED_HZ];

/** The flow file, with the server's own address in it. As `ringback serve --flow` has it. */
async function startDynamic(server: Server): Promise<ExampleRig> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const text = readFileSync(FLOW, "utf8");
  expect(text).toContain("127.0.0.1:8080");
  const document = JSON.parse(text.replace("127.0.0.1:8080", host)) as FlowDocument;
  const requests = { allowHttp: true, allowedHosts: [host] };
  const make = (options: GatewayOptions) =>
    createGateway(options).onCall(async (call) => {
      const { logger } = options;
      await runFlow(call, document, { requests, ...(logger === undefined ? {} : { logger }) });
    });
  const rig = await startExample(make);
  return {
    ...rig,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rig[Symbol.asyncDispose]();
    },
  };
}

/** Types the digits, each time waiting for the tone that answers them. */
async function walk(rig: ExampleRig, keys: readonly (readonly [string, number])[]): Promise<number[]> {
  const phone = await rig.dial();
  await toneAt(phone, NUMBER_HZ);
  for (const [digits, answeredByHz] of keys) await press(phone, digits, answeredByHz);
  const { endedBy } = await phone.ended;
  expect(endedBy).toBe("business");
  return tonesHeard(phone, ALL_HZ);
}

test("the server leads known customers through its menu, and asks others again", async () => {
  await using rig = await startDynamic(createFlowServer(() => 10));
  const [ordered, cancelled] = await Promise.all([
    walk(rig, [
      ["1234#", MENU_HZ],
      ["1", ORDERED_HZ],
    ]),
    walk(rig, [
      ["99#", UNKNOWN_HZ],
      ["5678#", MENU_HZ],
      ["2", CANCELLED_HZ],
    ]),
  ]);
  expect(ordered).toEqual([NUMBER_HZ, MENU_HZ, ORDERED_HZ]);
  expect(cancelled).toEqual([NUMBER_HZ, UNKNOWN_HZ, MENU_HZ, CANCELLED_HZ]);
  expect(rig.complaints).toEqual([]);
});

test("at night the server says so", async () => {
  await using rig = await startDynamic(createFlowServer(() => 22));
  expect(await walk(rig, [["1234#", CLOSED_HZ]])).toEqual([NUMBER_HZ, CLOSED_HZ]);
  expect(rig.complaints).toEqual([]);
});

test("a server that fails leaves the flow its own words", async () => {
  await using rig = await startDynamic(createServer((_, response) => response.writeHead(500).end()));
  expect(await walk(rig, [["1234#", FAILED_HZ]])).toEqual([NUMBER_HZ, FAILED_HZ]);
  expect(rig.complaints).toHaveLength(1);
});

test("the server refuses what is no event", async () => {
  const server = createFlowServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const answer = await fetch(url, { method: "POST", body: "hello", headers: { connection: "close" } });
  expect(answer.status).toBe(400);
  await new Promise((resolve) => server.close(resolve));
});

test("a caller may hang up when asked, and in what the server has answered", async () => {
  await using rig = await startDynamic(createFlowServer(() => 10));
  await hangUpAt(rig, [
    (phone) => toneAt(phone, NUMBER_HZ),
    (phone) => press(phone, "99#", UNKNOWN_HZ),
    (phone) => press(phone, "1234#", MENU_HZ),
    async (phone) => {
      await press(phone, "1234#", MENU_HZ);
      await press(phone, "1", ORDERED_HZ);
    },
  ]);
});

test("a caller may hang up while the server is asked", async () => {
  let asked = (): void => {};
  const isAsked = new Promise<void>((resolve) => {
    asked = resolve;
  });
  await using rig = await startDynamic(createServer(() => asked()));
  await hangUpAt(rig, [
    async (phone) => {
      await toneAt(phone, NUMBER_HZ);
      await phone.sendDigits("1234#");
      await isAsked;
    },
  ]);
});
