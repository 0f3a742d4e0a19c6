import { setTarget, textTarget } from './descriptor.fuzz.ts'
import { Random } from './random.ts'
import { loadDescriptorSet, loadDescriptorText } from '@tributary/grpc-ingest/schema'
const c = new Map<string, number>()
for (let i = 0; i < 1500; i++) {
  const b = setTarget().generate(new Random(i))
  let m = 'ok'
  try {
    loadDescriptorSet(b, 'input')
  } catch (e) {
    m = (e as Error).message
      .replace(/^Failed to load proto descriptor: Invalid proto descriptor: /, '')
      .replace(/"[^"]*"/g, 'Q')
      .replace(/^[\w.]+:/, 'X:')
      .slice(0, 90)
  }
  c.set(m, (c.get(m) ?? 0) + 1)
}
console.log([...c].sort((a, b) => b[1] - a[1]).slice(0, 25))
c.clear()
for (let i = 0; i < 1500; i++) {
  const b = textTarget.generate(new Random(i))
  let m = 'ok'
  try {
    await loadDescriptorText(b + '\n;')
  } catch (e) {
    m = (e as Error).message
      .replace(/^Failed to load proto descriptor: Invalid proto descriptor: /, '')
      .replace(/'[^']*'/g, 'Q')
      .replace(/"[^"]*"/g, 'Q')
      .replace(/\d+/g, 'N')
      .slice(0, 90)
  }
  c.set(m, (c.get(m) ?? 0) + 1)
}
console.log([...c].sort((a, b) => b[1] - a[1]).slice(0, 25))
