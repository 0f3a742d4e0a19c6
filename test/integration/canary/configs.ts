import { existsSync, readdirSync } from 'node:fs'
import { type ConfigSpecData, validateConfig } from '@tributary/config'
import type { SourcePlugin } from '@tributary/connect-api'
import { newCanary } from './canaries.ts'
import type { EchoServers } from './echo-servers.ts'

export type Config = Readonly<Record<string, string>>

/** How a secret comes into a configuration. */
export const WAYS = ['literal', 'file', 'dir', 'env'] as const
export type Way = (typeof WAYS)[number]

/** A connector with a secret in one of its settings. */
export interface CanaryConfig {
  /** Also the name of the connector, and of the secret in each provider. */
  readonly name: string
  readonly key: string
  readonly way: Way
  readonly canary: string
  readonly config: Config
  /** The secret stands in a setting that is not hidden from its author: the login of a URL. */
  readonly shown: boolean
}

const apps = new URL('../../../apps/', import.meta.url)

/** The apps that have a source, and the sources. A new one is there by itself. */
export async function sources(): Promise<{ readonly app: string; readonly plugin: SourcePlugin }[]> {
  const found = readdirSync(apps).filter((app) => existsSync(new URL(`${app}/src/plugin.ts`, apps)))
  const modules = await Promise.all(
    found.map((app) => import(new URL(`${app}/src/plugin.ts`, apps).href) as Promise<Record<string, SourcePlugin>>),
  )
  return modules.flatMap((module, i) => Object.values(module).map((plugin) => ({ app: found[i]!, plugin })))
}

/** The settings of a spec that hold secrets. Of a family one member. */
export function secretKeys({ keys, prefixes = {} }: ConfigSpecData): string[] {
  const isSecret = (spec: { readonly type?: string; readonly sensitive?: boolean }): boolean =>
    spec.type === 'password' || spec.sensitive === true
  return [
    ...Object.keys(keys).filter((key) => isSecret(keys[key]!)),
    ...Object.keys(prefixes)
      .filter((prefix) => isSecret(prefixes[prefix]!))
      .map((prefix) => `${prefix}x-canary`),
  ]
}

/** Values that contain a secret, for settings of any form. */
const forms = (secret: string, { http }: EchoServers): string[] => [
  secret,
  `Authorization:Bearer ${secret}`,
  `http://canary:${secret}@127.0.0.1:${http}`,
  `http://127.0.0.1:${http}/?token=${secret}`,
  `ScramLoginModule required username="canary" password="${secret}";`,
]

/**
 * A configuration for each secret setting of a source and each way, or for each setting one way; each with a server that refuses. Then
 * one for a server whose certificate nobody trusts, and one for a server that sends.
 */
export function canaryConfigs(
  plugin: SourcePlugin,
  servers: EchoServers,
  places: Places,
  all: boolean,
): CanaryConfig[] {
  const { spec } = plugin.connector
  const short = plugin.metricPrefix ?? 'source'
  const logins = loginKeys(spec)
  const canaryConfig = (name: string, key: string, way: Way, more: Config = {}): CanaryConfig => {
    const canary = newCanary()
    const literal = configOf(plugin, key, canary, servers)
    const given = way === 'literal' ? canary : places.reference(way, name)
    const config = { ...literal, [key]: literal[key]!.replace(canary, given), ...more }
    return { name, key, way, canary, config, shown: way === 'literal' && logins.includes(key) }
  }
  const refused = [...secretKeys(spec), ...logins].flatMap((key, i) => {
    const ways = all ? WAYS : [WAYS[(i + short.length) % WAYS.length]!]
    return ways.map((way) => canaryConfig(`${short}-${key.replaceAll(/\W/g, '-')}-${way}`, key, way))
  })
  const others = Object.entries(otherServers(plugin.class, servers))
  return [...refused, ...others.map(([kind, { key, more }]) => canaryConfig(`${short}-${kind}`, key, 'file', more))]
}

/** Settings that are URLs may have a login, or a reference anywhere. */
function loginKeys({ keys }: ConfigSpecData): string[] {
  return Object.keys(keys).filter((key) => keys[key]!.validator?.kind === 'url' && keys[key]!.sensitive !== true)
}

function configOf(plugin: SourcePlugin, key: string, secret: string, servers: EchoServers): Config {
  const { spec } = plugin.connector
  const base = { ...required(spec), ...known(plugin.class, servers), 'connector.class': plugin.class }
  const full = { ...base, ...companions(spec, key, servers) }
  const isAccepted = (form: string): boolean => {
    const { values } = validateConfig(spec, { ...full, [key]: form })
    return values.find(({ name }) => name === key)?.errors.length === 0
  }
  const value = forms(secret, servers)
    .flatMap((form) => [form, form.replace(/^http/, 'ws')])
    .find(isAccepted)
  // Otherwise the server's refusal, which repeats the message, would be data of the feed.
  const refusal = key === 'websocket.auth.message' ? { 'websocket.auth.refuse.match': 'event == error' } : {}
  return { ...full, ...refusal, [key]: value ?? secret }
}

