import type { Keys, Rule } from '@tributary/config'

const group = 'Heartbeat'

/** How it is known that the server is still there, and that we are. */
export const heartbeatKeys = {
  'websocket.ping.interval.ms': {
    type: 'long',
    default: 30_000,
    validator: { kind: 'range', min: 0 },
    importance: 'low',
    group,
    displayName: 'Ping interval',
    stripComment: true,
    doc: "A ping of the protocol is sent this often, in ms; 0: none. The server's own pings are always answered.",
  },
  'websocket.pong.timeout.ms': {
    type: 'long',
    default: 10_000,
    validator: { kind: 'range', min: 1 },
    importance: 'low',
    group,
    displayName: 'Pong timeout',
    stripComment: true,
    doc: 'A connection that brings nothing at all for this long after a ping, in ms, is made again.',
  },
  'websocket.heartbeat.message': {
    type: 'string',
    default: null,
    importance: 'medium',
    group,
    displayName: 'Heartbeat message',
    doc: 'Template of a text frame that is sent each websocket.heartbeat.interval.ms, for servers that want a message of their own as a sign of life.',
    example: '{"op":"ping"}',
  },
  'websocket.heartbeat.interval.ms': {
    type: 'long',
    default: 20_000,
    validator: { kind: 'range', min: 1 },
    importance: 'medium',
    group,
    displayName: 'Heartbeat interval',
    stripComment: true,
    doc: 'Time between two heartbeat messages, in ms.',
  },
  'websocket.heartbeat.reply.match': {
    type: 'string',
    default: null,
    importance: 'low',
    group,
    displayName: 'Heartbeat reply',
    doc: "Rule for the server's reply to a heartbeat message. Unset: none is expected.",
    example: 'op == pong',
  },
  'websocket.heartbeat.timeout.ms': {
    type: 'long',
    default: 10_000,
    validator: { kind: 'range', min: 1 },
    importance: 'low',
    group,
    displayName: 'Heartbeat timeout',
    stripComment: true,
    doc: 'Longest wait for the reply to a heartbeat message, in ms. After it the connection is made again.',
  },
  'websocket.heartbeat.request.match': {
    type: 'string',
    default: null,
    importance: 'medium',
    group,
    displayName: 'Heartbeat of the server',
    doc: "Rule for the server's heartbeat messages, each of which is answered with websocket.heartbeat.response.",
    example: 'ping',
  },
  'websocket.heartbeat.response': {
    type: 'string',
    default: null,
    importance: 'medium',
    group,
    displayName: 'Heartbeat response',
    doc: "Template of the answer to a heartbeat of the server's; {{received.<path>}} are the heartbeat's fields.",
    example: '{"pong":{{received.ping}}}',
  },
  'websocket.idle.timeout.ms': {
    type: 'long',
    default: 0,
    validator: { kind: 'range', min: 0 },
    importance: 'medium',
    group,
    displayName: 'Idle timeout',
    stripComment: true,
    doc: 'A connection that brings no message for this long, in ms, is made again, as an open feed may have gone mute; 0: never. Pings do not count, nor do messages that a rule of the session or of the heartbeats matches. While we make the server wait nothing counts.',
  },
} as const satisfies Keys

export const heartbeatRules: readonly Rule[] = [
  { rule: 'requires', key: 'websocket.heartbeat.reply.match', needs: ['websocket.heartbeat.message'] },
  { rule: 'requires', key: 'websocket.heartbeat.request.match', needs: ['websocket.heartbeat.response'] },
  { rule: 'requires', key: 'websocket.heartbeat.response', needs: ['websocket.heartbeat.request.match'] },
]
