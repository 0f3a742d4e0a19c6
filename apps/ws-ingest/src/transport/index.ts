export type { ConnectionEnd, ConnectionListener, WebSocketConnection } from './connection.ts'
export { dial, type DialOptions, endpointOf, type TlsOptions } from './dial.ts'
export { HandshakeRefused } from './handshake-refused.ts'
export { openWebSocket, type OpenOptions, type OpenWebSocket } from './open-websocket.ts'
