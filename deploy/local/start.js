// Plain JavaScript, because a Node that is too old for TypeScript runs this file too, and says so.
const major = Number(process.versions.node.split('.')[0])
if (major < 24) {
  console.error(
    `Tributary needs Node 24 or newer and this is Node ${process.versions.node}: run \`npm ci\`, which brings it, and then \`npm start\`.`,
  )
  process.exit(1)
}
const { main } = await import('./main.ts')
await main(process.argv.slice(2))
