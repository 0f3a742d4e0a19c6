export { sourceContract } from './source-contract.ts'
export type { Feed, KeptRecord, RunningTask, SourceFixture, TaskRunner } from './source-fixture.ts'
export { settled, throughout, until } from './until.ts'
export { withProps } from './with-props.ts'
