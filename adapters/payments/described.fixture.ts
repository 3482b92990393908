// Requests made from the sandbox's own table of operations, right and wrong in every field, and how the sandbox judges
// them before anything runs: for holding them against the provider's published description.
import { parseForm } from './sandbox/form.ts'
import { checkParameters, type Fields } from './sandbox/parameters.ts'
import { Problem } from './sandbox/problem.ts'
import { match } from './sandbox/router.ts'
import type { Route } from './sandbox/world.ts'

/** One request, as on the wire. */
export type Wire = { what: string; method: 'GET' | 'POST'; path: string; form: URLSearchParams }
type Pair = [name: string, value: string]
type Field = Fields[string]

const isRequired = (field: Field) => typeof field === 'string' && field.endsWith('!')
const plainOf = (field: string) => field.replace('!', '').replace('?', '')

/** A right value of a field. */
const right = (name: string, field: Field): Pair[] => {
  if (typeof field !== 'string') return Object.entries(field).flatMap(([key, one]) => right(`${name}[${key}]`, one))
  const plain = plainOf(field)
  if (plain.includes('|')) return [[name, plain.split('|')[0] ?? '']]
  switch (plain) {
    case 'integer':
      return [[name, '100']]
    case 'boolean':
      return [[name, 'true']]
    case 'currency':
      return [[name, 'usd']]
    case 'url':
      return [[name, 'https://market.example/back']]
    case 'metadata':
      return [[`${name}[op]`, 'a']]
    case 'list':
      return [[`${name}[0]`, 'card']]
    case 'range':
      return [[`${name}[gte]`, '1']]
    default:
      return [[name, 'some text']]
  }
}

/** Values of the wrong kind, with what is wrong about them. */
const wrong = (name: string, field: Field): [string, Pair[]][] => {
  if (typeof field !== 'string')
    return [
      [`${name} is plain`, [[name, 'plain']]],
      [`${name} knows no such name`, [[`${name}[nonsense]`, 'x']]],
      ...Object.entries(field).flatMap(([key, one]) => wrong(`${name}[${key}]`, one)),
    ]
  const plain = plainOf(field)
  if (plain.includes('|')) return [[`${name} is no such word`, [[name, 'nonsense']]]]
  switch (plain) {
    case 'integer':
      return [[`${name} is no number`, [[name, 'abc']]]]
    case 'boolean':
      return [[`${name} is neither true nor false`, [[name, 'perhaps']]]]
    case 'metadata':
      return [[`${name} is plain`, [[name, 'plain']]]]
    case 'list':
      return [[`${name} is plain`, [[name, 'plain']]]]
    default:
      return [[`${name} is an object`, [[`${name}[x]`, 'y']]]]
  }
}

/** Every field right on its own beside the required ones, and all at once; every field wrong, missing or unknown. */
export const requestsOf = (route: Route): { right: Wire[]; wrong: Wire[] } => {
  const path = route.path.replaceAll(':id', 'id_1')
  const fields = Object.entries(route.fields)
  const required = fields.filter(([, field]) => isRequired(field))
  const base = (but?: string) => required.flatMap(([name, field]) => (name === but ? [] : right(name, field)))
  const wire = (what: string, pairs: Pair[]): Wire => ({
    what: `${route.name}: ${what}`,
    method: route.method,
    path,
    form: new URLSearchParams(pairs),
  })
  return {
    right: [
      wire('only what is required', base()),
      ...fields.map(([name, field]) => wire(name, [...base(name), ...right(name, field)])),
      wire(
        'everything',
        fields.flatMap(([name, field]) => right(name, field)),
      ),
    ],
    wrong: [
      wire('an unknown name', [...base(), ['nonsense', 'x']]),
      ...required.map(([name]) => wire(`without ${name}`, base(name))),
      ...fields.flatMap(([name, field]) =>
        wrong(name, field).map(([what, pairs]) => wire(what, [...base(name), ...pairs])),
      ),
    ],
  }
}

export type Verdict = 'taken' | 'refused'

/** How the sandbox judges a request before anything runs. */
export const judged = ({ method, path, form }: Wire): Verdict => {
  const found = match(method, path)
  if (!found) return 'refused'
  try {
    checkParameters(parseForm(form.toString()), { ...found.route.fields, expand: 'list' })
    return 'taken'
  } catch (error) {
    if (error instanceof Problem) return 'refused'
    throw error
  }
}
