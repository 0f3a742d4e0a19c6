import { setTimeout as sleep } from 'node:timers/promises'
import { startChild, type ChildOptions, type Exit } from './child.ts'
import { HarnessError } from './errors.ts'

export interface HttpServerOptions extends ChildOptions {
  /** The server's name for messages: `ElasticMQ`. */
  readonly what: string
  /** A URL that answers 200 to GET once the server is ready. */
  readonly readyUrl: string
  /** Default: 60,000. */
  readonly timeoutMs?: number
}

/** A server at a free port of the loopback address, in a process of its own. */
export interface HttpServer {
  /** `http://127.0.0.1:port` */
  readonly url: string
  readonly logFile: string
  readonly pid: number
  /** Resolves when the process has ended, for whatever reason. */
  readonly exited: Promise<Exit>
  /** kill -9. Resolves when the process is gone. */
  kill(): Promise<void>
  /** Lets this process end while the server runs. The server ends then, too. */
  unref(): void
  /** Resolves when the process is gone. */
  stop(): Promise<void>
}

/** Starts a server that speaks HTTP. Resolves when it answers. Throws HarnessError when it ends before, or not in time. */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { what, readyUrl, timeoutMs = 60_000, logFile } = options
  const child = await startChild(options)
  const deadline = Date.now() + timeoutMs
  while (!(await answers(readyUrl))) {
    if (child.exit !== undefined) {
      throw new HarnessError(`${what} ended while it started (exit code ${child.exit.code}); its log is ${logFile}.`)
    }
    if (Date.now() > deadline) {
      await child.kill()
      throw new HarnessError(`${what} did not answer within ${timeoutMs / 1000} s; its log is ${logFile}.`)
    }
    await sleep(50)
  }
  return {
    url: new URL(readyUrl).origin,
    logFile,
    pid: child.pid,
    exited: child.exited,
    kill: () => child.kill(),
    unref: () => child.unref(),
    stop: () => child.stop(),
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(5000) })).ok
  } catch {
    return false // not listening yet
  }
}
