import type { ConfigError } from '@tributary/connect-api'
import { decodeFile } from './decode-file-proto.ts'
import { descriptorError, errorText } from '../model/errors.ts'
import type { FileProto } from '../model/file-proto.ts'
import { link, withFiles } from './link.ts'
import type { Root } from '../model/model.ts'
import { listed } from '../model/resolve-method.ts'
import { WireReader } from '../wire/wire.ts'
import { WireWriter } from '../wire/wire-writer.ts'
import { wellKnownFile } from './bundled-files.ts'
import { grpcErrors } from '../../errors.ts'

/**
 * Calls a method of the server with one request and resolves to its first response. Rejects with an error that carries
 * the name of the gRPC `status` (`local`: no gRPC server sent it), or with the error of the connection.
 */
export type Ask = (path: string, request: Uint8Array) => Promise<Uint8Array>

const LEN_TAG = 2
const MAX_FILES = 10_000
/** Fields of ServerReflectionRequest (grpc/reflection/v1/reflection.proto; v1alpha has the same). */
const FILE_BY_FILENAME = 3
const FILE_CONTAINING_SYMBOL = 4
const LIST_SERVICES = 7

/**
 * Asks a server for the schema of one of its services: first server reflection v1, then v1alpha; the file of the
 * service, then all its imports. Each question is a call of its own, which the protocol allows, so no conversation is
 * kept.
 *
 * Throws ConfigError on `grpc.proto.descriptor` when the server has no reflection, and on `grpc.service.name` when it
 * does not know the service. Any other rejection is that of `ask`.
 */
export async function reflectSchema(ask: Ask, service: string): Promise<Root> {
  const root = await eachVersion(ask, async (question) => {
    const found = await filesOf(question, service, [])
    if (typeof found === 'string') throw await unknownService(question, service, found)
    return link(found, 'reflection')
  })
  if (root) return root
  throw grpcErrors.GRPC_REFLECTION(
    'The server offers no reflection (v1 or v1alpha), so its messages are unknown. Set grpc.proto.descriptor to the path ' +
      'of a descriptor made with protoc --descriptor_set_out=stream.desc --include_imports, or switch reflection on in the server.',
    { field: 'grpc.proto.descriptor' },
  )
}

/**
 * Asks a server for the file of one more message type, and returns the schema with that file and its imports. Null: the
 * server does not know the type, or has no reflection. Throws ConfigError when the files do not fit the schema, and any
 * rejection of `ask`.
 */
export async function reflectType(ask: Ask, root: Root, typeName: string): Promise<Root | null> {
  return eachVersion(ask, async (question) => {
    const found = await filesOf(question, typeName, root.files)
    if (typeof found === 'string') return null
    const more = withFiles(root, found)
    return more.messages.has(typeName) ? more : null
  })
}

/** The first result of a version of reflection that the server has; null when it has none. */
async function eachVersion<T>(ask: Ask, run: (question: Question) => Promise<T>): Promise<T | null> {
  for (const version of ['v1', 'v1alpha']) {
    const path = `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`
    try {
      return await run(async (field, text) =>
        decodeSent(
          decodeAnswer,
          await ask(path, new WireWriter().tag(field, LEN_TAG).chunk(Buffer.from(text)).finish()),
        ),
      )
    } catch (error) {
      const { status, local } = error as { status?: unknown; local?: unknown }
      if (status !== 'UNIMPLEMENTED' || local === true) throw error
    }
  }
  return null
}

type Question = (field: number, text: string) => Promise<Answer>

/**
 * The file that declares a symbol, and its imports, breadth first, without those in `known`. Files that the server lacks
 * are left out. The server's words when it does not know the symbol.
 */
async function filesOf(question: Question, symbol: string, known: readonly FileProto[]): Promise<FileProto[] | string> {
  const files = new Map<string, FileProto>()
  const add = (answer: Answer): void => {
    for (const bytes of answer.files) {
      const file = decodeSent(decodeFile, bytes)
      if (!files.has(file.name)) files.set(file.name, file)
    }
  }
  const first = await question(FILE_CONTAINING_SYMBOL, symbol)
  if (first.error !== null) return first.error
  add(first)
  const asked = new Set(known.map((file) => file.name))
  for (const file of files.values()) {
    for (const name of file.dependency) {
      if (files.has(name) || asked.has(name)) continue
      if (asked.size >= MAX_FILES) throw grpcErrors.GRPC_REFLECTION_CALL(`more than ${MAX_FILES} imports`)
      asked.add(name)
      // A server may lack files that only contain options. `link` reports missing files that matter.
      const answer = wellKnownFile(name) ? null : await question(FILE_BY_FILENAME, name)
      if (answer?.error === null) add(answer)
    }
  }
  return [...files.values()]
}

/** Runs a decoder over bytes that the server sent. */
function decodeSent<T>(decode: (bytes: Uint8Array) => T, bytes: Uint8Array): T {
  try {
    return decode(bytes)
  } catch (error) {
    throw descriptorError(
      `Invalid proto descriptor: the server's reflection sent what is none (${errorText(error)}).`,
      error,
    )
  }
}

async function unknownService(question: Question, service: string, why: string): Promise<ConfigError> {
  const answer = await question(LIST_SERVICES, '')
  return grpcErrors.GRPC_SERVICE_UNKNOWN(
    `Service not found on the server: ${service} (${why}). ${listed('It offers', answer.services)}`,
    { field: 'grpc.service.name' },
  )
}

interface Answer {
  readonly files: readonly Uint8Array[]
  readonly services: readonly string[]
  /** null: none */
  readonly error: string | null
}

/** ServerReflectionResponse: 4 file_descriptor_response, 6 list_services_response, 7 error_response. */
function decodeAnswer(message: Uint8Array): Answer {
  const files: Uint8Array[] = []
  const services: string[] = []
  let error: string | null = null
  eachChunk(message, (number, chunk) => {
    if (number === 4) eachChunk(chunk, (n, file) => void (n === 1 && files.push(file)))
    if (number === 6) {
      eachChunk(chunk, (n, service) => {
        if (n === 1) eachChunk(service, (m, name) => void (m === 1 && services.push(Buffer.from(name).toString())))
      })
    }
    if (number === 7) {
      error = 'no text'
      eachChunk(chunk, (n, text) => void (n === 2 && (error = Buffer.from(text).toString())))
    }
  })
  return { files, services, error }
}

function eachChunk(bytes: Uint8Array, visit: (number: number, chunk: Uint8Array) => void): void {
  const reader = new WireReader(bytes)
  while (reader.more) {
    const tag = reader.tag()
    if ((tag & 7) === LEN_TAG) visit(tag >>> 3, reader.view())
    else reader.skip(tag)
  }
}
