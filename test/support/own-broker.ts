/**
 * Properties for a broker of one test. They allow sessions this short, so that the successor of a killed process starts
 * soon.
 */
export const SHORT_SESSIONS = { 'group.min.session.timeout.ms': '500' } as const
