import assert from 'node:assert/strict'
import { ConnectError } from '@tributary/connect-api'
import { link } from '../descriptor/link.ts'
import type { MessageType, Root } from '../model/model.ts'
import { parseProto } from '../descriptor/proto-source.ts'

/** The schema of .proto text, without looking for files. For the tests of this folder. */
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

/** What `run` throws, which must be an error of ours. */
export function errorOf(run: () => unknown): ConnectError {
  try {
    run()
  } catch (error) {
    assert.ok(error instanceof ConnectError, `unclassified: ${String(error)}`)
    return error
  }
  throw new assert.AssertionError({ message: 'nothing was thrown' })
}
