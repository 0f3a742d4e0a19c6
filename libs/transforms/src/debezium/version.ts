/** The Debezium whose transforms these equal, and whose version they publish. */
export const DEBEZIUM_VERSION = '3.5.0.Final'
