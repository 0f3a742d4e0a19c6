export { startFeed, type Feed, type FeedOptions } from './feed.ts'
