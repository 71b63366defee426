import { createSocket } from "node:dgram";
import { afterEach, describe, expect, test, vi } from "vitest";
import { type Logger, silentLogger } from "../../src/logger.ts";
import { eventually } from "../support/eventually.ts";
import {
  closeAll,
  freePorts,
  promptOf,
  startCall,
  startPool,
  TestCall,
  threadsRunning,
} from "./worker-pool.ts";

afterEach(closeAll);

describe("a worker that breaks down", () => {
  test("ends its own calls with the reason, others go on, and it comes back on its port", async () => {
    const logged: string[] = [];
    const logger: Logger = {
      ...silentLogger,
      error: (_, message) => void logged.push(message),
      child: () => logger,
    };
    const port = await freePorts(2);
    const { host, threads } = await startPool({ workers: 2, port, logger });
    const [doomed, safe] = [await startCall(host), await startCall(host)];
    const opening = await TestCall.open(host);
    expect([doomed.port, safe.port, opening.port]).toEqual([port, port + 1, port]);
    const playing = doomed.session.play([promptOf(500)]);
    const sending = doomed.session.sendDigits("1");
    safe.session.startRtp();

    // No worker takes such a message.
    threads[0]?.post({ type: "prompt", prompt: 9, memory: null as never });
    await eventually(() => expect(doomed.events).toContain("lost worker-crashed"));
    expect(opening.events).toEqual(["failed worker-crashed"]);
    expect((await playing.finished).outcome).toBe("call-ended");
    expect(await sending).toBe("call-ended");
    expect(logged).toContain("media worker broke down");

    await vi.waitFor(
      () => expect(host.status().workers[0]).toMatchObject({ isUp: true, restarts: 1 }),
      5_000,
    );
    const heard = safe.peer.received.length;
    await eventually(() => expect(safe.peer.received.length).toBeGreaterThan(heard + 10));
    expect(safe.events).toEqual(["ice", "connected", "first-out"]);
    const next = await startCall(host);
    expect(next.port).toBe(port);
    next.session.startRtp();
    expect((await next.session.play([promptOf(3)]).finished).outcome).toBe("completed");
  });

  test("leaves no place for calls until it is back, when there is no other", async () => {
    const { host, threads } = await startPool();
    await threads[0]?.terminate();
    expect(host.status().workers[0]?.isUp).toBe(false);
    await expect(TestCall.open(host)).rejects.toMatchObject({
      code: "MEDIA_ENGINE_FAILED",
      details: { reason: "no worker" },
    });
    await eventually(() => expect(host.status().workers[0]?.isUp).toBe(true));
    await startCall(host);
  });

  test("while a call connects says that media never came up, while it closes says nothing", async () => {
    const { host, threads } = await startPool();
    const [connecting, closing] = [await TestCall.open(host), await startCall(host)];
    connecting.session.connect();
    const playing = closing.session.play([promptOf(500)]);
    const sending = closing.session.sendDigits("1");
    closing.session.close();
    // At once, with all of it still on its way.
    await threads[0]?.terminate();
    expect((await playing.finished).outcome).toBe("call-ended");
    expect(await sending).toBe("call-ended");
    expect(connecting.events.at(-1)).toMatch(/^(failed|lost) worker-crashed$/);
    expect(closing.events).toEqual(["ice", "connected"]);
    expect(host.status().workers[0]?.calls).toBe(0);
  });

  test("at the moment of the end keeps nobody waiting, nor does one that is in its pause", async () => {
    const before = threadsRunning();
    const [ending, pausing] = [await startPool(), await startPool()];
    const call = await startCall(ending.host);
    await pausing.threads[0]?.terminate();
    await Promise.all([ending.threads[0]?.terminate(), ending.host.close(), pausing.host.close()]);
    expect(threadsRunning()).toBe(before);
    expect(call.events).toEqual(["ice", "connected"]);
    expect([ending.threads.length, pausing.threads.length]).toEqual([1, 1]);
  });

  test("while it opens a call fails the opening", async () => {
    const { host, threads } = await startPool();
    const opening = TestCall.open(host);
    const terminated = vi.waitFor(() => expect(host.status().workers[0]?.calls).toBe(1), { interval: 1 });
    await Promise.race([opening, terminated.then(() => threads[0]?.terminate())]).catch(() => {});
    const outcome = await opening.then(
      (call) => call.events,
      (error: { code: string }) => [error.code],
    );
    await eventually(() => expect(outcome).toHaveLength(1));
    expect(["MEDIA_ENGINE_FAILED", "failed worker-crashed"]).toContain(outcome[0]);
  });
});

describe("a worker that hangs", () => {
  const HANGING_ENTRY = new URL("./hanging-entry.ts", import.meta.url);

  test("is noticed within seconds: its calls end with the reason, and it comes back", async () => {
    const { host, threads } = await startPool({}, HANGING_ENTRY);
    const call = await startCall(host);
    const playing = call.session.play([promptOf(500)]);
    threads[0]?.post({ type: "hang" } as never);
    await vi.waitFor(() => expect(call.events).toContain("lost worker-crashed"), 12_000);
    expect((await playing.finished).outcome).toBe("call-ended");
    await vi.waitFor(
      () => expect(host.status().workers[0]).toMatchObject({ isUp: true, restarts: 1, calls: 0 }),
      5_000,
    );
    const next = await startCall(host);
    next.session.startRtp();
    await eventually(() => expect(next.events).toContain("first-out"));
  });

  test("does not keep the host from closing", async () => {
    const before = threadsRunning();
    const { host, threads } = await startPool({}, HANGING_ENTRY);
    const call = await startCall(host);
    const playing = call.session.play([promptOf(500)]);
    threads[0]?.post({ type: "hang" } as never);
    await host.close();
    expect((await playing.finished).outcome).toBe("call-ended");
    expect(threadsRunning()).toBe(before);
  });
});

describe("the workers' beginning and end", () => {
  test("a port that is taken is an error at the start, and leaves nothing behind", async () => {
    const socket = createSocket("udp4");
    await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
    const before = threadsRunning();
    await expect(startPool({ workers: 2, port: socket.address().port - 1 })).rejects.toMatchObject({
      code: "MEDIA_ENGINE_FAILED",
    });
    socket.close();
    expect(threadsRunning()).toBe(before);
  });

  test("close ends them all, with calls open, twice at once, and leaves nothing behind", async () => {
    const before = threadsRunning();
    const { host } = await startPool({ workers: 2 });
    expect(threadsRunning()).toBe(before + 2);
    const call = await startCall(host);
    const playing = call.session.play([promptOf(500)], { loop: true });
    await Promise.all([host.close(), host.close()]);
    expect(threadsRunning()).toBe(before);
    expect((await playing.finished).outcome).toBe("call-ended");
    expect(call.events).toEqual(["ice", "connected"]);
    await expect(TestCall.open(host)).rejects.toMatchObject({ code: "MEDIA_ENGINE_FAILED" });
  });
});
