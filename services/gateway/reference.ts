// GET /docs: the reference a person reads, made from the same contracts as the documents. No script, one page, light and dark.
import { hash } from 'node:crypto'
import type { TSchema } from 'typebox'
import type { Settings } from '../../mixins/node.ts'
import { ERRORS } from '../errors.ts'
import { EVENTS } from './events.ts'
import { CLOSE, OPS, type Op } from './frames.ts'
import type { Header } from './headers.ts'
import { tagOf } from './openapi.ts'
import { REALTIME_PATH } from './mounts.ts'
import { routesOf, type Route } from './routes.ts'
import { propertiesOf } from './schemas.ts'
import { SUBPROTOCOL } from './door.ts'

const STYLE = `:root{color-scheme:light dark;--ink:light-dark(#1b1f24,#e6e8eb);--soft:light-dark(#57606a,#9aa4af);--paper:light-dark(#fff,#14171a);--box:light-dark(#f4f6f8,#1d2227);--line:light-dark(#d8dee4,#30363d);--key:light-dark(#0550ae,#79b8ff)}
*{box-sizing:border-box}body{margin:0 auto;max-width:62rem;padding:1rem 1.25rem 4rem;font:1rem/1.55 system-ui,sans-serif;color:var(--ink);background:var(--paper)}
h1{margin:1rem 0 .25rem}h2{margin:2.5rem 0 .5rem;padding-top:.5rem;border-top:1px solid var(--line);text-transform:capitalize}
a{color:var(--key)}nav{display:flex;flex-wrap:wrap;gap:.25rem 1rem;margin:1rem 0}p{margin:.4rem 0}.soft{color:var(--soft)}
details{margin:.35rem 0;border:1px solid var(--line);border-radius:.5rem;background:var(--box)}summary{padding:.5rem .75rem;cursor:pointer}details>div{padding:0 .9rem .8rem}
code,pre{font:.875rem/1.5 ui-monospace,monospace}pre{overflow-x:auto;padding:.6rem .75rem;border:1px solid var(--line);border-radius:.4rem;background:var(--paper)}
.verb{display:inline-block;min-width:4.2em;font-weight:700;color:var(--key)}.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.93rem}th,td{text-align:left;vertical-align:top;padding:.25rem .6rem .25rem 0;border-bottom:1px solid var(--line)}`

/** The page's own style and nothing else may apply; nothing may run. */
export const REFERENCE_CSP: Header = [
  'Content-Security-Policy',
  `default-src 'none'; style-src 'sha256-${hash('sha256', STYLE, 'base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
]

export const reference = (settings: Settings): string => {
  const groups = Map.groupBy(routesOf(settings).all, tagOf)
  const base = settings.publicUrl || 'http://localhost:3000'
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>Gigwire API</title><style>${STYLE}</style></head><body>
<header><h1>Gigwire API</h1><p>JSON in and out. Send <code>Authorization: Bearer &lt;accessToken&gt;</code>. Machines read <a href="/openapi.json">/openapi.json</a> and <a href="/asyncapi.json">/asyncapi.json</a>.</p>
<nav aria-label="Parts">${[...groups.keys()].map((tag) => `<a href="#${tag}">${tag}</a>`).join('')}<a href="#realtime">realtime</a><a href="#errors">errors</a></nav></header><main>
<p>Any <code>POST</code> of a signed-in account may carry an <code>Idempotency-Key</code>: the same key and body give the same answer again for 24 hours. Answers carry <code>RateLimit</code> and <code>X-Request-Id</code>; 429 and 503 say <code>Retry-After</code>.</p>
${settings.sandbox ? `<p>This is a sandbox: sign in as <code>buyer@demo.test</code>, <code>seller@demo.test</code> or <code>admin@demo.test</code> with <code>demo-password</code>, pay with <code>pm_card_visa</code>.</p>` : ''}
${[...groups].map(([tag, routes]) => `<section id="${tag}"><h2>${tag}</h2>${routes.map((route) => entry(route, base)).join('')}</section>`).join('\n')}
${realtime()}${errors()}</main></body></html>`
}

const entry = (route: Route, base: string): string => {
  const { action, method, path, name } = route
  const answers = propertiesOf(action.result)
    .map((field) => field.name)
    .join(', ')
  return `<details id="${name}"><summary><span class="verb">${method}</span> <code>${escaped(path)}</code> <span class="soft">${prose(action.summary)}</span></summary><div>
<p class="soft">${WHO[action.auth]}. Answers ${action.status ?? 200}${answers ? `: <code>${escaped(answers)}</code>` : ''}.${action.publicRead ? ' Cacheable, with an ETag.' : ''}</p>${fieldTable(action.params)}
<pre>${escaped(curl(route, base))}</pre></div></details>`
}

const WHO: Readonly<Record<string, string>> = {
  none: 'Anybody',
  optional: 'Anybody; a token is looked at',
  user: 'Any account',
  seller: 'Sellers',
  moderator: 'Moderators',
  admin: 'Admins',
}

