import type { Logger } from "../logger.ts";
import type { GatewayObserver } from "./observer.ts";

/**
 * One observer that tells several. One that throws is logged, once for each of its methods, and disturbs nobody: neither the call nor
 * the others.
 */
export function joinObservers(
  observers: readonly GatewayObserver[],
  logger: Logger,
): Required<GatewayObserver> {
  const complained = new Set<string>();
  const complain = (index: number, event: keyof GatewayObserver, error: unknown): void => {
    if (complained.has(`${index} ${event}`)) return;
    complained.add(`${index} ${event}`);
    logger.error({ err: error, event }, "an observer failed; it is told of the next event all the same");
  };
  const tell = (event: keyof GatewayObserver, call: (observer: GatewayObserver) => unknown): void => {
    observers.forEach((observer, index) => {
      try {
        const told = call(observer);
        // A program without types may give us one that is async.
        if (told instanceof Promise) told.catch((error: unknown) => complain(index, event, error));
      } catch (error) {
        complain(index, event, error);
      }
    });
  };
  return {
    webhookAnswered: (...args) => tell("webhookAnswered", (each) => each.webhookAnswered?.(...args)),
    webhookEvent: (...args) => tell("webhookEvent", (each) => each.webhookEvent?.(...args)),
    callStarted: (...args) => tell("callStarted", (each) => each.callStarted?.(...args)),
    graphRequest: (...args) => tell("graphRequest", (each) => each.graphRequest?.(...args)),
    callEnded: (...args) => tell("callEnded", (each) => each.callEnded?.(...args)),
    apiRequest: (...args) => tell("apiRequest", (each) => each.apiRequest?.(...args)),
    deliveryAttempt: (...args) => tell("deliveryAttempt", (each) => each.deliveryAttempt?.(...args)),
    storeFailed: (...args) => tell("storeFailed", (each) => each.storeFailed?.(...args)),
  };
}
