// An actor: a document under one key, changed one turn at a time. A turn loads (or has) the state, asks a pure `decide`,
// writes once on condition that nobody else did, and only then says what happened. What it says is stored in that same
// write; see outbox.ts. A stale owner loses the write, forgets its state and decides again on the true one.
import type { Collection, Doc, Documents, Index } from '../adapters/documents/index.ts'
import { collection, DocumentsError } from '../adapters/documents/index.ts'
import type { Events } from '../services/contract.ts'
import { refuse } from '../services/errors.ts'
import { mailbox, MAILBOX, type MailboxLimits, type Slot } from './mailbox.ts'
import type { Node } from './node.ts'
import { groupsOf, relay, type Entry, type Relay } from './outbox.ts'
import { timekeeper, type Timekeeper } from './timers.ts'

/** What every actor's document carries besides its own fields. All of it is the runtime's but `wakeAt`. */
export type ActorDoc = Doc & {
  /** When the actor wants to be woken, platform epoch ms. */
  wakeAt?: number | null
  /** Said, stored, not yet acknowledged by every group. */
  outbox: Entry[]
  /** Machine epoch ms of the oldest unacknowledged entry. */
  outboxAt?: number | null
}
export type Said = { [E in keyof Events & string]: { name: E; data: Events[E] } }[keyof Events & string]

/** What a turn came to. Without `next` nothing is written. `say` needs a `next`. */
export type Decision<T, R> = { next?: T; say?: readonly Said[]; result: R }
export type Decide<T, R> = (state: T | null, now: number) => Decision<T, R>

export type TurnOptions = {
  deadlineAt?: number | undefined
  /** Answer only once these groups have acknowledged what this turn said, or SETTLE_MS have passed. */
  settle?: readonly string[]
}
export type Actor<T extends ActorDoc> = {
  service: string
  of: Collection<T>
  turn<R>(key: string, decide: Decide<T, R>, options?: TurnOptions): Promise<R>
  /** The document as stored, without a turn. */
  read(key: string): Promise<T | null>
  relay: Relay
  timers: Timekeeper | null
  size(): { keys: number; waiting: number }
  stop(): Promise<void>
}
export type ActorOptions<T extends ActorDoc> = {
  of: Collection<T>
  /** What a due actor does. Pure; must move or clear `wakeAt`. */
  wake?: (state: T, now: number) => Decision<T, unknown>
  /**
   * Told of every write of this node inside its turn, so in the order of versions and before anybody has the answer. For
   * what may be missed (frames, notices): a node that falls in between tells nobody. What must be heard is said.
   */
  stored?: (before: T | null, after: T) => void
  limits?: Partial<MailboxLimits>
}

/** Unacknowledged entries one document may carry; past it a turn that says something is refused as overloaded. */
export const OUTBOX_MAX = 200
/** How long a command waits for the groups it settles with. */
export const SETTLE_MS = 3000
/** How often a turn decides anew after losing its write. */
const STALE_TRIES = 4

/** Declares a collection of actor documents: its own indexes, timers and outbox. */
export const actorCollection = <T extends ActorDoc>(name: string, indexes: Record<string, Index> = {}): Collection<T> =>
  collection<T>(name, { ...indexes, byWake: { keys: ['wakeAt'] }, byOutbox: { keys: ['outboxAt'] } })

