/** A broker of a test's own lets sessions be this short, so that the successor of a killed process starts soon. */
export const SHORT_SESSIONS = { 'group.min.session.timeout.ms': '500' } as const
