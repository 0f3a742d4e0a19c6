import type { SendOwner } from '../batch/send-owner.ts'

/** An owner whose records may always be sent. */
export const anOwner: SendOwner = { maySend: () => true, failing() {}, recovered() {}, stateLost() {} }