const fieldTable = (schema: TSchema): string => {
  const rows = propertiesOf(schema).map(
    ({ name, schema: one, required }) =>
      `<tr><td><code>${escaped(name)}</code><td>${escaped(shown(one))}<td>${required ? 'required' : ''}`,
  )
  return rows.length === 0
    ? ''
    : `<div class="scroll"><table><thead><tr><th>Field<th>Type<th></thead><tbody>${rows.join('')}</tbody></table></div>`
}

type Shape = {
  type?: string
  const?: unknown
  anyOf?: Shape[]
  items?: Shape
  properties?: Record<string, Shape>
  required?: string[]
  minimum?: number
  maximum?: number
  minLength?: number
  maxLength?: number
  maxItems?: number
}

/** A schema in a few words. */
const shown = (schema: TSchema | Shape): string => {
  const {
    const: value,
    anyOf,
    type,
    items,
    properties,
    minimum,
    maximum,
    minLength,
    maxLength,
    maxItems,
  } = schema as Shape
  if (value !== undefined) return JSON.stringify(value)
  if (anyOf) return anyOf.map(shown).join(' | ')
  if (type === 'array')
    return `list of ${items ? shown(items) : 'anything'}${maxItems === undefined ? '' : `, at most ${maxItems}`}`
  if (type === 'object' && properties) return `{${Object.keys(properties).join(', ')}}`
  return `${type ?? 'anything'}${range(minimum, maximum)}${range(minLength, maxLength)}`
}
const range = (from?: number, to?: number): string =>
  from === undefined && to === undefined ? '' : ` ${from ?? ''}…${to ?? ''}`

/** A request that can be pasted into a shell. */
const curl = ({ action, method, path, pathParams }: Route, base: string): string => {
  const parts = [`curl ${method === 'GET' ? '' : `-X ${method} `}${base}${path.replaceAll(/:(\w+)/g, '$$$1')}`]
  if (action.auth !== 'none' && action.auth !== 'optional') parts.push(`-H "Authorization: Bearer $TOKEN"`)
  const body = propertiesOf(action.params).filter(({ name, required }) => required && !pathParams.includes(name))
  if (action.rawBody) parts.push('-H "Content-Type: image/png" --data-binary @picture.png')
  else if (method !== 'GET' && method !== 'DELETE' && body.length > 0) {
    parts.push(
      '-H "Content-Type: application/json"',
      `-d '${JSON.stringify(Object.fromEntries(body.map(({ name, schema }) => [name, sample(schema, 0)])))}'`,
    )
  }
  return parts.join(' \\\n  ')
}

const SAMPLE_DEPTH = 4
const sample = (schema: TSchema | Shape, depth: number): unknown => {
  const { const: value, anyOf, type, properties = {}, required = [], minimum = 1 } = schema as Shape
  if (value !== undefined) return value
  if (anyOf) return sample(anyOf[0]!, depth)
  if (type === 'object' && depth < SAMPLE_DEPTH)
    return Object.fromEntries(required.map((name) => [name, sample(properties[name]!, depth + 1)]))
  return type === 'integer' || type === 'number' ? minimum : type === 'boolean' ? true : type === 'array' ? [] : '…'
}

const realtime = (): string => {
  const ops = (Object.entries(OPS) as [string, Op][]).map(
    ([op, { summary, fields, answers }]) =>
      `<tr><td><code>${op}</code><td><code>${escaped(
        propertiesOf(fields)
          .map(({ name, required }) => (required ? name : `${name}?`))
          .join(', '),
      )}</code><td><code>${Object.keys(answers).join(', ')}</code><td>${prose(summary)}`,
  )
  const events = Object.entries(EVENTS).map(([ev, { summary }]) => `<tr><td><code>${ev}</code><td>${prose(summary)}`)
  return `<section id="realtime"><h2>Realtime</h2><p><code>GET ${REALTIME_PATH}</code>, a WebSocket with the subprotocol <code>${SUBPROTOCOL}</code>. One JSON object per frame: <code>{"id":1,"op":"auth","token":"…"}</code> answers <code>{"id":1,"ok":true,…}</code> or <code>{"id":1,"error":{"code","message"}}</code>.</p>
<div class="scroll"><table><thead><tr><th>Op<th>Takes<th>Answers<th></thead><tbody>${ops.join('')}</tbody></table></div>
<p>The server says <code>{"ev":…,"data":…}</code>:</p><div class="scroll"><table><tbody>${events.join('')}</tbody></table></div>
<p>Close codes: ${Object.entries(CLOSE)
    .map(([why, code]) => `<code>${code}</code> ${why}`)
    .join(', ')}. After a reconnect <code>sync</code> closes every gap.</p></section>`
}

const errors = (): string => {
  const rows = Object.entries(ERRORS).map(
    ([code, [status, title]]) => `<tr id="${code}"><td>${status}<td><code>${code}</code><td>${escaped(title)}`,
  )
  return `<section id="errors"><h2>Errors</h2><p>RFC 9457, <code>application/problem+json</code>: <code>{type, title, status, detail, code, requestId, errors?}</code>.</p><div class="scroll"><table><tbody>${rows.join('')}</tbody></table></div></section>`
}

/** Words between backticks are code, as in the contracts. */
const prose = (text: string): string => escaped(text).replaceAll(/`([^`]+)`/g, '<code>$1</code>')

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
