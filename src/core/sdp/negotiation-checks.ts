import { isTelephoneEvent } from "./audio-facts.ts";
import { type Check, flawIf, ofAnswer, ofAudio, quote } from "./check.ts";
import { payloadTypesOf } from "./codecs.ts";
import type { DtlsSetup } from "./model.ts";

export function isDtlsSetup(value: string | undefined): value is DtlsSetup {
  return value === "active" || value === "passive" || value === "actpass";
}

export const checkSetupAnswer: Check = ofAudio(({ media, setup, isSdes }, { offer }) => {
  if (isSdes) return [];
  if (setup === null) return [{ line: media.line, message: "There is no a=setup." }];
  const { value, line } = setup;
  if (value !== "active" && value !== "passive") {
    return [
      { line, message: `The answer says a=setup:${isDtlsSetup(value) ? value : "something unknown"}.` },
    ];
  }
  return flawIf(value === offer?.setup?.value, line, `Offer and answer both say a=setup:${value}.`);
});

export const checkSetupOffer: Check = ofAudio(({ media, setup, isSdes }) => {
  if (isSdes) return [];
  if (setup === null) return [{ line: media.line, message: "There is no a=setup." }];
  return flawIf(!isDtlsSetup(setup.value), setup.line, "The offer's a=setup is not actpass.");
});

export const checkSetupPassive: Check = ofAudio(({ setup }, { offer }) => {
  const offered = offer?.setup?.value;
  const isFlaw = setup?.value === "passive" && offered !== "active" && offered !== "passive";
  return flawIf(isFlaw, setup?.line ?? null, "This side waits for the ClientHello.");
});

export const checkTelephoneEventMissing: Check = ofAudio(({ media, codecs }, { offer }) => {
  const isOffered =
    offer === null || offer.codecs.some((codec) => isTelephoneEvent(codec) && codec.clockRateHz === 8_000);
  return flawIf(
    isOffered && !codecs.some(isTelephoneEvent),
    media.line,
    "No payload type is telephone-event/8000.",
  );
});

export const checkPayloadTypesOffered: Check = ofAnswer((audio, offer) => {
  const offered = new Set(payloadTypesOf(offer.media));
  const unknown = payloadTypesOf(audio.media)
    .filter((payloadType) => !offered.has(payloadType))
    .map((payloadType) => ({
      line: audio.media.line,
      message: `Payload type ${payloadType} was not offered.`,
    }));
  const changed = audio.codecs
    .filter(({ payloadType, name, clockRateHz }) => {
      const codec = offer.codecs.find((other) => other.payloadType === payloadType);
      return codec !== undefined && (codec.name !== name || codec.clockRateHz !== clockRateHz);
    })
    .map(({ payloadType, line }) => ({
      line,
      message: `Payload type ${payloadType} was offered as another codec.`,
    }));
  return [...unknown, ...changed];
});

export const checkMidOffered: Check = ofAnswer(({ mid, media }, offer) => {
  if (offer.mid === null || offer.mid.value === "" || mid?.value === offer.mid.value) return [];
  if (mid === null) return [{ line: media.line, message: "There is no a=mid, and the offer has one." }];
  return [
    { line: mid.line, message: `The mid is ${quote(mid.value)}, the offer's is ${quote(offer.mid.value)}.` },
  ];
});

export const checkNotTheOffer: Check = ofAnswer(({ iceUfrag, icePwd }, offer) => {
  const isSame =
    iceUfrag !== null && iceUfrag.value === offer.iceUfrag?.value && icePwd?.value === offer.icePwd?.value;
  return flawIf(isSame, iceUfrag?.line ?? null, "The ICE credentials are the offer's own.");
});
