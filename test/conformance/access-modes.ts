/**
 * Whether callers of our REST API need an API key. Users may not see a difference, so the clients' and operators' tests
 * run with a key, and with `--long` without one, too. The tests of REST itself always run without one.
 */
export type AccessMode = 'with an API key' | 'without authentication'

export const ACCESS_MODES: readonly AccessMode[] =
  process.env['TRIBUTARY_TEST_LONG'] === '1' ? ['with an API key', 'without authentication'] : ['with an API key']
