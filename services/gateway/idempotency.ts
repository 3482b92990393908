// Idempotency-Key: the same request with the same key has one effect and one answer. The record is stored before the
// command runs and names it, so that a gateway that takes over after a crash runs the same command again: what the first
// run had already done, the actors recognise.
import { hash } from 'node:crypto'
import type { Doc, Documents } from '../../adapters/documents/index.ts'
import { collection } from '../../adapters/documents/index.ts'
import { canonical } from '../../mixins/canonical.ts'
import type { Command, Node } from '../../mixins/node.ts'
import { refuse } from '../errors.ts'
import type { Params } from './body.ts'

/** running: somebody is at it. open: it ended without an outcome to keep; whoever asks next runs the same command. */
type State = 'running' | 'open' | 'done'
type Keyed = Doc & {
  bodyHash: string
  /** When the key was first used, machine epoch ms: the command's time in every run. */
  at: number
  instanceId: string
  state: State
  status: number | null
  body: string | null
  expiresAt: number
}
export const idempotency = collection<Keyed>('idempotency', { byExpiry: { keys: ['expiresAt'] } })

export const KEPT_MS = 24 * 60 * 60 * 1000
/** How long a request waits for another with its key in this process. */
export const WAIT_MS = 10_000
const PURGE_EVERY_MS = 60_000
const PURGE_BATCH = 200
const PURGE_BATCHES_MAX = 20
/** Looks at a record that others change meanwhile. */
const TRIES_MAX = 5

export type Outcome = { status: number; body: string; replayed?: true }
export type Asked = { userId: string; action: string; key: string; params: Params }
export type Idempotent = {
  run(asked: Asked, work: (command: Command) => Promise<Outcome>): Promise<Outcome>
  /** Removes what has expired; answers how many. */
  purge(): Promise<number>
  stop(): void
}

export const KEY_SHAPE = /^[\x21-\x7e]{1,255}$/

export const idempotent = async (node: Node, documents: Documents): Promise<Idempotent> => {
  await documents.declare([idempotency])
  const here = new Map<string, Promise<void>>()

  const run = async (
    { userId, action, key, params }: Asked,
    work: (command: Command) => Promise<Outcome>,
  ): Promise<Outcome> => {
    if (!KEY_SHAPE.test(key))
      throw refuse('validation_failed', 'Idempotency-Key: 1 to 255 visible ASCII letters', {
        errors: [{ path: 'Idempotency-Key', message: 'must be 1 to 255 visible ASCII letters' }],
      })
    const fresh = newRecord(
      node,
      hash('sha256', JSON.stringify([userId, action, key]), 'hex'),
      hash('sha256', canonical(params), 'hex'),
    )
    for (let attempt = 0; attempt < TRIES_MAX; attempt++) {
      const claim = await claimed(fresh)
      if (claim === 'lost') continue
      if ('outcome' in claim) return { ...claim.outcome, replayed: true }
      if ('waitFor' in claim) {
        if (!(await within(claim.waitFor, WAIT_MS))) break
        continue
      }
      return await finish(claim.record, work)
    }
    throw refuse('conflict', 'the first request with this Idempotency-Key is still running', { retryAfterSeconds: 1 })
  }

  type Claim = 'lost' | { outcome: Outcome } | { waitFor: Promise<void> } | { record: Keyed }

  const claimed = async (fresh: Keyed): Promise<Claim> => {
    if ((await documents.insert(idempotency, fresh)).ok) return { record: fresh }
    const stored = await documents.get(idempotency, fresh.id)
    if (!stored) return 'lost'
    const { id, version, at, expiresAt, state } = stored
    if (expiresAt <= Date.now()) return takeOver({ ...fresh, version: version + 1 })
    if (stored.bodyHash !== fresh.bodyHash) throw refuse('idempotency_key_reused')
    if (state === 'done') return { outcome: { status: stored.status!, body: stored.body! } }
    const running = here.get(id)
    if (running) return { waitFor: running }
    if (state === 'running' && isAliveElsewhere(stored.instanceId))
      throw refuse('conflict', 'the first request with this Idempotency-Key is still running', { retryAfterSeconds: 1 })
    return takeOver({ ...fresh, version: version + 1, at, expiresAt })
  }

  const takeOver = async (next: Keyed): Promise<Claim> =>
    (await documents.replace(idempotency, next, next.version - 1)).ok ? { record: next } : 'lost'

  const isAliveElsewhere = (instanceId: string): boolean =>
    instanceId !== node.instanceId &&
    (node.broker.registry.getNodeList({ onlyAvailable: true }) as unknown as { instanceID?: string }[]).some(
      (one) => one.instanceID === instanceId,
    )

  const finish = async (record: Keyed, work: (command: Command) => Promise<Outcome>): Promise<Outcome> => {
    const { promise, resolve } = Promise.withResolvers<void>()
    here.set(record.id, promise)
    try {
      const outcome = await work({ id: record.id, at: record.at })
      await settle(record, outcome).catch((error) => node.log.warn(`keeping the outcome of an Idempotency-Key:`, error))
      return outcome
    } finally {
      here.delete(record.id)
      resolve()
    }
  }

  /** Kept before it is answered, so that an answer seen can always be had again. */
  const settle = async (record: Keyed, { status, body }: Outcome): Promise<void> => {
    if (isFreed(status)) return void (await documents.remove(idempotency, record.id, record.version))
    const next: Keyed = {
      ...record,
      version: record.version + 1,
      ...(status >= 500 ? { state: 'open' } : { state: 'done', status, body }),
    }
    await documents.replace(idempotency, next, record.version)
  }

  const purge = async (): Promise<number> => {
    let removed = 0
    for (let batch = 0; batch < PURGE_BATCHES_MAX; batch++) {
      const { docs } = await documents.find(idempotency, { index: 'byExpiry', to: Date.now(), limit: PURGE_BATCH })
      for (const { id, version } of docs) if (await documents.remove(idempotency, id, version)) removed++
      if (docs.length < PURGE_BATCH) break
    }
    return removed
  }
  const purging = setInterval(
    () => void purge().catch((error) => node.log.warn('purging idempotency keys:', error)),
    PURGE_EVERY_MS,
  )
  purging.unref()
  return { run, purge, stop: () => clearInterval(purging) }
}

const newRecord = (node: Node, id: string, bodyHash: string): Keyed => {
  const at = Date.now()
  return {
    id,
    version: 1,
    bodyHash,
    at,
    instanceId: node.instanceId,
    state: 'running',
    status: null,
    body: null,
    expiresAt: at + KEPT_MS,
  }
}

/** Answers that say nothing was done: the key may be used again, also with a corrected body. */
const FREED = new Set([400, 401, 403, 404, 408, 413, 415, 429])
const isFreed = (status: number): boolean => FREED.has(status)

const within = async (promise: Promise<void>, ms: number): Promise<boolean> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, ms, false)
  })
  const inTime = await Promise.race([promise.then(() => true), late])
  clearTimeout(timer)
  return inTime
}
