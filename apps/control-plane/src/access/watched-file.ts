import { ConfigException, readRegularFile } from '@tributary/config'
import type { Logger } from '@tributary/telemetry'
import { stat } from 'node:fs/promises'

export interface WatchedFileOptions<T> {
  /** The setting that names the file. */
  readonly setting: string
  readonly path: string
  /** Throws Error, which says what is wrong. */
  readonly parse: (text: string) => T
  readonly log: Logger
  /** ms, monotonic. */
  readonly now?: () => number
}

/** The time between two looks at a file, in ms. */
const LOOK_MS = 1000

/**
 * The content of a file that is read again when it changes. It is looked at when somebody asks, at most once a second, so
 * an idle service does nothing. The look follows links, as Kubernetes replaces mounted files. A file that is gone, or
 * cannot be read or parsed, is logged, and the content before it goes on to count.
 */
export class WatchedFile<T> {
  readonly #options: WatchedFileOptions<T>
  readonly #now: () => number
  #content: T
  #version: string
  #looked: number
  #look: Promise<void> | null = null

  private constructor(options: WatchedFileOptions<T>, version: string, content: T) {
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
    this.#content = content
    this.#version = version
    this.#looked = this.#now()
  }

  /** Throws ConfigException when the file cannot be read or parsed. */
  static async open<T>(options: WatchedFileOptions<T>): Promise<WatchedFile<T>> {
    const { setting, path, parse } = options
    try {
      const version = await versionOf(path)
      return new WatchedFile(options, version, parse(await text(path)))
    } catch (cause) {
      const message = `Invalid value ${path} for configuration ${setting}: ${(cause as Error).message}`
      throw new ConfigException(message, [{ name: setting, message }], { cause })
    }
  }

  async current(): Promise<T> {
    if (this.#now() - this.#looked >= LOOK_MS) {
      this.#look ??= this.#again().finally(() => (this.#look = null))
      await this.#look
    }
    return this.#content
  }

  async #again(): Promise<void> {
    const { setting, path, parse, log } = this.#options
    this.#looked = this.#now()
    const version = await versionOf(path).catch((error: Error) => error.message)
    if (version === this.#version) return
    this.#version = version
    try {
      this.#content = parse(await text(path))
      log.info('access_file_read', { setting, path })
    } catch (error) {
      const advice = 'the content before it still counts; correct the file'
      log.error('access_file_unreadable', { setting, path, error: (error as Error).message, advice })
    }
  }
}

async function text(path: string): Promise<string> {
  return (await readRegularFile(path)).toString()
}

async function versionOf(path: string): Promise<string> {
  const { ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true })
  return [ino, size, mtimeNs, ctimeNs].join()
}
