import { EventEmitter } from "node:events";

type EventMap<T> = { [K in keyof T]: unknown[] };

/** Node's typed EventEmitter whose listeners cannot break the one who tells them. */
export class SafeEmitter<T extends EventMap<T>> {
  readonly #emitter = new EventEmitter();
  readonly #onListenerError: (error: unknown, event: string) => void;

  constructor(onListenerError: (error: unknown, event: string) => void) {
    this.#onListenerError = onListenerError;
  }

  on<K extends keyof T & string>(event: K, listener: (...args: T[K]) => void): void {
    this.#emitter.on(event, listener as (...args: unknown[]) => void);
  }

  off<K extends keyof T & string>(event: K, listener: (...args: T[K]) => void): void {
    this.#emitter.off(event, listener as (...args: unknown[]) => void);
  }

  /** Calls every listener; a throw or a rejection goes to `onListenerError` and stops no other listener. */
  emit<K extends keyof T & string>(event: K, ...args: T[K]): void {
    for (const listener of this.#emitter.rawListeners(event)) {
      try {
        const result: unknown = Reflect.apply(listener, undefined, args);
        if (result instanceof Promise) result.catch((error: unknown) => this.#onListenerError(error, event));
      } catch (error) {
        this.#onListenerError(error, event);
      }
    }
  }
}
