import type { EncodedPrompt, PromptMemory } from "../encoded-prompt.ts";

/** A worker, as far as prompts go. */
export interface PromptReceiver {
  addPrompt(prompt: number, memory: PromptMemory): void;
  forgetPrompt(prompt: number): void;
}

/**
 * Numbers the prompts that workers are to play, and sends each one to a worker once, before it plays there first.
 *
 * Workers keep a prompt as long as this thread does: when nothing here holds it any more, the cache neither, they are
 * told to forget it.
 */
export class PromptShelf {
  readonly #numbers = new WeakMap<EncodedPrompt, number>();
  /** Who has a prompt, by its number. */
  readonly #holders = new Map<number, Set<PromptReceiver>>();
  readonly #collected = new FinalizationRegistry((number: number) => this.#forget(number));
  #last = 0;

  /** The prompt's number, once the worker has it. */
  share(prompt: EncodedPrompt, receiver: PromptReceiver): number {
    const number = this.#numbers.get(prompt) ?? this.#add(prompt);
    const holders = this.#holders.get(number);
    if (holders !== undefined && !holders.has(receiver)) {
      holders.add(receiver);
      receiver.addPrompt(number, prompt.memory);
    }
    return number;
  }

  /** The worker is gone, with everything that it had. */
  removeReceiver(receiver: PromptReceiver): void {
    for (const holders of this.#holders.values()) holders.delete(receiver);
  }

  #add(prompt: EncodedPrompt): number {
    this.#last += 1;
    this.#numbers.set(prompt, this.#last);
    this.#holders.set(this.#last, new Set());
    this.#collected.register(prompt, this.#last);
    return this.#last;
  }

  #forget(number: number): void {
    for (const receiver of this.#holders.get(number) ?? []) receiver.forgetPrompt(number);
    this.#holders.delete(number);
  }
}
