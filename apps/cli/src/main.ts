import { Command } from 'commander'
import { stringify } from 'yaml'

const program = new Command('tributary').description('The command line of Tributary.')
program
  .command('version')
  .description('Print the version')
  .action(() => void process.stdout.write(stringify({ tributary: '0.1.0' })))
await program.parseAsync()
