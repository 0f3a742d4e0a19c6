import type { OpenApiDocument, OpenApiOperation } from './openapi.ts'

/** Renders the OpenAPI document as one HTML page. The page holds no script and loads nothing. */
export function openApiPage(document: OpenApiDocument): string {
  const sections = document.tags.map(({ name }) => {
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods)
        .filter(([, operation]) => operation.tags.includes(name))
        .map(([method, operation]) => operationHtml(method, path, operation)),
    )
    return `<h2>${escape(name)}</h2>\n${operations.join('\n')}`
  })
  const schemas = Object.entries(document.components.schemas).map(
    ([name, schema]) =>
      `<details id="${escape(name)}"><summary>${escape(name)}</summary>${schemaHtml(schema)}</details>`,
  )
  const { title, version, description } = document.info
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>${escape(title)}</title><style>${STYLE}</style></head>
<body>
<h1>${escape(title)} <small>${escape(version)}</small></h1>
<p>${escape(description)} As data: <a href="openapi.json">openapi.json</a>.</p>
${sections.join('\n')}
<h2>Shapes</h2>
${schemas.join('\n')}
</body>
</html>
`
}

const STYLE = `
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
h2 { border-bottom: 1px solid #ccc; }
summary { cursor: pointer; padding: .3rem 0; }
code, pre { font: 13px/1.4 ui-monospace, monospace; }
pre { background: #f5f5f5; padding: .6rem; overflow-x: auto; }
details > :not(summary) { margin-left: 1.2rem; }
.method { display: inline-block; min-width: 4.2rem; font-weight: 700; }
.deprecated { text-decoration: line-through; }
table { border-collapse: collapse; } td { padding: .1rem .8rem .1rem 0; vertical-align: top; }
`

function operationHtml(method: string, path: string, operation: OpenApiOperation): string {
  const { summary, description, deprecated, parameters, requestBody, responses } = operation
  const rows = parameters.map(
    ({ name, in: where, required, description: what }) =>
      `<tr><td><code>${escape(name)}</code></td><td>${where}${required ? ', required' : ''}</td><td>${escape(what ?? '')}</td></tr>`,
  )
  const answers = Object.entries(responses).map(
    ([status, { description: what, content }]) =>
      `<tr><td>${status}</td><td>${escape(what)}</td><td>${content ? schemaHtml(Object.values(content)[0]?.schema) : ''}</td></tr>`,
  )
  const body = requestBody ? `<p>Body</p>${schemaHtml(Object.values(requestBody.content)[0]?.schema)}` : ''
  return `<details><summary><span class="method">${method.toUpperCase()}</span>
<code${deprecated === true ? ' class="deprecated"' : ''}>${escape(path)}</code> ${escape(summary)}</summary>
${description === undefined ? '' : `<p>${escape(description)}</p>`}
${rows.length === 0 ? '' : `<table>${rows.join('')}</table>`}
${body}
<p>Right: ${operation['x-right']}</p>
<table>${answers.join('')}</table></details>`
}

/** Renders a reference as a link to its schema, and anything else as JSON. */
function schemaHtml(schema: unknown): string {
  const { $ref } = schema as { $ref?: string }
  if ($ref === undefined) return `<pre>${linked(JSON.stringify(schema, null, 2))}</pre>`
  const name = $ref.slice($ref.lastIndexOf('/') + 1)
  return `<a href="#${escape(name)}">${escape(name)}</a>`
}

function linked(json: string): string {
  return escape(json).replace(
    /\{\s*&quot;\$ref&quot;: &quot;#\/components\/schemas\/(\w+)&quot;\s*\}/g,
    '<a href="#$1">$1</a>',
  )
}

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (char) => ESCAPES[char]!)
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
