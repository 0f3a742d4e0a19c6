export type { ConnectionEnd, ConnectionListener, WebSocketConnection } from './connection.ts'
export { openWebSocket, type OpenOptions, type OpenWebSocket } from './open-websocket.ts'
