import type { FeaturesProto, FileProto, Syntax } from './file-proto.ts'

/** A file's, message's or field's features, all resolved; numbers as in FeaturesProto. */
export type Features = FeaturesProto

const DEFAULTS: Readonly<Record<Syntax, Features>> = {
  proto2: { fieldPresence: 1, enumType: 2, repeatedFieldEncoding: 2, utf8Validation: 3, messageEncoding: 1 },
  proto3: { fieldPresence: 2, enumType: 1, repeatedFieldEncoding: 1, utf8Validation: 2, messageEncoding: 1 },
  // Editions 2023 and later (protobuf's feature settings for editions).
  editions: { fieldPresence: 1, enumType: 1, repeatedFieldEncoding: 1, utf8Validation: 2, messageEncoding: 1 },
}

export function fileFeatures(file: FileProto): Features {
  return inherit(DEFAULTS[file.syntax], file.features)
}

/** What `own` does not say is as in `outer`. */
export function inherit(outer: Features, own: FeaturesProto): Features {
  return {
    fieldPresence: own.fieldPresence || outer.fieldPresence,
    enumType: own.enumType || outer.enumType,
    repeatedFieldEncoding: own.repeatedFieldEncoding || outer.repeatedFieldEncoding,
    utf8Validation: own.utf8Validation || outer.utf8Validation,
    messageEncoding: own.messageEncoding || outer.messageEncoding,
  }
}
