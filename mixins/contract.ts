// How an actor says what may be asked of it, said once: the schemas here are validator, static type, OpenAPI and AsyncAPI.
// Contracts are plain data, so a gateway knows every route also while the node that serves it is away.
import type { Static, TObject, TSchema } from 'typebox'

/**
 * Who may ask. none: anybody, no caller looked at. optional: anybody, a valid token makes a caller. user: any account.
 * seller, moderator, admin: accounts with that role (admin has every role). internal: other actors only, never a client.
 */
export type Auth = 'none' | 'optional' | 'user' | 'seller' | 'moderator' | 'admin' | 'internal'

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export type ActionContract = {
  /** Public route, for example 'POST /v1/gigs/:id/publish'. Absent: not reachable from outside. */
  rest?: `${Method} /${string}`
  auth: Auth
  /** Everything the action takes: path, then query (GET, DELETE) or body (else). Closed: unknown fields are refused. */
  params: TObject
  result: TSchema
  /** One sentence for the generated documents. */
  summary: string
  /** Success status; 200 unless given. */
  status?: number
  /** The field of params that names the actor: its turns are taken on one node, one at a time. */
  key?: string
  /** Public read: carries ETag and Cache-Control, never varies by user. Seconds. */
  publicRead?: { maxAgeSeconds: number; staleSeconds: number }
  /** The stricter budget of auth routes. */
  limit?: 'auth'
  /** The body is bytes, not JSON, handed over as base64 in `params.body`; its largest size. */
  rawBody?: { bytesMax: number; types?: readonly string[] }
  /** The result is a page of HTML: text that goes out as it is, with no script and nothing from elsewhere. */
  html?: true
  /** The answer is a file to keep, of this name. */
  download?: string
  /** Only in sandbox mode; elsewhere the route does not exist. */
  sandboxOnly?: true
  /** Error codes beyond the usual ones that a client should expect, for the documents. */
  errors?: readonly string[]
}

export type ServiceContract = {
  name: string
  actions: Record<string, ActionContract>
  /** Events this actor says durably, by full name ('gig.changed'), with the schema of their data. */
  events: Record<string, TSchema>
  /** Events of others it hears durably; its group is its name. Each is delivered at least once, in order per document. */
  hears: readonly string[]
  /** Its documents have timers (`wakeAt`). */
  timers?: true
}

export const contract = <const C extends ServiceContract>(declared: C): C => declared

export type ActionsOf<C extends ServiceContract> = {
  [K in keyof C['actions'] & string as `${C['name']}.${K}`]: {
    params: Static<C['actions'][K]['params']>
    result: Static<C['actions'][K]['result']>
  }
}
export type EventsOf<C extends ServiceContract> = { [K in keyof C['events'] & string]: Static<C['events'][K]> }
