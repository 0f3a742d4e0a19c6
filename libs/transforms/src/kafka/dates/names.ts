/** Names of the locale en-US. */
export const ERAS = ['BC', 'AD']
export const LONG_ERAS = ['Before Christ', 'Anno Domini']
export const MONTHS = [
  ...['January', 'February', 'March', 'April', 'May', 'June'],
  ...['July', 'August', 'September', 'October', 'November', 'December'],
]
export const SHORT_MONTHS = MONTHS.map((name) => name.slice(0, 3))
export const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
export const SHORT_DAYS = DAYS.map((name) => name.slice(0, 3))
export const HALVES = ['AM', 'PM']

/** Zones that a text may name, with their offset in minutes: RFC 822, section 5.1, and UTC. */
export const ZONES: Readonly<Record<string, number>> = {
  ...{ 'Coordinated Universal Time': 0, UTC: 0, EST: -300, EDT: -240, CST: -360, CDT: -300 },
  ...{ MST: -420, MDT: -360, PST: -480, PDT: -420 },
}
