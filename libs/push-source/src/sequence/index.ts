export { contentDigest } from './content-digest.ts'
export { spanOf, type SequenceRange } from './missing-ranges.ts'
export { countBetween, plus, type SequenceNumber, sequenceNumber } from './number.ts'
export { DigestBudget } from './recent-digests.ts'
export { RecentIds } from './recent-ids.ts'
export {
  type Judgement,
  type Reset,
  SequenceTracker,
  type SequenceTrackerOptions,
  type Skipped,
} from './sequence-tracker.ts'
