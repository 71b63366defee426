import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test, vi } from "vitest";
import { packPrompt } from "../encoded-prompt.ts";
import { type PromptReceiver, PromptShelf } from "./prompt-shelf.ts";

class Receiver implements PromptReceiver {
  readonly log: string[] = [];
  addPrompt(prompt: number): void {
    this.log.push(`add ${prompt}`);
  }
  forgetPrompt(prompt: number): void {
    this.log.push(`forget ${prompt}`);
  }
}

const prompt = () => packPrompt([Uint8Array.of(1)], 20);

test("a prompt goes to each worker once, before it is played there first", () => {
  const shelf = new PromptShelf();
  const [one, two] = [new Receiver(), new Receiver()];
  const [hello, bye] = [prompt(), prompt()];
  const numbers = [hello, hello, bye].map((each) => shelf.share(each, one));
  expect(numbers).toEqual([1, 1, 2]);
  expect(shelf.share(hello, two)).toBe(1);
  expect(one.log).toEqual(["add 1", "add 2"]);
  expect(two.log).toEqual(["add 1"]);
});

test("a worker that was started again gets it again", () => {
  const shelf = new PromptShelf();
  const worker = new Receiver();
  const hello = prompt();
  shelf.share(hello, worker);
  shelf.removeReceiver(worker);
  shelf.share(hello, worker);
  expect(worker.log).toEqual(["add 1", "add 1"]);
});

test("workers forget what nobody holds any more, and that alone", async () => {
  setFlagsFromString("--expose-gc");
  const collectGarbage: () => void = runInNewContext("gc");
  const shelf = new PromptShelf();
  const worker = new Receiver();
  const kept = prompt();
  shelf.share(kept, worker);
  shelf.share(prompt(), worker);
  await vi.waitFor(() => {
    collectGarbage();
    expect(worker.log).toContain("forget 2");
  });
  expect(shelf.share(kept, worker)).toBe(1);
  expect(worker.log).toEqual(["add 1", "add 2", "forget 2"]);
});
