import { text } from 'node:stream/consumers'
import type { Streams } from './output.ts'
import { CliError, EXIT } from './cli-error.ts'

/** A process's standard input, or a test's. */
export type Input = NodeJS.ReadableStream & {
  readonly isTTY?: boolean
  setRawMode?(raw: boolean): unknown
}

interface Asked extends Streams {
  readonly stdin: Input
}

/** Asks at the terminal, on stderr, so that stdout holds results alone. */
export async function confirmed(io: Asked, question: string): Promise<boolean> {
  return /^y(es)?$/i.test((await ask(io, question, true)).trim())
}

/** A line that is not shown while it is typed. Where no terminal is, the first line of stdin. */
export async function askSecret(io: Asked, question: string): Promise<string> {
  if (io.stdin.isTTY !== true) return (await text(io.stdin)).split(/\r?\n/, 1)[0]!
  return ask(io, question, false)
}

function ask({ stdin, stderr }: Asked, question: string, echo: boolean): Promise<string> {
  stderr.write(question)
  return new Promise((resolve, reject) => {
    let line = ''
    const end = (): void => {
      stdin.off('data', typed)
      stdin.setRawMode?.(false)
      stdin.pause()
      stderr.write('\n')
    }
    const typed = (chunk: Buffer | string): void => {
      for (const character of String(chunk)) {
        if (character === '\r' || character === '\n' || character === '\x04') {
          end()
          return resolve(line)
        }
        if (character === '\x03') {
          end()
          return reject(new CliError(EXIT.failed, 'Nothing was changed.'))
        }
        if (character === '\x7f' || character === '\b') {
          if (echo && line !== '') stderr.write('\b \b')
          line = line.slice(0, -1)
        } else if (character >= ' ') {
          line += character
          if (echo) stderr.write(character)
        }
      }
    }
    stdin.setRawMode?.(true)
    stdin.on('data', typed)
    stdin.resume()
  })
}
