import { HarnessError } from '@tributary/harness'
import { LaunchError } from './errors.ts'
import { Launcher } from './launcher.ts'
import { helpText, parseOptions, type LaunchOptions } from './options.ts'
import { Output } from './output.ts'
import { placesFrom } from './places.ts'
import { readServices, type ServiceDefinition } from './services.ts'

/** npm repeats a Ctrl-C that the terminal has sent already. Only a Ctrl-C after this time means "at once". */
const sameCtrlCMs = 1000

/** `npm start`. Ends the process with 0 after a stop that the user asked for, with 1 when something could not be started. */
export async function main(args: readonly string[]): Promise<never> {
  // Of what it writes, and of what its processes write.
  process.umask(0o077)
  const { services, options } = read(args)
  if (options.help) {
    process.stdout.write(helpText(services))
    process.exit(0)
  }
  const output = new Output(process.stdout)
  const launcher = new Launcher(options, placesFrom(process.env), output)

  let stopping: Promise<void> | undefined
  let stoppingSince = 0
  const stop = (): void => {
    if (stopping === undefined) {
      stoppingSince = performance.now()
      stopping = launcher.stop()
      // Nobody stops a process that is just being started. The harness' watchdog ends it when this process ends.
      void stopping.then(() => process.exit(0), fail)
      return
    }
    if (performance.now() - stoppingSince > sameCtrlCMs) void launcher.kill().then(() => process.exit(1), fail)
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop)
  // The terminal or the reader of the pipe is gone.
  process.stdout.on('error', stop)

  try {
    await launcher.run()
  } catch (error) {
    if (stopping === undefined) {
      output.endLive()
      tell(error)
      await launcher.stop()
      process.exit(1)
    }
  }
  await stopping
  process.exit(0)
}

function read(args: readonly string[]): { services: readonly ServiceDefinition[]; options: LaunchOptions } {
  try {
    const services = readServices()
    return { services, options: parseOptions(args, services) }
  } catch (error) {
    return fail(error)
  }
}

function fail(error: unknown): never {
  tell(error)
  process.exit(1)
}

/** Prints one sentence for what the user can put right. Anything else is a bug, and is printed with its stack. */
function tell(error: unknown): void {
  const known = error instanceof LaunchError || error instanceof HarnessError
  console.error(known ? error.message : error)
}
