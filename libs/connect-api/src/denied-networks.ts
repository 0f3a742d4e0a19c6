import { ConfigException } from '@tributary/config'
import { BlockList, isIP } from 'node:net'

/** Names that stand for networks. */
const NAMED: Readonly<Record<string, readonly string[]>> = {
  // 0.0.0.0 and :: lead to this machine too.
  loopback: ['127.0.0.0/8', '0.0.0.0/8', '::1', '::'],
  'link-local': ['169.254.0.0/16', 'fe80::/10'],
  // AWS, Azure, Google and OpenStack; containers of ECS and EKS; Azure's agent, Alibaba, Oracle.
  metadata: [
    ...['169.254.169.254', '169.254.170.2', '169.254.170.23', '168.63.129.16', '100.100.100.200', '192.0.0.192'],
    ...['fd00:ec2::254', 'fd00:ec2::23', 'fd20:ce::254'],
  ],
  private: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7'],
}

/** IPv6 networks whose addresses carry one of IPv4, from the given byte on: mapped, compatible, NAT64 (RFC 6052), 6to4 (RFC 3056). */
const CARRIERS: readonly (readonly [network: string, bits: number, byte: number])[] = [
  ['::ffff:0:0', 96, 12],
  ['::', 96, 12],
  ['64:ff9b::', 96, 12],
  ['2002::', 16, 2],
]

/** Networks that sources may not connect to. */
export class DeniedNetworks {
  readonly #networks: readonly (readonly [entry: string, list: BlockList])[]

  /** Takes addresses, networks (`10.0.0.0/8`) and names: loopback, link-local, metadata, private. Throws TypeError with the reason. */
  constructor(entries: readonly string[]) {
    this.#networks = entries.map((entry) => [entry, listOf(entry)])
  }

  /** The entry that denies an IP address; null: none. */
  denies(address: string): string | null {
    const [plain = ''] = address.split('%')
    const carried = isIP(plain) === 6 ? carriedAddress(plain) : null
    const all = carried === null ? [plain] : [plain, carried]
    const found = this.#networks.find(([, list]) => all.some((each) => list.check(each, familyOf(each))))
    return found?.[0] ?? null
  }
}

function listOf(entry: string): BlockList {
  const list = new BlockList()
  for (const text of Object.hasOwn(NAMED, entry) ? NAMED[entry]! : [entry]) {
    const [network = '', bits = String(isIP(network) === 6 ? 128 : 32), ...more] = text.split('/')
    if (
      isIP(network) === 0 ||
      !/^\d{1,3}$/.test(bits) ||
      Number(bits) > (isIP(network) === 6 ? 128 : 32) ||
      more.length > 0
    ) {
      const names = Object.keys(NAMED).join(', ')
      throw new TypeError(`${entry} is no address, no network such as 10.0.0.0/8, and none of ${names}`)
    }
    list.addSubnet(network, Number(bits), familyOf(network))
  }
  return list
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4'
}

/** The IPv4 address within an IPv6 address. */
function carriedAddress(address: string): string | null {
  const carrier = CARRIERS.find(([network, bits]) => {
    const list = new BlockList()
    list.addSubnet(network, bits, 'ipv6')
    return list.check(address, 'ipv6')
  })
  if (carrier === undefined) return null
  return bytesOf(address)
    .slice(carrier[2], carrier[2] + 4)
    .join('.')
}

/** The sixteen bytes of an IPv6 address. */
function bytesOf(address: string): number[] {
  // The URL standard writes every address in one way: eight numbers in hexadecimal, the longest run of zeros as ::.
  const text = new URL(`http://[${address}]`).hostname.slice(1, -1)
  const [head = '', tail] = text.split('::')
  const numbers = (part: string): number[] =>
    part.split(':').flatMap((each) => (each === '' ? [] : [parseInt(each, 16)]))
  const [first, last] = [numbers(head), numbers(tail ?? '')]
  const words = [...first, ...Array<number>(8 - first.length - last.length).fill(0), ...last]
  return words.flatMap((word) => [word >> 8, word & 0xff])
}

/** What `connect.deny.networks` lists; null: nothing. Throws ConfigException. */
export function deniedNetworks(entries: readonly string[]): DeniedNetworks | null {
  try {
    return entries.length === 0 ? null : new DeniedNetworks(entries)
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    const name = 'connect.deny.networks'
    const message = `Invalid value ${entries.join(',')} for configuration ${name}: ${error.message}`
    throw new ConfigException(message, [{ name, message }])
  }
}
