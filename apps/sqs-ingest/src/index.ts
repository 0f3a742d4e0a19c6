export { sqsSource } from './plugin.ts'
