import { ConfigException } from '@tributary/config'
import { isIP } from 'node:net'

/** Fastify's `trustProxy` for addresses and networks (`10.0.0.0/8`), separated by commas. Throws ConfigException for others. */
export function proxiesOf(setting: string): string[] | false {
  const networks = setting
    .split(',')
    .map((network) => network.trim())
    .filter((network) => network !== '')
  for (const network of networks) {
    const [address = '', prefix, more] = network.split('/')
    const bits = isIP(address) === 4 ? 32 : isIP(address) === 6 ? 128 : 0
    const isPrefix = prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) > 0 && Number(prefix) <= bits)
    if (bits > 0 && isPrefix && more === undefined) continue
    const message = `Invalid value ${network} for configuration rest.trusted.proxies: it is no address, and no network such as 10.0.0.0/8`
    throw new ConfigException(message, [{ name: 'rest.trusted.proxies', message }])
  }
  return networks.length === 0 ? false : networks
}
