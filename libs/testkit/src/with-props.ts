import type { Props } from '@tributary/connect-api'
import type { SourceFixture } from './source-fixture.ts'

/** The same fixture, whose feeds are read with these settings besides: the suite once more, for exactly once. */
export function withProps(fixture: SourceFixture, props: Props): SourceFixture {
  return {
    ...fixture,
    startFeed: async () => {
      const feed = await fixture.startFeed()
      return Object.defineProperty(feed, 'props', { value: { ...feed.props, ...props } })
    },
  }
}
