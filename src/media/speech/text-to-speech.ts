/** Speaks texts: a program on this machine, a server, or something of your own. */
export interface TextToSpeech {
  /** Stands in errors and logs. */
  readonly name: string;
  /**
   * Gives the sound of a text as a file: WAV, MP3, FLAC or Ogg Opus. The bytes may be shared with other callers: they are
   * for reading.
   *
   * @throws {RingbackError} `SPEECH_FAILED`, without the text; the signal's reason when it aborts.
   */
  synthesize(request: SpeechRequest): Promise<Uint8Array>;
}

export interface SpeechRequest {
  /** 1 to 4 096 characters, once white space around it is gone. */
  readonly text: string;
  /** Begins with a letter or a digit, has no slash, and at most 100 characters. Default: that of the adapter. */
  readonly voice?: string;
  /** As a voice: a tag such as `pt-BR`. What takes no language ignores it. Default: that of the adapter. */
  readonly language?: string;
  readonly signal?: AbortSignal;
}
