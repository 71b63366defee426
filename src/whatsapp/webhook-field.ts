import { z } from "zod";

// Readers of single webhook fields. Each one turns a value of the wrong type into null, so that one field that Meta
// changes costs that field and not the call.

/** Longest call id that is taken. Real ones have 60 to 110 characters. */
const MAX_ID_CHARS = 512;
/** Twelve digits of seconds reach the year 33658; more is a value in another unit. */
const MAX_EPOCH_SECONDS = 999_999_999_999;

/** A non-empty text, or null. */
export const textField: z.ZodType<string | null> = z.string().min(1).nullable().catch(null);

/** An id that the element is nothing without: the only reader here that fails. */
export const idField: z.ZodType<string> = z
  .union([z.string(), z.number().int().nonnegative()])
  .transform(String)
  .pipe(z.string().min(1).max(MAX_ID_CHARS));

/** A phone number as digits without `+`, or null. Display forms such as `+1 555-000-1111` are reduced to digits. */
export const phoneNumberField: z.ZodType<string | null> = z
  .union([z.string().max(64), z.number()])
  .transform((value) => String(value).replace(/[\s().+-]/g, ""))
  .pipe(z.string().regex(/^\d{1,20}$/))
  .nullable()
  .catch(null);

/** Seconds since the Unix epoch, as Meta's text or as a number, in ms; or null. */
export const epochMsField: z.ZodType<number | null> = decimal()
  .refine((seconds) => seconds <= MAX_EPOCH_SECONDS)
  .transform((seconds) => Math.round(seconds * 1000))
  .nullable()
  .catch(null);

/** A number of seconds or an error code, as text or as a number; or null. */
export const numberField: z.ZodType<number | null> = decimal().nullable().catch(null);

/** A name out of a closed set of Meta's, in lower case; or null. */
export const lowerCaseField: z.ZodType<string | null> = z
  .string()
  .min(1)
  .max(64)
  .transform((value) => value.toLowerCase())
  .nullable()
  .catch(null);

/** An array of anything; an empty one when it is absent or no array. */
export const listField: z.ZodType<readonly unknown[]> = z.array(z.unknown()).catch([]);

function decimal(): z.ZodType<number, unknown> {
  return z
    .union([z.number(), z.string().regex(/^\d{1,15}(\.\d{1,9})?$/)])
    .transform(Number)
    .pipe(z.number().nonnegative());
}
