import { type ErrorDetails, isRingbackError, type RingbackError } from "../../errors.ts";
import {
  createRequestPolicy,
  guardedRequest,
  type RequestOptions,
  type RequestPolicy,
} from "../../platform/outgoing-request.ts";
import { WorkLimit } from "../../platform/work-limit.ts";
import { messageWithin, optionError, type SpeechFault, speechError } from "./speech-error.ts";
import { requireSound } from "./speech-sound.ts";
import { readSpokenText, type SpokenText } from "./spoken-text.ts";
import type { SpeechRequest, TextToSpeech } from "./text-to-speech.ts";

export interface HttpSpeechOptions {
  /** Base of an API that is OpenAI's in form, such as `https://api.openai.com/v1`, or its whole `…/audio/speech`. */
  readonly url: string;
  readonly apiKey?: string;
  readonly model: string;
  /** For requests that name none. */
  readonly voice: string;
  /** Default: the host of `url`. */
  readonly name?: string;
  /** What to ask for. Default `wav`. */
  readonly format?: "wav" | "mp3" | "flac" | "opus";
  /** Further fields of the request's body, such as `speed` or `instructions`. */
  readonly parameters?: Readonly<Record<string, string | number | boolean>>;
  /** For one text, in ms. Default 30 000. */
  readonly timeoutMs?: number;
  /** Of the sound. Default 32 MiB. */
  readonly maxBytes?: number;
  /** Texts that are spoken at once, 1–64. Default 4. */
  readonly concurrency?: number;
  /**
   * The gateway's rules for requests. The host of `url` may be requested in any case, for it is your own setting; plain http to
   * other than this machine needs `allowHttp`, as it shows the key and the texts to the network.
   */
  readonly requests?: RequestOptions;
}

/** Texts that may wait to be spoken. */
const MAX_WAITING = 100;

/** Some servers do not say what it is: the sound itself tells. */
const ACCEPT = ["audio/*", "application/octet-stream", "binary/octet-stream"];

const FAULTS: Readonly<Record<ErrorDetails["REQUEST_FAILED"]["reason"], SpeechFault>> = {
  network: "unavailable",
  timeout: "timeout",
  status: "refused",
  "too-large": "too-large",
  "too-many-redirects": "refused",
  "bad-response": "not-audio",
};

/**
 * Speaks with a server that has `POST /v1/audio/speech`: OpenAI's, or one of your own such as Kokoro-FastAPI, Speaches or LocalAI.
 * The language of a request is not passed on: the API has none.
 *
 * @throws {RingbackError} `OPTION_INVALID`.
 */
export function createHttpSpeech(options: HttpSpeechOptions): TextToSpeech {
  return new HttpSpeech(options);
}

class HttpSpeech implements TextToSpeech {
  readonly name: string;
  readonly #options: HttpSpeechOptions;
  readonly #url: string;
  readonly #policy: RequestPolicy;
  readonly #limit: WorkLimit;

  constructor(options: HttpSpeechOptions) {
    const url = readUrl(options.url, options.requests?.allowHttp === true);
    const { concurrency = 4, apiKey } = options;
    if (!Number.isInteger(concurrency) || concurrency < 1 || concurrency > 64) {
      throw optionError("concurrency", `concurrency must be a whole number from 1 to 64, got ${concurrency}`);
    }
    // It travels in a header: anything else would be refused later.
    if (apiKey !== undefined && !/^[\x21-\x7e]+$/.test(apiKey)) {
      throw optionError("apiKey", "apiKey must be the key without spaces or line ends");
    }
    this.name = options.name ?? url.host;
    this.#options = options;
    this.#url = url.href;
    this.#policy = createPolicy(url, options);
    this.#limit = new WorkLimit(concurrency, MAX_WAITING);
  }

  async synthesize(request: SpeechRequest): Promise<Uint8Array> {
    const spoken = readSpokenText(this.name, request);
    const done = await this.#limit.run(() => this.#speak(spoken, request.signal), request.signal);
    if (done === null) throw speechError(this.name, "busy", "too many texts wait for it already");
    return requireSound(this.name, done.result);
  }

  async #speak({ text, voice }: SpokenText, signal: AbortSignal | undefined): Promise<Uint8Array> {
    const { model, apiKey, format = "wav", parameters } = this.#options;
    const body = {
      ...parameters,
      model,
      input: text,
      voice: voice ?? this.#options.voice,
      response_format: format,
    };
    try {
      const { bytes } = await guardedRequest(
        {
          url: this.#url,
          body: JSON.stringify(body),
          headers: {
            "content-type": "application/json",
            ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
          },
          accept: ACCEPT,
          ...(signal === undefined ? {} : { signal }),
        },
        this.#policy,
      );
      return bytes;
    } catch (error) {
      if (isRingbackError(error, "REQUEST_REFUSED")) {
        throw speechError(this.name, "refused", messageWithin(error), error);
      }
      throw isRingbackError(error, "REQUEST_FAILED") ? this.#failure(error) : error;
    }
  }

  #failure(error: RingbackError<"REQUEST_FAILED">): Error {
    const { reason, status } = error.details;
    if (status === 429) return speechError(this.name, "busy", messageWithin(error), error);
    if (status !== null && status >= 500)
      return speechError(this.name, "failed", messageWithin(error), error);
    return speechError(this.name, FAULTS[reason], `${messageWithin(error)}${hintFor(status)}`, error);
  }
}

function createPolicy(url: URL, options: HttpSpeechOptions): RequestPolicy {
  const { requests = {}, timeoutMs = 30_000, maxBytes = 32 * 1024 * 1024 } = options;
  const port = url.port === "" ? "" : `:${url.port}`;
  return createRequestPolicy({
    ...requests,
    allowHttp: requests.allowHttp === true || isLoopback(url.hostname),
    allowedHosts: [...(requests.allowedHosts ?? []), `${url.hostname}${port}`],
    timeoutMs,
    maxBytes,
  });
}

function readUrl(text: string, allowHttp: boolean): URL {
  const option = "url";
  if (!URL.canParse(text)) throw optionError(option, "url must be one such as https://api.openai.com/v1");
  const url = new URL(text);
  if (url.protocol !== "https:" && url.protocol !== "http:")
    throw optionError(option, "url must be https or http");
  if (url.protocol === "http:" && !allowHttp && !isLoopback(url.hostname)) {
    const network = "plain http would show the key and the texts to the network";
    throw optionError(option, `url must be https; ${network}, unless requests.allowHttp is set`);
  }
  if (url.username !== "" || url.password !== "") {
    throw optionError(option, "url must have no user and no password; the key is apiKey");
  }
  const path = url.pathname.replace(/\/+$/, "");
  url.pathname = path.endsWith("/audio/speech") ? path : `${path}/audio/speech`;
  url.hash = "";
  return url;
}

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(\.\d{1,3}){3}$/.test(hostname);
}

function hintFor(status: number | null): string {
  if (status === 401 || status === 403) return "; check apiKey";
  if (status === 404 || status === 405) return "; check url: it ends before /audio/speech";
  return status === 400 || status === 422 ? "; check model and voice" : "";
}
