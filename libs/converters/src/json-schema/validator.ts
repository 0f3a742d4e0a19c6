import { canonicalJson, compilePattern } from '@tributary/config'
import type { Ajv as AjvClass, ErrorObject } from 'ajv'
import { badSchema } from './common.ts'
import { type Document, isObject, own } from './nodes.ts'

/** Says why a value of JSON.parse does not fit. Undefined: it fits. Throws DataError for what takes too many steps. */
export type Validate = (json: unknown) => string | undefined

interface Library {
  readonly draft7: typeof AjvClass
  readonly draft2020: typeof AjvClass
  readonly addFormats: (ajv: AjvClass) => unknown
}
let library: Library | undefined

/** ajv is loaded when a converter validates first, so that who does not pays nothing. */
export async function loadAjv(): Promise<void> {
  if (library) return
  const [draft7, draft2020, formats] = await Promise.all([
    import('ajv'),
    import('ajv/dist/2020.js'),
    import('ajv-formats'),
  ])
  library = {
    draft7: draft7.Ajv,
    draft2020: draft2020.Ajv2020,
    addFormats: formats.default as unknown as Library['addFormats'],
  }
}
export function isAjvLoaded(): boolean {
  return library !== undefined
}

/** In characters: ajv compiles a schema to code. */
const MAX_TEXT = 200_000
/**
 * For one value, in steps of `compilePattern`, each of which takes at most about 30 ns: a second or so. References let a short schema
 * need more than any machine can do.
 */
const MAX_STEPS = 40_000_000
const STEPS_OF_PATTERN = 4_000_000
const STEPS_OF_SUBSCHEMA = 30

const STEP = 'tributary:step'

/**
 * Compiles a schema of a registry, which may hold anything: patterns run in RE2, nothing is fetched, `uniqueItems` takes linear time, and
 * each subschema counts its use. Throws DataError `CONVERTER_BAD_SCHEMA`. `loadAjv` must have ended.
 */
export function compileValidator(document: Document): Validate {
  const { root } = document
  if (JSON.stringify(root).length > MAX_TEXT)
    throw badSchema(`A JSON Schema of more than ${MAX_TEXT} characters is not used to validate`)
  let steps = 0
  const ajv = newAjv(isObject(root) ? own(root, '$schema') : undefined, (count) => {
    if ((steps += count) > MAX_STEPS) throw new Error(`its JSON Schema takes more than ${MAX_STEPS} steps`)
  })
  const validate = compiled(ajv, document)
  return (json) => {
    steps = 0
    let fits: boolean
    try {
      fits = validate(json) as boolean
    } catch (cause) {
      // A schema that refers to itself without going deeper into the value fills the stack.
      throw badSchema(`A record cannot be validated: ${(cause as Error).message}`, cause)
    }
    return fits ? undefined : errorText(validate.errors ?? [])
  }
}

function compiled(ajv: AjvClass, document: Document): ReturnType<AjvClass['compile']> {
  try {
    for (const [name, other] of document.others) {
      const schema = counted(withoutDialect(other.root)) as object
      const keys = new Set<unknown>([name, absolute(name, document.root)])
      // By its `$id` it is known anyway.
      keys.delete(own(schema, '$id'))
      for (const key of keys.size > 0 ? keys : [undefined]) ajv.addSchema(schema, key as string | undefined)
    }
    return ajv.compile(counted(withoutDialect(document.root)) as object)
  } catch (cause) {
    throw badSchema(`A JSON Schema cannot be compiled: ${(cause as Error).message}`, cause)
  }
}

/** A relative reference counts from the `$id` of the schema. */
function absolute(name: string, root: unknown): string {
  const id = isObject(root) ? own(root, '$id') : undefined
  return typeof id === 'string' && URL.canParse(name, id) ? new URL(name, id).href : name
}

function newAjv(dialect: unknown, step: (count: number) => void): AjvClass {
  const { draft7, draft2020, addFormats } = library!
  const isModern = typeof dialect === 'string' && /\/draft\/20\d\d-\d\d\//.test(dialect)
  const pattern = Object.assign((text: string) => countedPattern(text, step), { code: 'new RegExp' })
  const ajv = new (isModern ? draft2020 : draft7)({
    strict: false,
    logger: false,
    // A reference that is put in place of its name could make the code of any size.
    inlineRefs: false,
    code: { regExp: pattern },
  })
  addFormats(ajv)
  ajv.removeKeyword('uniqueItems')
  ajv.addKeyword({ keyword: 'uniqueItems', type: 'array', schemaType: 'boolean', validate: isUnique })
  ajv.addKeyword({ keyword: STEP, schemaType: 'boolean', validate: () => (step(STEPS_OF_SUBSCHEMA), true) })
  return ajv
}

function countedPattern(source: string, step: (count: number) => void): { readonly test: (text: string) => boolean } {
  const pattern = compilePattern(source, { maxSteps: STEPS_OF_PATTERN })
  const perCharacter = STEPS_OF_PATTERN / pattern.maxLength
  const test = (text: string): boolean => {
    step(text.length * perCharacter)
    return pattern.test(text)
  }
  return { test }
}

/** Only the two dialects are known; the older ones are read as draft-07, which they are all but in name. */
function withoutDialect(root: unknown): unknown {
  return isObject(root) ? { ...root, $schema: undefined } : root
}

function isUnique(wanted: boolean, items: readonly unknown[]): boolean {
  return !wanted || new Set(items.map((item) => canonicalJson(item))).size === items.length
}

const SCHEMAS_BY_NAME = new Set([
  'properties',
  'patternProperties',
  'definitions',
  '$defs',
  'dependencies',
  'dependentSchemas',
])
const VALUES = new Set(['enum', 'const', 'default', 'examples'])

/** A copy in which each subschema counts its use. */
function counted(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(counted)
  if (!isObject(schema)) return schema
  const copy: [string, unknown][] = []
  for (const [key, value] of Object.entries(schema)) {
    if (value === undefined) continue
    if (VALUES.has(key)) copy.push([key, value])
    else if (SCHEMAS_BY_NAME.has(key) && isObject(value)) {
      copy.push([key, Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, counted(inner)]))])
    } else copy.push([key, counted(value)])
  }
  return Object.fromEntries([...copy, [STEP, true]])
}

function errorText([first]: readonly ErrorObject[]): string {
  return first
    ? `${first.instancePath === '' ? '#' : `#${first.instancePath}`}: ${first.message ?? first.keyword}`
    : 'it does not fit'
}
