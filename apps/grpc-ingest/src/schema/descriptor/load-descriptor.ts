import { readRegularFile } from '@tributary/config'
import { dirname, join } from 'node:path'
import { errorText } from '../model/errors.ts'
import { decodeFileSet } from './decode-file-proto.ts'
import { descriptorError } from '../model/errors.ts'
import type { FileProto } from '../model/file-proto.ts'
import { link } from './link.ts'
import type { Root } from '../model/model.ts'
import { parseProto } from './proto-source.ts'
import { wellKnownFile } from './bundled-files.ts'

/** Of all files of a descriptor together. */
const MAX_BYTES = 64 * 1024 * 1024
const MAX_IMPORTS = 10_000
/** .proto text must contain the end of a statement or a block; a path or base64 cannot. */
const PROTO_TEXT = /\b(?:syntax|edition|package|import|message|service|enum)\b[^]*[;{]/

/**
 * Loads the schema that `grpc.proto.descriptor` names: the path of a FileDescriptorSet (protoc --descriptor_set_out);
 * the path of a .proto file, whose imports are looked up from its folder and the folders above it; a FileDescriptorSet
 * in base64; or .proto text, which can import the well-known types. The files of a set may be in any order. Throws
 * ConfigError on `grpc.proto.descriptor`, and the signal's reason.
 */
export async function loadDescriptorText(setting: string, signal?: AbortSignal): Promise<Root> {
  const text = setting.trim()
  if (text === '') throw descriptorError('it is empty; leave it out to use server reflection.')
  if (text.length < 4096 && !text.includes('\n') && !text.includes('\0')) {
    const files = new Files(signal)
    const content = await files.read(text)
    if (content) return fromFile(text, content, files)
  }
  if (PROTO_TEXT.test(text))
    return link(await withImports(parseProto(text, 'grpc.proto.descriptor'), [], new Files(signal)), 'descriptor')
  return fromBase64(text)
}

/** Loads a binary FileDescriptorSet. `what` names it in errors. Throws ConfigError on `grpc.proto.descriptor`. */
export function loadDescriptorSet(bytes: Uint8Array, what: string): Root {
  let files: FileProto[]
  try {
    files = decodeFileSet(bytes)
  } catch (error) {
    throw descriptorError(
      `Invalid proto descriptor: ${what} is not a FileDescriptorSet (${errorText(error)}). ` +
        'Make one with protoc --descriptor_set_out=stream.desc --include_imports.',
      error,
    )
  }
  return linkSet(files, what)
}

function linkSet(files: readonly FileProto[], what: string): Root {
  if (files.length === 0) throw descriptorError(`Invalid proto descriptor: ${what} holds no file.`)
  return link(uniqueByName(files), 'descriptor')
}

/** Sets that were joined with cat contain shared imports twice; the first one counts. */
function uniqueByName(files: readonly FileProto[]): FileProto[] {
  const byName = new Map<string, FileProto>()
  for (const file of files) if (!byName.has(file.name)) byName.set(file.name, file)
  return [...byName.values()]
}

async function fromFile(path: string, content: Buffer, files: Files): Promise<Root> {
  if (!path.endsWith('.proto')) return loadDescriptorSet(content, path)
  return link(await withImports(parseProto(content.toString('utf8'), path), foldersAbove(path), files), 'descriptor')
}

function fromBase64(text: string): Root {
  const compact = text.replace(/\s/g, '').replace(/={1,2}$/, '')
  if (!/^[A-Za-z0-9+/]*$/.test(compact) || compact.length % 4 === 1) throw notADescriptor(text, '')
  let files: FileProto[]
  try {
    files = decodeFileSet(Buffer.from(compact, 'base64'))
  } catch (error) {
    // Most paths without a dot consist of letters of base64.
    throw notADescriptor(text, ` Read as base64 it is no FileDescriptorSet (${errorText(error)}).`, error)
  }
  return linkSet(files, 'the base64 data')
}

function notADescriptor(text: string, tried: string, cause?: unknown): Error {
  return descriptorError(
    `Proto descriptor is neither a valid file path nor base64 encoded data. The worker found no file ${shown(text)}.${tried} ` +
      'Give the path of a file made with protoc --descriptor_set_out=stream.desc --include_imports, or that file in base64, or .proto text.',
    cause,
  )
}

function shown(text: string): string {
  return `"${text.length > 60 ? `${text.slice(0, 60)}…` : text}"`
}

/** Reads the files of one descriptor: MAX_BYTES in all. */
class Files {
  readonly #signal: AbortSignal | undefined
  #left = MAX_BYTES

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal
  }

  /** The content of a file; null when no file has that name. */
  async read(path: string): Promise<Buffer | null> {
    try {
      const content = await readRegularFile(path, { maxBytes: this.#left, signal: this.#signal })
      this.#left -= content.length
      return content
    } catch (error) {
      this.#signal?.throwIfAborted()
      const code = (error as NodeJS.ErrnoException).code
      if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG') return null
      throw descriptorError(`Cannot read ${path}: ${errorText(error)}. Let the worker's user read it.`, error)
    }
  }
}

/** Reads the imports of a file, and theirs: from the first folder that has it, else from the bundled files. */
async function withImports(file: FileProto, folders: readonly string[], source: Files): Promise<FileProto[]> {
  const files = new Map([[file.name, file]])
  const wanted = new Set(file.dependency)
  for (const name of wanted) {
    if (wanted.size > MAX_IMPORTS) throw descriptorError(`more than ${MAX_IMPORTS} imports.`)
    const imported = (await importFrom(name, folders, source)) ?? wellKnownFile(name)
    if (!imported) throw missingImport(file.name, name, folders)
    files.set(name, imported)
    imported.dependency.forEach((d) => wanted.add(d))
  }
  return [...files.values()]
}

async function importFrom(name: string, folders: readonly string[], files: Files): Promise<FileProto | null> {
  if (name.split('/').includes('..') || name.startsWith('/')) return null
  for (const folder of folders) {
    const content = await files.read(join(folder, name))
    if (content) return parseProto(content.toString('utf8'), name)
  }
  return null
}

/** The import root of protoc is some folder above the file, so all are tried from the nearest one up. */
function foldersAbove(path: string): string[] {
  const folders: string[] = []
  for (let folder = dirname(path); !folders.includes(folder); folder = dirname(folder)) folders.push(folder)
  return folders
}

function missingImport(file: string, name: string, folders: readonly string[]): Error {
  const where = folders[0] === undefined ? 'text can import only google/protobuf' : `not found beside or above ${file}`
  return descriptorError(
    `Invalid proto descriptor: ${file}: import "${name.slice(0, 200)}": ${where}. ` +
      'Put it there, or build a descriptor with protoc --descriptor_set_out=stream.desc --include_imports.',
  )
}
