import type {
  AnswerStep,
  DialStep,
  DialTarget,
  DtmfStep,
  FlowCondition,
  FlowDocument,
  FlowSource,
  FlowStep,
  FlowTagValue,
  FlowTarget,
  FlowTone,
  GatherStep,
  HangupStep,
  PauseStep,
  PlayStep,
  RecordStep,
  RedirectStep,
  RejectStep,
  SayStep,
  StreamStep,
  TagStep,
  ToneStep,
} from "./types.ts";

/** As in a document, and steps may be another builder's. */
export type FlowBuilderTarget = FlowTarget | FlowBuilder;

/** What a step may have beside its own: everything but its verb, and `on` with builders in it. */
type OptionsOf<S extends FlowStep, Given extends string = never> = Omit<S, "verb" | "on" | Given> & {
  readonly id?: string;
  readonly when?: FlowCondition;
  readonly on?: { readonly [K in keyof NonNullable<S["on"]>]?: FlowBuilderTarget };
};

/** Begins a flow: `flow().answer().play("welcome.mp3").hangup()`. */
export function flow(): FlowBuilder {
  return new FlowBuilder();
}

/**
 * Writes a flow document in TypeScript: one method for each verb, with the fields that the document has. Each adds a step
 * and returns the same builder. What comes out is checked where it is run, or by `checkFlow`.
 */
export class FlowBuilder {
  readonly #steps: FlowStep[] = [];

  answer(options: OptionsOf<AnswerStep> = {}): this {
    return this.#add("answer", options);
  }

  reject(options: OptionsOf<RejectStep> = {}): this {
    return this.#add("reject", options);
  }

  play(source: FlowSource, options: OptionsOf<PlayStep, "source"> = {}): this {
    return this.#add("play", { source, ...options });
  }

  say(text: string, options: OptionsOf<SayStep, "text"> = {}): this {
    return this.#add("say", { text, ...options });
  }

  gather(options: OptionsOf<GatherStep>): this {
    return this.#add("gather", options);
  }

  record(options: OptionsOf<RecordStep>): this {
    return this.#add("record", options);
  }

  pause(durationMs: number, options: OptionsOf<PauseStep, "durationMs"> = {}): this {
    return this.#add("pause", { durationMs, ...options });
  }

  tone(tone: FlowTone, options: OptionsOf<ToneStep, keyof FlowTone> = {}): this {
    return this.#add("tone", { ...tone, ...options });
  }

  dtmf(digits: string, options: OptionsOf<DtmfStep, "digits"> = {}): this {
    return this.#add("dtmf", { digits, ...options });
  }

  redirect(url: string, options: OptionsOf<RedirectStep, "url"> = {}): this {
    return this.#add("redirect", { url, ...options });
  }

  dial(targets: readonly DialTarget[], options: OptionsOf<DialStep, "targets"> = {}): this {
    return this.#add("dial", { targets, ...options });
  }

  stream(url: string, options: OptionsOf<StreamStep, "url"> = {}): this {
    return this.#add("stream", { url, ...options });
  }

  tag(tags: Readonly<Record<string, FlowTagValue>>, options: OptionsOf<TagStep, "tags"> = {}): this {
    return this.#add("tag", { tags, ...options });
  }

  hangup(options: OptionsOf<HangupStep> = {}): this {
    return this.#add("hangup", options);
  }

  /** The document; `JSON.stringify` of a builder has it, too. */
  toJSON(): FlowDocument {
    return { version: 1, steps: [...this.#steps] };
  }

  #add(verb: FlowStep["verb"], given: object): this {
    const { on, ...fields } = given as { readonly on?: Readonly<Record<string, FlowBuilderTarget>> };
    const branches = on === undefined ? {} : { on: withoutBuilders(on) };
    // The methods' types say what fields a verb has; the checker looks at what programs without types give.
    this.#steps.push({ verb, ...fields, ...branches } as FlowStep);
    return this;
  }
}

function withoutBuilders(
  on: Readonly<Record<string, FlowBuilderTarget>>,
): Readonly<Record<string, FlowTarget>> {
  const plain = ([outcome, target]: readonly [string, FlowBuilderTarget]): readonly [string, FlowTarget] => [
    outcome,
    target instanceof FlowBuilder ? target.toJSON().steps : target,
  ];
  return Object.fromEntries(Object.entries(on).map(plain));
}
