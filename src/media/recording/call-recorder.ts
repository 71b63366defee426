import { join, parse } from "node:path";
import { CallRecording, type RecordingLayout } from "../../core/recording/call-recording.ts";
import type { RecordedChannel } from "../../core/recording/recording-file.ts";
import { AppendFile, type AppendFileOptions } from "../../platform/append-file.ts";
import type { FileFailure } from "../../platform/file-failure.ts";
import { randomUint32, systemRandom } from "../../platform/random.ts";
import type { RecordedFile, RecordedMedia } from "./recorded-media.ts";

/** The part of `AppendFile` that is needed. */
export interface RecorderFile {
  readonly isCreated: boolean;
  readonly bytesWritten: number;
  append(bytes: Uint8Array): void;
  close(): Promise<void>;
}

export interface CallRecorderOptions {
  /** Of the file; of two files, `-caller` and `-business` come before the suffix. Neither may exist. */
  readonly path: string;
  readonly channels: RecordedChannel;
  /** Of `both` channels: one stereo file, or two. Default `stereo`. */
  readonly layout?: RecordingLayout;
  /** Transit time of the caller's fastest packets, as `arrival - rtpTimestamp / 48`, in ms; null when it is not known. */
  readonly fastestTransitMs: number | null;
  /** Default: a new `AppendFile`. */
  readonly openFile?: (path: string, options: AppendFileOptions) => RecorderFile;
}

interface OpenFile {
  readonly path: string;
  readonly channel: RecordedChannel;
  readonly file: RecorderFile;
}

/**
 * Records a call to disk. All methods are called in the call's own thread and return at once; none throws. The recording begins with
 * the first `business` or `tick`. Whatever the disk does, the call goes on; the recording ends when none of its files can be written.
 */
export class CallRecorder {
  readonly #options: CallRecorderOptions;
  readonly #recording: CallRecording;
  readonly #files: OpenFile[] = [];
  #filesFailed = 0;
  #failure: FileFailure | null = null;
  #isStopped = false;
  #finish: (media: RecordedMedia) => void = () => {};
  /** Resolves after `stop`, when the files are on the disk, or when they failed. Never rejects. */
  readonly finished: Promise<RecordedMedia>;

  constructor(options: CallRecorderOptions) {
    this.#options = options;
    this.finished = new Promise((resolve) => {
      this.#finish = resolve;
    });
    this.#recording = new CallRecording({
      channels: options.channels,
      layout: options.layout ?? "stereo",
      fastestTransitMs: options.fastestTransitMs,
      serial: () => randomUint32(systemRandom),
      onPage: (channel, page) => this.#fileOf(channel).file.append(page),
    });
  }

  /** Takes a copy of a packet of the caller's, in the order of arrival. */
  caller(bytes: Uint8Array, offset: number, lengthBytes: number, rtpTimestamp: number, nowMs: number): void {
    this.#recording.caller(bytes, offset, lengthBytes, rtpTimestamp, nowMs);
  }

  /** The caller's RTP timestamps begin anew: another SSRC, or a jump. */
  callerRestarted(): void {
    this.#recording.callerRestarted();
  }

  /** Takes a copy of the Opus packet that was sent in this slot, silence too. */
  business(payload: Uint8Array, nowMs: number): void {
    this.#recording.business(payload, nowMs);
  }

  /** Once per slot of 20 ms, after the slot's packet was sent. */
  tick(nowMs: number): void {
    this.#recording.tick(nowMs);
    if (this.#filesFailed >= this.#recording.channels.length) this.stop(nowMs);
  }

  /** Records silence in place of both channels from now on. Idempotent. */
  pause(nowMs: number): void {
    this.#recording.pause(nowMs);
  }

  /** Ends a pause. Idempotent. */
  resume(nowMs: number): void {
    this.#recording.resume(nowMs);
  }

  /** Ends the recording; `finished` tells when it is on the disk. Idempotent. */
  stop(nowMs: number): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#recording.stop(nowMs);
    void this.#close();
  }

  async #close(): Promise<void> {
    await Promise.all(this.#files.map(({ file }) => file.close()));
    const files: RecordedFile[] = this.#files
      .filter(({ file }) => file.isCreated)
      .map(({ path, channel, file }) => ({ path, channel, bytes: file.bytesWritten }));
    const error = this.#failure;
    const isAbsent = this.#files.length === 0;
    const status = error !== null ? "failed" : isAbsent ? "absent" : "completed";
    this.#finish({ status, files, ...this.#recording.stats(), error });
  }

  /** Opens it when there is something to write. */
  #fileOf(channel: RecordedChannel): OpenFile {
    const open = this.#files.find((each) => each.channel === channel);
    if (open !== undefined) return open;
    const { openFile = openAppendFile } = this.#options;
    const path = recordingFiles(this.#options).find((each) => each.channel === channel)?.path ?? "";
    const file = openFile(path, { onError: (failure) => this.#fail(failure) });
    const opened = { path, channel, file };
    this.#files.push(opened);
    return opened;
  }

  #fail({ code, message }: FileFailure): void {
    this.#failure ??= { code, message: `The recording could not be written: ${message}.` };
    this.#filesFailed += 1;
  }
}

/** The files that a recording writes, if nothing goes wrong. */
export function recordingFiles({
  path,
  channels,
  layout,
}: Pick<CallRecorderOptions, "path" | "channels" | "layout">): readonly Omit<RecordedFile, "bytes">[] {
  if (channels !== "both" || layout !== "files") return [{ path, channel: channels }];
  return (["caller", "business"] as const).map((channel) => ({ path: withChannel(path, channel), channel }));
}

function openAppendFile(path: string, options: AppendFileOptions): RecorderFile {
  return new AppendFile(path, options);
}

/** `call.opus` becomes `call-caller.opus`. */
function withChannel(path: string, channel: RecordedChannel): string {
  const { dir, name, ext } = parse(path);
  return join(dir, `${name}-${channel}${ext}`);
}
