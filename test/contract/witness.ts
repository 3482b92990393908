// Looks at every answer a checker gets and writes down where it is not as the conventions of the public contract say.
import type { Answer } from '../market.ts'

export type Seen = { method: string; path: string; answer: Answer }
export type Witness = { see(seen: Seen): void; complaints(): string[] }

const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/
const ID = /^[a-z]{2,4}_[0-9a-z]+(_[a-z]+)?$/
const CAMEL = /^[a-z][a-zA-Z0-9]*$/
/** Whose keys are values of somebody's: users, accounts, categories, levels. */
const MAPS = new Set([
  'read',
  'category',
  'subcategory',
  'sellerLevel',
  'language',
  'deliveryDays',
  'rating',
  'about',
  'highlights',
  'data',
])

export const witness = (): Witness => {
  const found = new Set<string>()
  return {
    see: ({ method, path, answer }) => {
      const asked = `${method} ${path.split('?')[0]!.replaceAll(/[a-z]{2,4}_[0-9a-z]{20,}/g, ':id')}`
      for (const complaint of [...ofHead(answer), ...(isDocument(path) ? [] : ofBody(answer))])
        found.add(`${asked} → ${answer.status}: ${complaint}`)
    },
    complaints: () => [...found],
  }
}

const isDocument = (path: string) => /^\/(openapi|asyncapi)\.json/.test(path) || path.includes('/v1/me/export')

const ofHead = ({ status, headers, body }: Answer): string[] => [
  ...(headers.get('x-request-id') ? [] : ['no X-Request-Id']),
  ...([429, 503].includes(status) && !(Number(headers.get('retry-after')) > 0) ? ['no Retry-After'] : []),
  ...(status >= 500 && status !== 503 ? [`went wrong: ${JSON.stringify(body)}`] : []),
  ...(status >= 400 ? ofProblem({ status, headers, body } as Answer) : []),
]

const ofProblem = ({ status, headers, body }: Answer): string[] => {
  if (!headers.get('content-type')?.startsWith('application/problem+json')) return ['not application/problem+json']
  const { type, title, detail, code, requestId, errors } = body
  const texts = { type, title, detail, code, requestId }
  return [
    ...Object.entries(texts).flatMap(([name, value]) => (typeof value === 'string' && value ? [] : [`no ${name}`])),
    ...(body.status === status ? [] : [`says status ${body.status}`]),
    ...(/^[a-z_]+$/.test(code) ? [] : [`code ${code} is not snake_case`]),
    ...(requestId === headers.get('x-request-id') ? [] : ['requestId is another than X-Request-Id']),
    ...((errors ?? []).every(
      (one: Record<string, unknown>) => typeof one.path === 'string' && typeof one.message === 'string',
    )
      ? []
      : ['errors are not {path, message}']),
  ]
}

const ofBody = ({ body }: Answer): string[] => (typeof body === 'object' ? ofValue('', body, false) : [])

const ofValue = (at: string, value: unknown, isMap: boolean): string[] => {
  if (Array.isArray(value)) return value.flatMap((one) => ofValue(`${at}[]`, one, false))
  if (typeof value !== 'object' || value === null) return []
  return [
    ...ofMoney(at, value as Record<string, unknown>),
    ...Object.entries(value).flatMap(([name, one]) => [
      ...(isMap || CAMEL.test(name) ? [] : [`${at}.${name} is not camelCase`]),
      ...(/[a-z]At$/.test(name) && one !== null && !TIME.test(String(one)) ? [`${at}.${name} is no time: ${one}`] : []),
      ...(name === 'id' && typeof one === 'string' && at !== '' && !isOwnId(at) && !ID.test(one)
        ? [`${at}.id is not a prefixed id: ${one}`]
        : []),
      ...ofValue(`${at}.${name}`, one, MAPS.has(name) && !Array.isArray(one)),
    ]),
  ]
}
/** Ids that a seller or the ledger gives: questions, extras, entries, pictures. */
const isOwnId = (at: string) => /requirements|extras|images|image|transactions|^\.data\[\]$/.test(at)

const ofMoney = (at: string, value: Record<string, unknown>): string[] =>
  'amount' in value && 'currency' in value
    ? Number.isInteger(value.amount) && /^[a-z]{3}$/.test(String(value.currency))
      ? []
      : [`${at} is no money: ${JSON.stringify(value)}`]
    : []
