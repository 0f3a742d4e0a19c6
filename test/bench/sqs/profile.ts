import { Session, type Profiler } from 'node:inspector/promises'

const PARTS = ['sdk', 'node', 'gc', 'own', 'idle'] as const
type Part = (typeof PARTS)[number]

function partOf({ callFrame: { functionName, url } }: Profiler.ProfileNode): Part {
  if (functionName === '(idle)') return 'idle'
  if (functionName === '(garbage collector)') return 'gc'
  if (/node_modules\/@(aws-sdk|smithy|aws-crypto|aws)\//.test(url)) return 'sdk'
  return url.startsWith('file:') ? 'own' : 'node'
}

/**
 * Profiles this thread from now on. The function that it resolves with ends this, and says to what the samples belong in parts of
 * 1: the SDK's own code, Node's (HTTP, sockets, cryptography, JSON called by native code), the collector, this program, and waiting.
 */
export async function startProfile(): Promise<() => Promise<string>> {
  const session = new Session()
  session.connect()
  await session.post('Profiler.enable')
  await session.post('Profiler.start')
  return async () => {
    const { profile } = await session.post('Profiler.stop')
    const sums = new Map<Part, number>(PARTS.map((part) => [part, 0]))
    for (const node of profile.nodes) sums.set(partOf(node), sums.get(partOf(node))! + (node.hitCount ?? 0))
    const all = [...sums.values()].reduce((sum, hits) => sum + hits, 0)
    return PARTS.map((part) => `${part}=${(sums.get(part)! / all).toFixed(3)}`).join(' ')
  }
}
