// All operations in one table, and how a request finds its own.
import { routes as accounts } from './accounts.ts'
import { routes as balance } from './balance.ts'
import { routes as charges } from './charges.ts'
import { routes as disputes } from './disputes.ts'
import { routes as events } from './events.ts'
import { routes as intents } from './intents.ts'
import { routes as payouts } from './payouts.ts'
import { routes as refunds } from './refunds.ts'
import { routes as transfers } from './transfers.ts'
import { routes as warnings } from './warnings.ts'
import { invalid } from './problem.ts'
import type { Json, StripeObject } from './store.ts'
import type { Route, World } from './world.ts'

export const EXPANSIONS_MAX = 20
export const EXPANSION_DEPTH_MAX = 4

export const ROUTES: Route[] = [
  ...intents,
  ...charges,
  ...refunds,
  ...accounts,
  ...transfers,
  ...payouts,
  ...balance,
  ...events,
  ...disputes,
  ...warnings,
]
const BY_STEPS = ROUTES.map((route) => ({ route, steps: route.path.split('/') }))

export const match = (method: string, path: string): { route: Route; ids: string[] } | undefined => {
  const steps = path.split('/')
  const found = BY_STEPS.find(
    ({ route, steps: wanted }) =>
      route.method === method &&
      wanted.length === steps.length &&
      wanted.every((step, index) => step === ':id' || step === steps[index]),
  )
  if (!found) return undefined
  return { route: found.route, ids: steps.filter((_, index) => found.steps[index] === ':id') }
}

/** `expand[]=latest_charge.balance_transaction` puts the object where its id stands. */
export const expand = (world: World, body: Json, paths: string[]): Json => {
  if (paths.length > EXPANSIONS_MAX)
    throw invalid(`A request expands at most ${EXPANSIONS_MAX} fields.`, undefined, 'expand')
  const copy = structuredClone(body)
  for (const path of paths) {
    const steps = path.split('.')
    if (steps.length > EXPANSION_DEPTH_MAX)
      throw invalid(`You cannot expand more than ${EXPANSION_DEPTH_MAX} levels.`, undefined, 'expand')
    const reached = expandOne(world, copy, steps)
    if (!reached) throw invalid(`This property cannot be expanded (${path.slice(0, 100)}).`, undefined, 'expand')
  }
  return copy
}

const expandOne = (world: World, here: Json, steps: string[]): boolean => {
  const [step, ...rest] = steps
  if (step === undefined || here === null) return true
  if (Array.isArray(here)) return here.every((each) => expandOne(world, each, steps))
  if (typeof here !== 'object' || !Object.hasOwn(here, step)) return false
  const value = here[step] as Json
  if (typeof value === 'string') {
    const found = world.store.get(value)
    if (!found) return false
    here[step] = structuredClone(found.body) as StripeObject
  }
  return expandOne(world, here[step] as Json, rest)
}
