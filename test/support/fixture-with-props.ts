import type { Props } from '@tributary/connect-api'
import type { SourceFixture } from '@tributary/testkit'

/** The same source, whose feeds are read with these settings besides. */
export function withProps(fixture: SourceFixture, props: Props): SourceFixture {
  return {
    ...fixture,
    startFeed: async () => {
      const feed = await fixture.startFeed()
      return Object.defineProperty(feed, 'props', { value: { ...feed.props, ...props } })
    },
  }
}
