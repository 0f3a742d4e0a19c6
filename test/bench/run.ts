/** `npm run bench -- <name>`: grpc, ws, producer, assignment, grpc-js, protobuf, control-plane. Prints one JSON line and a table; never run as a test. */
const benches: Readonly<Record<string, () => Promise<unknown>>> = {
  grpc: () => import('./grpc/bench.ts'),
  ws: () => import('./ws/bench.ts'),
  producer: () => import('./producer.ts'),
  assignment: () => import('./assignment.ts'),
  'grpc-js': () => import('./grpc/grpc-js-loss.ts'),
  protobuf: () => import('./protobuf.ts'),
  'control-plane': () => import('./control-plane/bench.ts'),
}
const name = process.argv[2] ?? ''
const bench = benches[name]
if (!bench) {
  console.error(`usage: npm run bench -- <${Object.keys(benches).join('|')}>`)
  process.exit(1)
}
// A benchmark finds its own arguments where it would find them when it is run by itself.
process.argv.splice(2, 1)
await bench()