/** What a configuration must have, from the examples of the spec. */
function required({ keys }: ConfigSpecData): Config {
  const found = Object.entries(keys).filter(([, spec]) => spec.default === undefined)
  return Object.fromEntries(found.map(([key, { example }]) => [key, example ?? 'canary']))
}

/** What the setting needs beside it, by the rules of the spec. */
function companions(
  spec: ConfigSpecData,
  key: string,
  servers: EchoServers,
  more: Record<string, string> = {},
): Config {
  const { rules = [], keys } = spec
  for (const rule of rules) {
    if (rule.rule !== 'requires' || rule.key !== key) continue
    for (const need of rule.needs) {
      if (Object.hasOwn(more, need)) continue
      const isUrl = need.endsWith('.url')
      more[need] = isUrl ? `http://127.0.0.1:${servers.http}/${need.includes('oauth') ? 'token' : ''}` : (keys[need]?.example ?? 'sequence') // prettier-ignore
      companions(spec, need, servers, more)
    }
  }
  return more
}

const PROTO =
  'syntax = "proto3"; package canary; service Feed { rpc Read(In) returns (stream Out); } message In {} message Out { string text = 1; }'

/** How the sources reach servers that do not refuse with an echo, with a secret in `key`. */
function otherServers(className: string, { http, https }: EchoServers): Record<string, { key: string; more: Config }> {
  switch (className.split('.').at(-1)) {
    case 'WebSocketSourceConnector':
      return {
        untrusted: { key: 'websocket.auth.token', more: { 'websocket.url': `wss://127.0.0.1:${https}/feed` } },
        handshake: { key: 'websocket.auth.token', more: { 'websocket.url': `ws://127.0.0.1:${http}/feed` } },
        sends: { key: 'websocket.auth.token', more: { 'websocket.url': `ws://127.0.0.1:${http}/sends` } },
      }
    case 'SseSourceConnector':
      return {
        untrusted: { key: 'sse.auth.token', more: { 'sse.url': `https://127.0.0.1:${https}/events` } },
        sends: { key: 'sse.auth.token', more: { 'sse.url': `http://127.0.0.1:${http}/sends` } },
      }
    case 'GrpcSourceConnector':
      return {
        untrusted: { key: 'grpc.metadata', more: { 'grpc.server.port': String(https), 'grpc.tls.enabled': 'true' } },
        reflection: { key: 'grpc.metadata', more: { 'grpc.proto.descriptor': '' } },
      }
    case 'SqsSourceConnector':
      return {
        untrusted: { key: 'aws.session.token', more: { 'aws.endpoint.override': `https://127.0.0.1:${https}` } },
      }
    default:
      return {}
  }
}

/** How the sources reach the servers. A source that is not here gets the examples of its spec. */
function known(className: string, { http, grpc }: EchoServers): Config {
  const reconnect = (prefix: string): Config => ({ [`${prefix}.reconnect.interval.ms`]: '100' })
  switch (className.split('.').at(-1)) {
    case 'WebSocketSourceConnector':
      // `/session` takes the handshake, and refuses the message that follows.
      return {
        'websocket.url': `ws://127.0.0.1:${http}/session`,
        'tasks.max': '2',
        ...reconnect('websocket'),
      }
    case 'SseSourceConnector':
      return { 'sse.url': `http://127.0.0.1:${http}/events`, ...reconnect('sse') }
    case 'GrpcSourceConnector':
      return {
        'grpc.server.host': '127.0.0.1',
        'grpc.server.port': String(grpc),
        'grpc.service.name': 'canary.Feed',
        'grpc.method.name': 'Read',
        'grpc.proto.descriptor': PROTO,
        ...reconnect('grpc'),
      }
    case 'SqsSourceConnector':
      return {
        'sqs.queue.url': `http://127.0.0.1:${http}/000000000000/canary`,
        'aws.endpoint.override': `http://127.0.0.1:${http}`,
        'aws.region': 'eu-west-1',
        'aws.access.key.id': 'AKIAIOSFODNN7EXAMPLE',
        'aws.secret.access.key': 'no-canary',
      }
    default:
      return {}
  }
}

/** The folders of the providers. */
export interface Places {
  reference(way: Way, name: string): string
}
