import { runKeysCommand } from './command.ts'

process.exitCode = await runKeysCommand({
  args: process.argv.slice(3),
  env: process.env,
  stdin: process.stdin,
  out: (text) => void process.stdout.write(text),
  error: (text) => void process.stderr.write(text),
})
