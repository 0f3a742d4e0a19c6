import type { Props } from '@tributary/connect-api'
import type { SourceFixture } from './source-fixture.ts'

/** The fixture with further keys, to run the suite again, for example with exactly-once delivery. */
export function withProps(fixture: SourceFixture, props: Props): SourceFixture {
  return {
    ...fixture,
    startFeed: async () => {
      const feed = await fixture.startFeed()
      return Object.defineProperty(feed, 'props', { value: { ...feed.props, ...props } })
    },
  }
}
