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

type Job = { run: () => Promise<void>; refuse: (error: Error) => void; deadlineAt: number | undefined }
/** What is remembered under a key between turns: the owner's state, and the turns waiting. */
export type Slot<S> = { state: S | undefined; waiting: Job[]; busy: boolean; usedAt: number }

export type Mailbox<S> = {
  /** Runs `job` when its turn comes. Refused as overloaded when the mailbox is full or the deadline (epoch ms) has passed. */
  run<R>(key: string, deadlineAt: number | undefined, job: (slot: Slot<S>) => Promise<R>): Promise<R>
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

  const run = <R>(key: string, deadlineAt: number | undefined, job: (slot: Slot<S>) => Promise<R>): Promise<R> => {
    const slot = touch(key)
    if (slot.waiting.length >= limits.waitingMax) return Promise.reject(full(key))
    return new Promise<R>((resolve, reject) => {
      slot.waiting.push({ run: () => job(slot).then(resolve, reject), refuse: reject, deadlineAt })
      active++
      if (!slot.busy) void work(slot)
    })
  }

  const work = async (slot: Slot<S>): Promise<void> => {
    slot.busy = true
    for (let job = slot.waiting.shift(); job; job = slot.waiting.shift()) {
      if (job.deadlineAt !== undefined && Date.now() > job.deadlineAt) job.refuse(late())
      else await job.run()
      active--
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
    run,
    peek: (key) => slots.get(key)?.state,
    size: () => ({ keys: slots.size, waiting: active }),
    drained: () => (active === 0 ? Promise.resolve() : new Promise((resolve) => onDrained.push(resolve))),
    stop: () => clearInterval(sweep),
  }
}

const full = (key: string) => refuse('overloaded', `too many turns are waiting for ${key}`, { retryAfterSeconds: 1 })
const late = () => refuse('overloaded', 'the deadline passed before the turn began', { retryAfterSeconds: 1 })
