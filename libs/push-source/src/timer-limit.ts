/** Node's timers take no more ms, and fire at once instead; users of the JVM connectors write Long.MAX_VALUE for never. */
export const MAX_TIMER_MS = 2 ** 31 - 1
