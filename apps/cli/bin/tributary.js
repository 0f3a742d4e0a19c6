#!/usr/bin/env node
// Plain JavaScript, because a Node that is too old for TypeScript runs this file too, and says so.
const major = Number(process.versions.node.split('.')[0])
if (major < 24) {
  process.stderr.write(
    `tributary needs Node 24 or newer and this is Node ${process.versions.node}: run it as \`npx tributary\`, which takes the Node that \`npm ci\` brings.\n`,
  )
  process.exit(1)
}
const { main } = await import('../src/main.ts')
await main()
