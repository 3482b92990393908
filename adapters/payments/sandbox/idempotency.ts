// The first result of a key is its result, errors included, once the request began to run. Forgotten after a day.
import { createHash } from 'node:crypto'
import { invalid, Problem } from './problem.ts'
import type { World } from './world.ts'

export const KEY_TTL_MS = 24 * 3_600_000
export const KEY_CHARACTERS_MAX = 255
const FORGOTTEN_AT_ONCE_MAX = 500

export type Answer = { status: number; body: string; replayed?: true }
export type KeyedRequest = { account: string; key: string; fingerprint: string }

export const fingerprint = (method: string, path: string, form: string): string =>
  createHash('sha256').update(`${method} ${path}\n${form}`).digest('base64url')

/** The stored first answer of this key, or nothing if it is new; the same key for another request is refused. */
export const recall = (world: World, request: KeyedRequest): Answer | undefined => {
  if (request.key.length > KEY_CHARACTERS_MAX)
    throw invalid(`Idempotency keys have at most ${KEY_CHARACTERS_MAX} characters.`)
  const known = world.store.row(
    'SELECT request, status, body FROM idempotency_keys WHERE account = ? AND key = ? AND created_at > ?',
    request.account,
    request.key,
    world.now() - KEY_TTL_MS,
  )
  if (!known) return undefined
  if (known.request !== request.fingerprint) {
    throw new Problem(400, {
      type: 'idempotency_error',
      message: `The key '${request.key}' was first used with other parameters. Use another key for this request.`,
    })
  }
  return { status: Number(known.status), body: String(known.body), replayed: true }
}

export const remember = (world: World, request: KeyedRequest, answer: Answer): void => {
  world.store.run(
    `INSERT INTO idempotency_keys (account, key, created_at, request, status, body) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (account, key) DO UPDATE SET
       created_at = excluded.created_at, request = excluded.request, status = excluded.status, body = excluded.body`,
    request.account,
    request.key,
    world.now(),
    request.fingerprint,
    answer.status,
    answer.body,
  )
}

export const inUse = (key: string): Problem =>
  new Problem(409, {
    type: 'idempotency_error',
    code: 'idempotency_key_in_use',
    message: `Another request with the key '${key}' is still being carried out. Try again in a moment.`,
  })

export const forgetOldKeys = (world: World): void => {
  world.store.run(
    `DELETE FROM idempotency_keys WHERE (account, key) IN
     (SELECT account, key FROM idempotency_keys WHERE created_at <= ? LIMIT ${FORGOTTEN_AT_ONCE_MAX})`,
    world.now() - KEY_TTL_MS,
  )
}
