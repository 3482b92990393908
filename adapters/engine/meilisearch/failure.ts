// What went wrong with the server, in the port's words, and what that says about the server.
import { MeilisearchRequestError } from 'meilisearch'
import { EngineError } from '../index.ts'
import { Refused } from './http.ts'

export type Verdict = {
  error: unknown
  /** It is as it should be, it may be about to go, or it has to be set up anew. */
  server: 'well' | 'failing' | 'lost'
}

const BUSY = new Set(['too_many_search_requests', 'search_queue_full'])

export const verdictOf = (thrown: unknown): Verdict => {
  if (thrown instanceof EngineError) return { error: thrown, server: 'well' }
  if (!(thrown instanceof MeilisearchRequestError)) return { error: thrown, server: 'well' }
  const { cause } = thrown
  if (!(cause instanceof Refused)) return { error: down(reasonOf(cause)), server: 'failing' }
  const { status, code, message } = cause
  if (BUSY.has(code) || status === 429) return { error: new EngineError('engine_busy', message), server: 'well' }
  if (status >= 500 || status === 408) return { error: down(message), server: 'failing' }
  // No such index, or a key it does not take.
  if (status === 404 || status === 401 || status === 403) return { error: down(message), server: 'lost' }
  return { error: new EngineError('bad_query', message), server: 'well' }
}

const down = (reason: string) => new EngineError('engine_down', `the search server: ${reason}`)
const reasonOf = (cause: unknown): string => {
  if (!(cause instanceof Error)) return String(cause)
  return (cause as { code?: string }).code ?? cause.message
}

/** The key is wrong: waiting does not help. */
export const isForbidden = (thrown: unknown): boolean =>
  thrown instanceof MeilisearchRequestError &&
  thrown.cause instanceof Refused &&
  [401, 403].includes(thrown.cause.status)
