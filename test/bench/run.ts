/** `npm run bench -- <name>`: prints tables of Markdown, and each measurement as a line of JSON. No test runs it. */
const benches: Readonly<Record<string, () => Promise<unknown>>> = {
  grpc: () => streams('grpc'),
  ws: () => streams('ws'),
  sqs: () => import('./sqs/bench.ts'),
  scale: () => import('./scale/bench.ts'),
  memory: () => import('./memory/bench.ts'),
  connect: () => import('./connect/bench.ts'),
  transforms: () => import('./records/transforms.ts'),
  converters: () => import('./records/converters.ts'),
  tail: () => import('./records/tail.ts'),
  producer: () => import('./producer.ts'),
  assignment: () => import('./assignment.ts'),
  'grpc-js': () => import('./grpc/grpc-js-loss.ts'),
  protobuf: () => import('./protobuf.ts'),
  'dead-letters': () => import('./dead-letters/bench.ts'),
  rest: () => import('./control-plane/rest.ts'),
  'control-plane': () => import('./control-plane/bench.ts'),
}

async function streams(name: 'grpc' | 'ws'): Promise<void> {
  const [{ benchStreams }, { protocols }] = await Promise.all([
    import('./streams/bench.ts'),
    import('./streams/protocols.ts'),
  ])
  await benchStreams(protocols[name])
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
