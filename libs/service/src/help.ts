import { describeConfig, envName } from '@tributary/config'
import type { ConfigSpecData } from '@tributary/config'

const WIDTH = 100

/** The output of `--help`: each setting with its environment variable, type, default and meaning. */
export function helpText(name: string, version: string, settings: ConfigSpecData): string {
  const definitions = describeConfig(settings)
  const blocks = definitions.map((definition) => {
    const spec = settings.keys[definition.name]
    const value = definition.required ? 'required' : `default ${definition.default_value ?? 'none'}`
    return `  ${envName(definition.name, spec)}  (${spec?.type ?? ''}, ${value})\n${wrap(definition.documentation, '      ')}`
  })
  return [
    `${name} ${version}`,
    '',
    'Settings are environment variables; the standard OTEL_* ones are honoured too.',
    'Options: --help, --version,',
    '         --properties FILE  a connect-distributed.properties of Kafka Connect; variables win',
    '',
    ...blocks,
    '',
  ].join('\n')
}

function wrap(text: string, indent: string): string {
  const lines = ['']
  for (const word of text.split(' ')) {
    const last = lines.length - 1
    const line = lines[last]!
    if (line !== '' && indent.length + line.length + word.length + 1 > WIDTH) lines.push(word)
    else lines[last] = line === '' ? word : `${line} ${word}`
  }
  return lines.map((line) => indent + line).join('\n')
}
