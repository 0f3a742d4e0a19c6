import { defaultText } from './describe.ts'
import type { ConfigSpecData, KeySpec, Validator } from './spec.ts'

/** The reference page of a spec: one table for each group, in the order of declaration, then the prefixed families. */
export function toMarkdown(data: ConfigSpecData, title?: string): string {
  const groups = Map.groupBy(Object.entries(data.keys), ([, spec]) => spec.group ?? '')
  const parts = title === undefined ? [] : [`# ${title}`]
  for (const [group, keys] of groups) {
    if (group !== '') parts.push(`## ${group}`)
    parts.push(table(['Key', 'Type', 'Default', 'Importance', 'Description'], keys.map(row)))
  }
  const families = Object.entries(data.prefixes ?? {})
  if (families.length > 0) {
    const rows = families.map(([prefix, spec]) => [
      `\`${prefix.endsWith('.') ? prefix : `${prefix}.`}<name>\``,
      spec.type ?? 'string',
      spec.importance,
      description(spec),
    ])
    parts.push('## Families of keys', table(['Key', 'Type', 'Importance', 'Description'], rows))
  }
  return `${parts.join('\n\n')}\n`
}

function row([name, spec]: [string, KeySpec]): string[] {
  return [`\`${name}\``, spec.type, defaultCell(spec), spec.importance, description(spec)]
}

function defaultCell(spec: KeySpec): string {
  if (spec.default === undefined) return '*required*'
  const text = defaultText(spec)
  return text === null ? '' : text === '' ? '*empty*' : `\`${escape(text)}\``
}

function description(spec: Partial<KeySpec> & Pick<KeySpec, 'doc'>): string {
  const accepts = spec.validator ? describeValidator(spec.validator) : ''
  return [
    spec.deprecated === undefined ? '' : `*Deprecated: ${escape(spec.deprecated)}*`,
    prose(spec.doc),
    accepts === '' ? '' : `Accepts ${prose(accepts)}.`,
    spec.env === undefined ? '' : `Environment variable: \`${spec.env}\`.`,
    spec.example === undefined ? '' : `Example: \`${escape(spec.example)}\`.`,
    spec.sensitive || spec.type === 'password' ? 'Hidden in logs, errors and validation; `GET …/config` shows it.' : '',
  ]
    .filter((part) => part !== '')
    .join(' ')
}

/** The values that a validator accepts, in words. */
export function describeValidator(validator: Validator): string {
  switch (validator.kind) {
    case 'nonEmpty':
      return 'a text that is not empty'
    case 'nonNull':
      return 'any text'
    case 'nameText':
      return 'a text that is not empty, without control characters'
    case 'range':
      return describeRange(validator)
    case 'oneOf':
      return `one of ${validator.values.join(', ')}${validator.ignoreCase ? ', in any case' : ''}`
    case 'pattern':
      return validator.accepts ?? `what matches ${validator.regex}`
    case 'topicName':
      return 'the name of a topic'
    case 'json':
      return validator.shape === 'object' ? 'a JSON object' : 'JSON'
    case 'url':
      return `a URL with ${validator.schemes.map((s) => `${s}://`).join(' or ')}${validator.userInfo ? ', without user and password' : ''}`
    case 'keyValueList':
      return 'k1:v1,k2:v2, a value with commas in double quotes'
    case 'knownClass':
      return `one of ${validator.names.join(', ')}`
    case 'regex':
      return 'a regular expression of linear time'
    case 'castSpec':
      return 'field:type,field:type, or one type for the whole value'
    case 'renames':
      return 'old:new,old:new'
    case 'all':
      return validator.of.map(describeValidator).join('; ')
    default:
      return validator satisfies never
  }
}

function describeRange({ min, max }: { readonly min?: number; readonly max?: number }): string {
  if (min !== undefined && max !== undefined) return `${min} to ${max}`
  return min !== undefined ? `${min} and above` : `up to ${max}`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

/** Outside of code `<name>` would be read as an HTML tag and not shown. */
function prose(text: string): string {
  return escape(text).replaceAll('<', '\\<')
}

/** A bar or a line break would end the cell of the table. */
function escape(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll(/\s*\n\s*/g, ' ')
}