export const actor = <T extends ActorDoc>(
  node: Node,
  documents: Documents,
  service: string,
  options: ActorOptions<T>,
): Actor<T> => {
  const { of, wake, stored: tell } = options
  const box = mailbox<T>({ ...MAILBOX, ...options.limits })

  const turn = async <R>(key: string, decide: Decide<T, R>, { deadlineAt, settle }: TurnOptions = {}): Promise<R> => {
    const { result, said } = await box.run(key, deadlineAt, (slot) => takeTurn(key, slot, decide))
    if (said.length > 0) {
      delivery.offer(key, said)
      if (settle)
        await delivery.settled(
          key,
          said.map(({ id }) => id),
          settle,
          SETTLE_MS,
        )
    }
    return result
  }

  const takeTurn = async <R>(
    key: string,
    slot: Slot<T>,
    decide: Decide<T, R>,
  ): Promise<{ result: R; said: Entry[] }> => {
    for (let attempt = 0; attempt < STALE_TRIES; attempt++) {
      const cached = attempt === 0 && slot.state !== undefined
      const state = cached ? slot.state! : await documents.get(of, key)
      slot.state = state ?? undefined
      const decided = attemptDecision(decide, state, node.clock.now())
      if (!decided.ok || !decided.decision.next) {
        // Refusing or answering from memory is only right if memory is: a stale owner must look before it says no.
        if (cached && !(await isCurrent(key, state))) continue
        if (!decided.ok) throw decided.error
        return { result: decided.decision.result, said: [] }
      }
      const written = await write(key, slot, state, decided.decision)
      if (written) return { result: decided.decision.result, said: written }
    }
    throw refuse('overloaded', `${of.name} ${key} is being changed elsewhere`, { retryAfterSeconds: 1 })
  }

  const isCurrent = async (key: string, state: T | null): Promise<boolean> =>
    (await documents.get(of, key))?.version === state?.version

  /** The one conditional write. Answers what was said, or null when somebody else wrote first. */
  const write = async (
    key: string,
    slot: Slot<T>,
    state: T | null,
    { next, say = [] }: Decision<T, unknown>,
  ): Promise<Entry[] | null> => {
    const version = (state?.version ?? 0) + 1
    const said = say.map((one, at) => entryOf(`${of.name}:${key}:${version}:${at}`, one))
    const waiting = (state?.outbox ?? []).filter(({ id }) => !delivery.isAcknowledged(id))
    const outbox = [...waiting, ...said.filter(({ groups }) => groups.length > 0)]
    if (outbox.length > OUTBOX_MAX)
      throw refuse('overloaded', `${key} has too much left to say`, { retryAfterSeconds: 5 })
    const stored: T = { ...next!, id: key, version, outbox, outboxAt: outbox[0]?.at ?? null }
    slot.state = undefined
    const outcome = state ? await documents.replace(of, stored, state.version) : await documents.insert(of, stored)
    if (outcome.ok) {
      slot.state = stored
      tell?.(state, stored)
      delivery.forget(state?.outbox.filter((entry) => !waiting.includes(entry)).map(({ id }) => id) ?? [])
      return said.filter(({ groups }) => groups.length > 0)
    }
    if (outcome.conflict === 'stale' || outcome.conflict === 'id') return null
    throw refuse('conflict', `${outcome.conflict} is taken`, { data: { index: outcome.conflict } })
  }

  const delivery: Relay = relay(node, documents, service, of, (key) =>
    // A turn that changes nothing but lets the write drop what is acknowledged.
    turn(key, (state) => (state?.outbox.length ? { next: state, result: undefined } : { result: undefined })),
  )
  const timers = wake
    ? timekeeper(node, documents, service, of, (key) =>
        turn(key, (state, now) => (state && isDue(state, now) ? wake(state, now) : { result: undefined }), {
          settle: groupsSettledOnWake,
        }),
      )
    : null

  return {
    service,
    of,
    turn,
    read: (key) => documents.get(of, key),
    relay: delivery,
    timers,
    size: box.size,
    stop: async () => {
      timers?.stop()
      await box.drained()
      await delivery.stop()
      box.stop()
    },
  }
}

/** A woken actor's timer counts as handled when its events were delivered: the clock may then move on. */
const groupsSettledOnWake = ['*'] as const

const isDue = (state: ActorDoc, now: number): boolean => typeof state.wakeAt === 'number' && state.wakeAt <= now

const attemptDecision = <T, R>(decide: Decide<T, R>, state: T | null, now: number) => {
  try {
    return { ok: true, decision: decide(state, now) } as const
  } catch (error) {
    return { ok: false, error } as const
  }
}

const entryOf = (id: string, { name, data }: Said): Entry => ({
  id,
  name,
  data,
  at: Date.now(),
  groups: groupsOf(name),
})

/** A store's trouble in the words a client understands. */
export const storeTrouble = (error: unknown): unknown =>
  error instanceof DocumentsError && error.code !== 'bad_query' && error.code !== 'no_index'
    ? refuse(
        error.code === 'bad_cursor'
          ? 'bad_cursor'
          : error.code === 'document_too_large'
            ? 'body_too_large'
            : 'unavailable',
        error.message,
        { retryAfterSeconds: 1 },
      )
    : error
