// What an admin or moderator asks for is written down before it is done, and what came of it after. Where it can't be
// written down it is not done.
import { randomUUID } from 'node:crypto'
import type { Node } from '../../mixins/node.ts'
import { troubleOf } from './problem.ts'
import type { Params } from './body.ts'
import type { Route } from './routes.ts'
import type { Caller } from '../shapes.ts'

type Asked = { route: Route; params: Params; caller: Caller | undefined; requestId: string }

/** Runs the work of a request; one that reads, or that anybody may ask, is not recorded. */
export const audited = async <R>(node: Node, asked: Asked, work: () => Promise<R>): Promise<R> => {
  const { route, params, caller, requestId } = asked
  if (!caller || !isPrivileged(route)) return work()
  const id = randomUUID()
  const { name, pathParams } = route
  const inPath = pathParams.map((param) => String(params[param]))
  const entry = { actor: caller.id, action: name, target: inPath[0] ?? null }
  const record = (kind: 'asked' | 'answered', data: Params) =>
    node.call('audit.record', { log: 'main', id: `${kind}/${id}`, entry: { kind, ...entry, data } })
  const { seq: of } = await record('asked', { requestId, params })
  // The act is done or refused by now, and its `asked` is kept: that nobody could write down the rest changes neither.
  const answered = (outcome: string) =>
    record('answered', { of, outcome }).catch((error: unknown) => node.log.warn(`audit of ${name}:`, error))
  try {
    const result = await work()
    await answered('done')
    return result
  } catch (error) {
    await answered(troubleOf(error).code)
    throw error
  }
}

const isPrivileged = ({ method, action: { auth } }: Route): boolean =>
  method !== 'GET' && (auth === 'admin' || auth === 'moderator')
