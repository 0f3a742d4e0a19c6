import type { FastifyRequest } from 'fastify'

/**
 * The `Location` of a new connector: absolute, percent-encoded as JAX-RS does it, which leaves `/`, `+`, `&` and
 * anything that looks encoded already (`%25`) as they are.
 */
export function connectorLocation(request: FastifyRequest, connector: string): string {
  const path = encodeURI(connector.toWellFormed())
    .replaceAll('?', '%3F')
    .replaceAll('#', '%23')
    .replace(/%25([0-9a-f]{2})/gi, '%$1')
  return `${request.protocol}://${request.host}/connectors/${path}`
}
