import type { FastifyInstance } from 'fastify'
import { objectOf } from '../http/body.ts'
import { resource } from '../http/resource.ts'
import { restError } from '../http/rest-errors.ts'
import { answers, ref } from '../http/schemas.ts'
import { aboutKey, type ApiKeys, type NewKey } from '../services/api-keys.ts'

/** `/admin/keys…` is ours: the API keys. `keys` is null while they are off. */
export function keyRoutes(app: FastifyInstance, keys: ApiKeys | null): void {
  const present = (): ApiKeys => {
    if (keys === null) throw restError('keysOff')
    return keys
  }

  resource(app, '/admin/keys', {
    GET: {
      right: 'administer',
      schema: { summary: 'API keys, without their secrets', response: answers({ 200: ref('ApiKeys') }, [404]) },
      handler: () => present().list(),
    },

    POST: {
      right: 'administer',
      schema: {
        summary: 'Make an API key',
        description: 'The answer shows the key. It cannot be read again.',
        body: ref('CreateApiKey'),
        response: answers({ 201: ref('NewApiKey') }, [400, 404, 409]),
      },
      handler: async (request, reply) => {
        const wanted = decodeNewKey(request.body)
        if (request.auditWork) request.auditWork.about = aboutKey(wanted)
        const created = await present().create(wanted, request.identity.name)
        return reply.code(201).header('cache-control', 'no-store').send(created)
      },
    },
  })

  resource(app, '/admin/keys/:key', {
    DELETE: {
      right: 'administer',
      schema: {
        summary: 'Revoke an API key',
        description: 'Every replica refuses it within a second or two.',
        response: answers({ 204: null }, [404]),
      },
      handler: async (request, reply) => {
        await present().revoke(request.params['key']!)
        return reply.code(204).send()
      },
    },
  })
}

const FIELDS: readonly string[] = ['name', 'grants', 'expires']

/** `grants` is a text, or a list of texts. */
function decodeNewKey(body: unknown): NewKey {
  const fields = objectOf(body, 'The body')
  for (const field of Object.keys(fields)) if (!FIELDS.includes(field)) throw restError('unknownField', field, FIELDS)
  const { name, grants, expires = null } = fields
  const list: unknown[] = Array.isArray(grants) ? grants : [grants]
  if (typeof name !== 'string') throw restError('keyInvalid', 'the field "name" is missing')
  if (!list.every((grant) => typeof grant === 'string')) {
    throw restError('keyInvalid', 'the field "grants" must be a text such as "viewer", or a list of them')
  }
  if (expires !== null && typeof expires !== 'string') {
    throw restError('keyInvalid', 'the field "expires" must be a text such as "90d" or "2031-01-31"')
  }
  return { name, grants: list.join(), expires }
}
