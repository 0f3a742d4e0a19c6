import { HarnessError } from '@tributary/harness'
import { LaunchError } from './errors.ts'
import { Launcher } from './launcher.ts'
import { helpText, parseOptions, type LaunchOptions } from './options.ts'
import { Output } from './output.ts'
import { placesFrom } from './places.ts'
import { readServices, type ServiceDefinition } from './services.ts'

/** npm passes a Ctrl-C on that the terminal has sent us already; only a later one means "at once". */
const sameCtrlCMs = 1000

/** `npm start`. Ends the process: 0 after a stop that was asked for, 1 when something could not be started. */
export async function main(args: readonly string[]): Promise<never> {
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
      // Whatever is only being started now has no one to stop it but the harness' watchdog, which our end wakes.
      void stopping.then(() => process.exit(0), fail)
      return
    }
    if (performance.now() - stoppingSince > sameCtrlCMs) void launcher.kill().then(() => process.exit(1), fail)
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop)
  // The terminal, or the reader of a pipe, is gone.
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

/** What the user can put right is a sentence; anything else is our mistake and shows where it happened. */
function tell(error: unknown): void {
  const known = error instanceof LaunchError || error instanceof HarnessError
  console.error(known ? error.message : error)
}
