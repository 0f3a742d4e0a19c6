/** A service that the launcher can start: `apps/<name>/src/main.ts`. */
export interface ServiceDefinition {
  readonly name: string
  /** Classes that `/connector-plugins` must list before the launcher is ready. */
  readonly plugins: readonly string[]
  /** More than one replica makes sense. */
  readonly scales: boolean
  /** Only there for the demo. */
  readonly demo: boolean
}

/** In the order of starting, which reversed is the order of stopping: what feeds records in goes first. */
export const services: readonly ServiceDefinition[] = [
  { name: 'control-plane', plugins: [], scales: false, demo: false },
  { name: 'grpc-ingest', plugins: ['io.tributary.connect.grpc.GrpcSourceConnector'], scales: true, demo: false },
  {
    name: 'ws-ingest',
    plugins: ['io.tributary.connect.websocket.WebSocketSourceConnector'],
    scales: true,
    demo: false,
  },
  { name: 'demo-feed', plugins: [], scales: false, demo: true },
]
