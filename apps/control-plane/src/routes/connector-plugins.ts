import { closeSignal } from '@tributary/async'
import type { PluginEntry, PluginStore } from '@tributary/connect-storage'
import type { FastifyInstance } from 'fastify'
import { decodeConfig } from '../http/body.ts'
import { queryValue, resource } from '../http/resource.ts'
import { restError } from '../http/rest-errors.ts'
import { answers, query, ref } from '../http/schemas.ts'
import type { ConfigSecrets } from '../services/config-secrets.ts'
import { type ConfigValidator, isConnector } from '../services/config-validator.ts'
import type { ConnectorViews } from '../services/connector-views.ts'

/** `/connector-plugins…`: the plugins that workers have published. */
export function connectorPluginRoutes(
  app: FastifyInstance,
  plugins: PluginStore,
  validator: ConfigValidator,
  views: ConnectorViews,
  secrets: ConfigSecrets,
): void {
  resource(app, '/connector-plugins', {
    GET: {
      right: 'view',
      schema: {
        summary: 'Plugins that workers have published',
        querystring: query({ connectorsOnly: 'true (default); anything else: converters and other plugins too' }),
        response: answers({ 200: ref('Plugins') }),
      },
      handler: (request) => {
        const flag = queryValue(request, 'connectorsOnly')?.trim() || 'true'
        const all = plugins.plugins()
        return listed(flag.toLowerCase() === 'true' ? all.filter(isConnector) : all)
      },
    },
  })

  resource(app, '/connector-plugins/:plugin/config', {
    GET: {
      right: 'view',
      schema: {
        summary: 'Settings of a plugin',
        description: "By its class, simple name, or that without Connector: its own settings, then the framework's.",
        response: answers({ 200: ref('ConfigDefinitions') }, [404]),
      },
      handler: (request) => {
        const name = request.params['plugin']!
        const plugin = plugins.find(name)
        if (plugin === null) throw restError('unknownPlugin', name)
        return validator.describe(plugin)
      },
    },
  })

  resource(app, '/connector-plugins/:plugin/config/validate', {
    PUT: {
      right: 'alter',
      connectorOf: (request) => decodeConfig(request.body)['name'] ?? null,
      readOnly: true,
      schema: {
        summary: 'Judge a configuration, and keep nothing',
        body: ref('SentConfig'),
        response: answers({ 200: ref('ConfigInfos') }, [400]),
      },
      handler: async (request, reply) => {
        const name = request.params['plugin']!
        const config = decodeConfig(request.body)
        const included = config['connector.class']
        // Connect compares names as text. It refuses an alias in the path with the full class in the body, and so do
        // we.
        if (typeof included === 'string' && !shortened(included).endsWith(shortened(name))) {
          throw restError('pluginMismatch', included, name)
        }
        // Only a worker resolves references and reaches the network, so who validates needs the right to alter.
        const { identity } = request
        const connector = config['name'] ?? ''
        const stored = views.has(connector) ? views.config(connector) : null
        const settled = secrets.settle(identity, connector, stored, config)
        const infos = await secrets.hiding(identity, connector, stored, () =>
          validator.validate(settled, closeSignal(reply.raw)),
        )
        return secrets.infos(identity, connector, stored, infos)
      },
    },
  })
}

const TYPES: readonly PluginEntry['type'][] = [
  'sink',
  'source',
  'transformation',
  'predicate',
  'converter',
  'header_converter',
]

/**
 * Sorted by type in Connect's order, then by name. An alias is listed like a class of its own, because old
 * configurations use it.
 */
function listed(plugins: readonly PluginEntry[]): { class: string; type: string; version: string }[] {
  return plugins
    .flatMap((plugin) =>
      [plugin.class, ...plugin.aliases].map((name) => ({ class: name, type: plugin.type, version: plugin.version })),
    )
    .sort((a, b) => TYPES.indexOf(a.type) - TYPES.indexOf(b.type) || (a.class < b.class ? -1 : 1))
}

export function shortened(name: string): string {
  return name.length > 'Connector'.length && name.endsWith('Connector') ? name.slice(0, -'Connector'.length) : name
}
