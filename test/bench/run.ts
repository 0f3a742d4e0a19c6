/** `npm run bench -- <name>`: grpc, producer, assignment. Prints one JSON line and a table; never run as a test. */
const benches: Readonly<Record<string, () => Promise<unknown>>> = {
  grpc: () => import('./grpc/bench.ts'),
  producer: () => import('./producer.ts'),
}
const name = process.argv[2] ?? ''
const bench = benches[name]
if (!bench) {
  console.error(`usage: npm run bench -- <${Object.keys(benches).join('|')}>`)
  process.exit(1)
}
await bench()
