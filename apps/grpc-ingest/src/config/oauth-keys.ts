import type { Keys, Rule } from '@tributary/config'
import { tlsSettings } from '@tributary/push-source'

const group = 'OAuth'

export const oauthTls = tlsSettings('grpc.oauth', group)

/** Keys for an access token of OAuth 2.0 (RFC 6749), which the calls carry as `authorization` metadata. */
export const oauthKeys = {
  'grpc.oauth.token.url': {
    type: 'string',
    default: null,
    validator: {
      kind: 'url',
      schemes: ['http', 'https'],
      label: 'Token URL',
      userInfo: 'grpc.oauth.client.id and grpc.oauth.client.secret',
    },
    importance: 'low',
    group,
    displayName: 'Token URL',
    width: 'long',
    doc: "Token endpoint of OAuth 2.0. If set, each call carries an access token from there as authorization metadata. The task fetches a new token at the first connect for which less than a minute, or a tenth of a shorter life, remains of the last one, and after the server refused it. The request goes through the proxy of grpc.proxy.url or of the worker's environment.",
    example: 'https://login.example.com/oauth2/token',
  },
  'grpc.oauth.client.id': {
    type: 'string',
    default: null,
    importance: 'low',
    group,
    displayName: 'Client id',
    doc: 'Client id for the token endpoint.',
  },
  'grpc.oauth.client.secret': {
    type: 'password',
    default: null,
    importance: 'low',
    group,
    displayName: 'Client secret',
    doc: 'Client secret for the token endpoint.',
  },
  'grpc.oauth.client.auth': {
    type: 'string',
    default: 'basic',
    validator: { kind: 'oneOf', values: ['basic', 'post'] },
    recommended: ['basic', 'post'],
    importance: 'low',
    group,
    displayName: 'Client authentication',
    doc: 'How the token endpoint gets client id and secret. basic: in the Authorization header. post: in the form.',
  },
  'grpc.oauth.refresh.token': {
    type: 'password',
    default: null,
    importance: 'low',
    group,
    displayName: 'Refresh token',
    doc: 'If set, the task asks with this refresh token, and with its successor if the endpoint sends one, which is kept in memory only. Unset: the task asks with the client credentials.',
  },
  'grpc.oauth.scope': {
    type: 'string',
    default: null,
    importance: 'low',
    group,
    displayName: 'Scope',
    doc: 'Scopes to ask for, with blanks between them.',
  },
  'grpc.oauth.audience': {
    type: 'string',
    default: null,
    importance: 'low',
    group,
    displayName: 'Audience',
    doc: 'Parameter audience of the token request, which some providers need.',
  },
  ...oauthTls.keys,
} as const satisfies Keys

export const oauthRules: readonly Rule[] = [
  ...oauthTls.rules,
  { rule: 'requires', key: 'grpc.oauth.token.url', needs: ['grpc.oauth.client.id'] },
  { rule: 'requires', key: 'grpc.oauth.client.secret', needs: ['grpc.oauth.token.url'] },
  { rule: 'requires', key: 'grpc.oauth.refresh.token', needs: ['grpc.oauth.token.url'] },
]
