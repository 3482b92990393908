// Every public route, from the joined contracts: known also while the node that serves it is away. A tree by path segment;
// an exact segment is preferred to a ':param'.
import type { ActionContract, Method } from '../../mixins/contract.ts'
import { contracts } from '../contract.ts'

export type Route = {
  method: Method
  /** As declared: '/v1/gigs/:id'. The label of metrics. */
  path: string
  /** Full name of the action. */
  name: string
  action: ActionContract
  /** Names of the path's parameters, in order. */
  pathParams: readonly string[]
}
export type Match =
  | { found: 'route'; route: Route; values: readonly string[] }
  /** The path is known, the verb is not: what Allow says. */
  | { found: 'path'; allow: string }
  | { found: 'nothing' }

export type Routes = { find(method: string, path: string): Match; all: readonly Route[] }

/** Segments a path of ours may have; a longer one is nobody's. */
const SEGMENTS_MAX = 16

type Branch = { exact: Map<string, Branch>; param: Branch | null; methods: Map<string, Route> }

export const routesOf = ({ sandbox }: { sandbox: boolean }): Routes => {
  const all = publicRoutes().filter(({ action }) => sandbox || !action.sandboxOnly)
  const root = branch()
  for (const route of all) plant(root, route)
  return {
    all,
    find: (method, path) => {
      const segments = path.split('/', SEGMENTS_MAX + 2)
      if (segments.length > SEGMENTS_MAX + 1) return NOTHING
      return walk(root, method === 'HEAD' ? 'GET' : method, { segments, at: 1, values: [] }) ?? NOTHING
    },
  }
}

const NOTHING: Match = { found: 'nothing' }

/** The actions of all contracts that are reachable from outside. */
export const publicRoutes = (): Route[] =>
  Object.values(contracts).flatMap((declared) =>
    Object.entries(declared.actions as Record<string, ActionContract>).flatMap(([verb, action]) => {
      if (!action.rest || action.auth === 'internal') return []
      const [method, path] = action.rest.split(' ') as [Method, string]
      const pathParams = path
        .split('/')
        .filter((segment) => segment.startsWith(':'))
        .map((segment) => segment.slice(1))
      return [{ method, path, name: `${declared.name}.${verb}`, action, pathParams }]
    }),
  )

const branch = (): Branch => ({ exact: new Map(), param: null, methods: new Map() })

const plant = (root: Branch, route: Route) => {
  let at = root
  for (const segment of route.path.split('/').slice(1)) {
    if (segment.startsWith(':')) at = at.param ??= branch()
    else {
      const next: Branch = at.exact.get(segment) ?? branch()
      at.exact.set(segment, next)
      at = next
    }
  }
  const taken = at.methods.get(route.method)
  if (taken) throw new Error(`${route.name} and ${taken.name} both declare ${route.method} ${route.path}`)
  at.methods.set(route.method, route)
}

type Walk = { segments: readonly string[]; at: number; values: readonly string[] }

/** The route itself if any branch has it, else the first branch that has the path with other verbs. */
const walk = (here: Branch, method: string, { segments, at, values }: Walk): Match | null => {
  if (at === segments.length) return here.methods.size > 0 ? ending(here, method, values) : null
  const segment = segments[at]!
  const exact = here.exact.get(segment)
  const first = exact ? walk(exact, method, { segments, at: at + 1, values }) : null
  if (first?.found === 'route' || !here.param || segment === '') return first
  const second = walk(here.param, method, { segments, at: at + 1, values: [...values, segment] })
  return second?.found === 'route' ? second : (first ?? second)
}

const ending = (here: Branch, method: string, values: readonly string[]): Match => {
  const route = here.methods.get(method)
  return route ? { found: 'route', route, values } : { found: 'path', allow: allowed([...here.methods.keys()]) }
}

export const allowed = (methods: readonly string[]): string =>
  [...methods, ...(methods.includes('GET') ? ['HEAD'] : [])].sort().join(', ')
