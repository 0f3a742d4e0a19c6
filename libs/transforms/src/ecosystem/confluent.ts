/** The prefix of the classes of Confluent's connect-transforms. */
export const CONFLUENT = 'io.confluent.connect.transforms'

/** The connect-transforms whose documented behaviour these have, and whose version they publish. */
export const CONFLUENT_VERSION = '1.6.2'
