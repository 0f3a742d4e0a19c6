import type { Step } from '../both-sides.ts'
import { get, JSON_TYPE, patch, post, put, remove } from './steps.ts'

const OFFSETS = { offsets: [{ partition: { filename: 'a' }, offset: { position: 1 } }] }

/** Every resource of a connector that does not exist. */
export const MISSING_CONNECTOR: readonly Step[] = [
  get('/connectors/none'),
  get('/connectors/none/'),
  get('/connectors/a%2Fb'),
  get('/connectors/%20'),
  get('/connectors/none/config'),
  get('/connectors/none/status'),
  get('/connectors/none/status/'),
  get('/connectors/none/tasks'),
  get('/connectors/none/tasks-config'),
  ...['0', '-1', 'x', '00', '+1', '1.0', '2147483647', '2147483648', '99999999999', '%20'].map((task) =>
    get(`/connectors/none/tasks/${task}/status`),
  ),
  get('/connectors/none/topics'),
  get('/connectors/none/offsets'),
  put('/connectors/none/topics/reset'),
  put('/connectors/none/topics/reset', {}),
  ...['pause', 'resume', 'stop'].flatMap((verb) => [
    put(`/connectors/none/${verb}`),
    put(`/connectors/none/${verb}`, {}),
    put(`/connectors/none/${verb}`, undefined, { headers: JSON_TYPE }),
    put(`/connectors/none/${verb}/`),
  ]),
  post('/connectors/none/restart'),
  post('/connectors/none/restart', {}),
  post('/connectors/none/restart', undefined, { headers: JSON_TYPE }),
  post('/connectors/none/restart?includeTasks=true'),
  post('/connectors/none/restart?onlyFailed=true'),
  post('/connectors/none/restart?includeTasks=false&onlyFailed=false'),
  post('/connectors/none/restart?includeTasks='),
  post('/connectors/none/tasks/0/restart'),
  post('/connectors/none/tasks/-1/restart'),
  post('/connectors/none/tasks/x/restart'),
  remove('/connectors/none'),
  remove('/connectors/none', { headers: JSON_TYPE }),
  patch('/connectors/none/config', { a: 'b' }),
  patch('/connectors/none/config', undefined, { headers: JSON_TYPE }),
  patch('/connectors/none/offsets', OFFSETS),
  patch('/connectors/none/offsets', { offsets: [] }),
  patch('/connectors/none/offsets', {}),
  remove('/connectors/none/offsets'),
  remove('/connectors/none/offsets', { headers: JSON_TYPE }),
]
