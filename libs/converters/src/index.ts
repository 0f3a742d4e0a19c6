export * from './simple-converters.ts'
export * from './json-converter.ts'
export * from './registry.ts'
