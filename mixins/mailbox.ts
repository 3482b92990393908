// One turn at a time per key, in the order asked; bounded, with deadlines; idle keys are forgotten, least used first.
import { refuse } from '../services/errors.ts'

export type MailboxLimits = {
  /** Turns that may wait for one key; one more is refused as overloaded. */
  waitingMax: number
  /** Keys kept when idle. */
  keysMax: number
  /** A key unused for this long is forgotten at the next sweep. */
  idleMs: number
}
export const MAILBOX: MailboxLimits = { waitingMax: 256, keysMax: 20_000, idleMs: 10 * 60_000 }
const SWEEP_MS = 30_000

/** Turns of one kind that are one turn at most. */
export const TOGETHER_MAX = 64

/** What somebody asked of a turn, and how they are told what it came to. */
export type Asked<I, R> = { item: I; resolve: (result: R) => void; reject: (error: unknown) => void }
/** Settles everybody; who is not when it fails, fails with it. */
export type Together<S, I, R> = (slot: Slot<S>, all: readonly Asked<I, R>[]) => Promise<void>
type Job<S> = Asked<never, never> & {
  work: Together<S, never, never>
  deadlineAt: number | undefined
  /** Whoever asks in the same turn of the loop still comes along. */
  gathers: boolean
}
/** What is remembered under a key between turns: the owner's state, and the turns waiting. */
export type Slot<S> = { state: S | undefined; waiting: Job<S>[]; busy: boolean; usedAt: number }

export type Mailbox<S> = {
  /** Runs `job` when its turn comes. Refused as overloaded when the mailbox is full or the deadline (epoch ms) has passed. */
  run<R>(key: string, deadlineAt: number | undefined, job: (slot: Slot<S>) => Promise<R>): Promise<R>
  /** The same, as one turn with those of the same `work` that wait right behind it. */
  runTogether<I, R>(key: string, deadlineAt: number | undefined, item: I, work: Together<S, I, R>): Promise<R>
  /** What is remembered under a key right now, if anything: nothing while a turn does not know how its write went. */
  peek(key: string): S | undefined
  /** Keys in memory, and turns waiting over all of them. */
  size(): { keys: number; waiting: number }
  /** Resolves when no turn is running or waiting. */
  drained(): Promise<void>
  stop(): void
}

export const mailbox = <S>(limits: MailboxLimits = MAILBOX): Mailbox<S> => {
  // In order of use: re-inserted at every turn, so that the first keys are the least used.
  const slots = new Map<string, Slot<S>>()
  const onDrained: (() => void)[] = []
  let active = 0

  const enqueue = <I, R>(
    key: string,
    asked: { deadlineAt: number | undefined; item: I; work: Together<S, I, R>; gathers: boolean },
  ): Promise<R> => {
    const slot = touch(key)
    if (slot.waiting.length >= limits.waitingMax) return Promise.reject(full(key))
    return new Promise((resolve, reject) => {
      slot.waiting.push({ ...asked, resolve, reject } as unknown as Job<S>)
      active++
      if (!slot.busy) void takeTurns(slot)
    })
  }

  const takeTurns = async (slot: Slot<S>): Promise<void> => {
    slot.busy = true
    for (let first = slot.waiting[0]; first; first = slot.waiting[0]) {
      const { work, gathers } = first
      if (gathers) await endOfLoop()
      const turn = takeAlike(slot.waiting, work)
      const inTime = turn.filter(isInTime)
      if (inTime.length > 0)
        await work(slot, inTime).catch((error: unknown) => {
          for (const { reject } of inTime) reject(error)
        })
      active -= turn.length
    }
    slot.busy = false
    slot.usedAt = Date.now()
    if (active === 0) for (const done of onDrained.splice(0)) done()
  }

  const touch = (key: string): Slot<S> => {
    const known = slots.get(key)
    if (known) slots.delete(key)
    const slot = known ?? { state: undefined, waiting: [], busy: false, usedAt: Date.now() }
    slots.set(key, slot)
    if (!known && slots.size > limits.keysMax) forgetOldest()
    return slot
  }

  const forgetOldest = () => {
    for (const [key, slot] of slots) {
      if (slots.size <= limits.keysMax) return
      if (!slot.busy && slot.waiting.length === 0) slots.delete(key)
    }
  }

  const sweep = setInterval(() => {
    const before = Date.now() - limits.idleMs
    for (const [key, slot] of slots)
      if (!slot.busy && slot.waiting.length === 0 && slot.usedAt < before) slots.delete(key)
  }, SWEEP_MS)
  sweep.unref()

  return {
    // Work of its own is like no other.
    run: (key, deadlineAt, job) => {
      const work: Together<S, undefined, Awaited<ReturnType<typeof job>>> = async (slot, all) =>
        all[0]!.resolve(await job(slot))
      return enqueue(key, { deadlineAt, item: undefined, work, gathers: false })
    },
    runTogether: (key, deadlineAt, item, work) => enqueue(key, { deadlineAt, item, work, gathers: true }),
    peek: (key) => slots.get(key)?.state,
    size: () => ({ keys: slots.size, waiting: active }),
    drained: () => (active === 0 ? Promise.resolve() : new Promise((resolve) => onDrained.push(resolve))),
    stop: () => clearInterval(sweep),
  }
}

const takeAlike = <S>(waiting: Job<S>[], work: Job<S>['work']): Job<S>[] => {
  const end = waiting.findIndex((job, at) => job.work !== work || at >= TOGETHER_MAX)
  return waiting.splice(0, end < 0 ? waiting.length : end)
}

const endOfLoop = () => new Promise((resolve) => setImmediate(resolve))

const isInTime = ({ deadlineAt, reject }: Job<never>): boolean => {
  if (deadlineAt === undefined || Date.now() <= deadlineAt) return true
  reject(late())
  return false
}

const full = (key: string) => refuse('overloaded', `too many turns are waiting for ${key}`, { retryAfterSeconds: 1 })
const late = () => refuse('overloaded', 'the deadline passed before the turn began', { retryAfterSeconds: 1 })
