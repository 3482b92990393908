// One request, inside one commit: found, checked, recognised by its key or run, and its answer kept.
import { catchUp } from './due.ts'
import type { Fault, FaultKind } from './faults.ts'
import { parseForm } from './form.ts'
import { fingerprint, inUse, recall, remember, type Answer } from './idempotency.ts'
import { checkParameters } from './parameters.ts'
import { Problem, rateLimited, serverError } from './problem.ts'
import { expand, match } from './router.ts'
import type { Call, Route, World } from './world.ts'

export type ApiRequest = {
  id: string
  method: string
  path: string
  /** The query string or the form body, as it came. */
  form: string
  account: string
  key: string | null
}
/** `after` is what goes wrong with the answer once everything is on disk. */
export type Executed = Answer & { after?: Fault }

export const execute = (world: World, request: ApiRequest): Executed => {
  catchUp(world)
  try {
    return executeKnown(world, request)
  } catch (error) {
    if (error instanceof Problem) return answerOf(error)
    throw error
  }
}

const executeKnown = (world: World, request: ApiRequest): Executed => {
  const { route, call, expanded } = understand(world, request)
  if (!world.limits.take(route.name)) throw rateLimited()
  const before = world.faults.take(BEFORE, route.name)
  if (before) return notExecuted(before, request.key)
  const keyed =
    request.method === 'POST' && request.key !== null
      ? {
          account: request.account,
          key: request.key,
          fingerprint: fingerprint(request.method, request.path, request.form),
        }
      : undefined
  const known = keyed && recall(world, keyed)
  const answer = known ?? run({ ...world, request: { id: request.id, key: request.key } }, route, { call, expanded })
  if (keyed && !known) remember(world, keyed, answer)
  const after = world.faults.take(['answer_lost', 'answer_delayed'], route.name)
  return after ? { ...answer, after } : answer
}

const understand = (world: World, request: ApiRequest): { route: Route; call: Call; expanded: string[] } => {
  const found = match(request.method, request.path)
  if (!found) {
    throw new Problem(404, {
      type: 'invalid_request_error',
      message: `Unrecognized request URL (${request.method}: ${request.path.slice(0, 200)}).`,
    })
  }
  const { expand: expanded = [], ...parameters } = checkParameters(parseForm(request.form), {
    ...found.route.fields,
    expand: 'list',
  })
  if (request.account !== '' && world.store.get(request.account)?.body.object !== 'account') {
    throw new Problem(403, {
      type: 'invalid_request_error',
      code: 'account_invalid',
      message: `This key has no access to account '${request.account.slice(0, 60)}', or it does not exist.`,
    })
  }
  return {
    route: found.route,
    call: { account: request.account, ids: found.ids, parameters },
    expanded: expanded as string[],
  }
}

const NOT_EXECUTED: Partial<Record<FaultKind, (key: string) => Answer>> = {
  // Nothing of it is sent.
  connection_lost: () => ({ status: 0, body: '' }),
  rate_limited: () => answerOf(rateLimited()),
  key_in_use: (key) => answerOf(inUse(key)),
  error_not_executed: () => answerOf(serverError()),
  bad_gateway: () => ({ status: 502, body: '{"message":"upstream unavailable"}' }),
}

const BEFORE = Object.keys(NOT_EXECUTED) as FaultKind[]

const notExecuted = (fault: Fault, key: string | null): Executed => ({
  ...(NOT_EXECUTED[fault.kind] as (key: string) => Answer)(key ?? ''),
  ...(fault.kind === 'connection_lost' && { after: fault }),
})

/** A refusal undoes what the operation wrote, except a decline, which is history. */
const run = (world: World, route: Route, work: { call: Call; expanded: string[] }): Answer => {
  world.store.run('SAVEPOINT operation')
  const answer = outcome(world, route, work)
  if (!answer.kept) world.store.run('ROLLBACK TO operation')
  world.store.run('RELEASE operation')
  const failing = world.faults.take(['error_executed'], route.name)
  return failing ? answerOf(serverError()) : { status: answer.status, body: answer.body }
}

const outcome = (world: World, route: Route, work: { call: Call; expanded: string[] }): Answer & { kept: boolean } => {
  try {
    const body = expand(world, route.handle(world, work.call), work.expanded)
    return { status: 200, body: JSON.stringify(body), kept: true }
  } catch (error) {
    if (error instanceof Problem) return { ...answerOf(error), kept: error.kept }
    throw error
  }
}

export const answerOf = (problem: Problem): Answer => ({ status: problem.status, body: JSON.stringify(problem.body) })
