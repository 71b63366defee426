import { z } from "zod";
import type { WebhookError } from "./call-event.ts";
import { numberField, textField } from "./webhook-field.ts";

/** Most errors kept of one list. Real terminate events carry one. */
const MAX_ERRORS = 16;

// `href` and `title` are not required: the errors of real calls lack the one, the documented samples the other.
const errorSchema = z.looseObject({
  code: numberField,
  title: textField,
  message: textField,
  error_data: z.looseObject({ details: textField }).nullable().catch(null),
});

/** Reads a list of errors; elements without a code are left out. */
export function readWebhookErrors(list: readonly unknown[]): readonly WebhookError[] {
  const errors: WebhookError[] = [];
  for (const element of list.slice(0, MAX_ERRORS)) {
    const { data } = errorSchema.safeParse(element);
    if (data === undefined || data.code === null) continue;
    errors.push({
      code: data.code,
      title: data.title,
      message: data.message,
      details: data.error_data?.details ?? null,
    });
  }
  return errors;
}

/** Joins the two places where WhatsApp puts the errors of one call, `calls[].errors` and `value.errors`. */
export function mergeWebhookErrors(
  first: readonly WebhookError[],
  second: readonly WebhookError[],
): readonly WebhookError[] {
  const merged: WebhookError[] = [];
  for (const error of [...first, ...second]) {
    const index = merged.findIndex((known) => isSameError(known, error));
    const known = merged[index];
    if (known === undefined) merged.push(error);
    else merged[index] = fillGaps(known, error);
  }
  return merged;
}

function isSameError(a: WebhookError, b: WebhookError): boolean {
  return a.code === b.code && (a.details === null || b.details === null || a.details === b.details);
}

function fillGaps(known: WebhookError, other: WebhookError): WebhookError {
  return {
    code: known.code,
    title: known.title ?? other.title,
    message: known.message ?? other.message,
    details: known.details ?? other.details,
  };
}
