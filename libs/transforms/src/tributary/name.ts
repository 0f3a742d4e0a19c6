/** The prefix of the classes of our own transforms, and their version. */
export const TRIBUTARY = 'io.tributary.connect.transforms'
export const VERSION = '1.0.0'
