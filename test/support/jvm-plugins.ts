import { execFile } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { javaClassPath, temporaryFolder } from '@tributary/harness'

const run = promisify(execFile)
const root = new URL('../../', import.meta.url).pathname

/** Compiles connectors of test/fixtures/jvm-websocket-source for Kafka Connect. Returns a `plugin.path`. */
export async function jvmWebSocketSource(): Promise<string> {
  const jars = await javaClassPath(join(root, 'libs/harness/maven/kafka-3.9.1.xml'), 'Kafka')
  const path = temporaryFolder('jvm-plugins')
  const classes = join(path, 'websocket')
  mkdirSync(classes)
  const file = 'test/fixtures/jvm-websocket-source/io/conduktor/connect/websocket/WebSocketSourceConnector.java'
  await run('javac', ['-cp', jars, '-d', classes, join(root, file)])
  return path
}
