import assert from 'node:assert/strict'
import { ConnectError } from '@tributary/connect-api'
import { link } from '../descriptor/link.ts'
import type { MessageType, Root } from '../model/model.ts'
import { parseProto } from '../descriptor/proto-source.ts'

/** The schema of .proto text. Does not look for files. */
export function schemaOf(text: string): Root {
  return link([parseProto(text, 'test.proto')], 'descriptor')
}

/** The message `M` of proto3 text in package `t`. */
export function messageOf(body: string, head = ''): MessageType {
  return schemaOf(`syntax = "proto3"; package t; ${head} message M { ${body} }`).messages.get('t.M')!
}

/** Bytes from hexadecimal text with spaces anywhere. */
export function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(' ', ''), 'hex')
}

/** The error that `run` throws, which must be a ConnectError. */
export function errorOf(run: () => unknown): ConnectError {
  try {
    run()
  } catch (error) {
    assert.ok(error instanceof ConnectError, `unclassified: ${String(error)}`)
    return error
  }
  throw new assert.AssertionError({ message: 'nothing was thrown' })
}
