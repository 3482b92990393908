// The store of operations and what drives them: keep the call, make it outside any turn, keep its outcome and say it. What
// dies in between is taken up by its timer, under the same key.
import { PaymentsError } from '../../adapters/payments/index.ts'
import type { Actor, Decision } from '../../mixins/actor.ts'
import { actorCollection } from '../../mixins/actor.ts'
import type { Here } from '../../mixins/service.ts'
import { kindOf, lookAt, perform, type AnyOperation, type Applies, type Provider } from './calls.ts'
import type { Slot } from './background.ts'
import {
  begun,
  failedCall,
  isFree,
  mayHaveRun,
  UNDER_WAY_MS,
  type CallName,
  type Failure,
  type ProviderCall,
} from './operation.ts'
import type { Pace } from './pace.ts'
import { standing } from './standing.ts'

export const operations = actorCollection<AnyOperation>('payment_operations', {
  byPayment: { keys: ['paymentId', 'kind'] },
  byDisputed: { keys: ['disputedAt'] },
  byDisputeStatus: { keys: ['status', 'disputedAt'] },
  byStanding: { keys: ['standing', 'standingAt'] },
})

export type DriveOptions = {
  /** Does not wait for a retry's pause: somebody is waiting for the answer. */
  eager?: boolean
  /** Takes its turn among other calls of the background. */
  slot?: Slot
}
/** What stands between an operation and the provider besides the operation itself. */
export type Traffic = {
  pace?: Pace | undefined
  /** Told of every call and how it was taken: `taken`, or the class of its failure. */
  counted?(name: CallName, how: string): void
  /** Must this call not be made for now? */
  isHeld?(doc: AnyOperation, name: CallName): Promise<boolean>
}
export type Operations = {
  book: Actor<AnyOperation>
  /** Makes the operation's calls until it has none to make right now. Never throws for what the provider does. */
  drive(id: string, options?: DriveOptions): Promise<void>
  /** The call it would make next; null when there is none. */
  nextCall(id: string): Promise<CallName | null>
  /** Is a call of it being made right now, by a process that lives? */
  isUnderWay(id: string): Promise<boolean>
  /** Looks at the provider's object and applies what it is now. */
  sync(id: string): Promise<void>
}

/** Calls an operation makes in one go: transfer, payout, reversal and some retries. */
const STEPS_MAX = 8
/** How often a held operation looks whether it may go on. */
export const HELD_MS = 60_000

export const openOperations = async (
  here: Here,
  provider: Provider,
  { pace, counted, isHeld }: Traffic = {},
): Promise<Operations> => {
  const { log } = here
  const kept = await here.actor<AnyOperation>({
    of: operations,
    // The call itself is made by the hearer, outside the turn; the timer is set again first, should that be lost.
    wake: (doc, at) => standing<AnyOperation, null>((state, now) => wake(state!, now))(doc, at),
  })
  const book: Actor<AnyOperation> = { ...kept, turn: (id, decide, options) => kept.turn(id, standing(decide), options) }

  const drive = async (id: string, { eager = false, slot }: DriveOptions = {}): Promise<void> => {
    for (let step = 0; step < STEPS_MAX; step++) {
      const hurried = eager && step === 0
      if ((slot || isHeld) && !(await mayGo(id, hurried, slot))) return
      const made = await begin(id, hurried)
      if (!made) return
      if (!slot) pace?.live(made.call.name)
      const outcome = await attempt(provider, made)
      counted?.(made.call.name, 'failure' in outcome ? outcome.failure.kind : 'taken')
      if (slot) pace?.told(made.call.name, isLimited(outcome) ? 'limited' : 'taken')
      await settle(id, made.call, outcome)
      if ('failure' in outcome) return
    }
  }

  /** Waits for a slot where there are slots, and looks whether the call is held; a held one looks again later. */
  const mayGo = async (id: string, eager: boolean, slot: Slot | undefined): Promise<boolean> => {
    const doc = await book.read(id)
    const name = doc && kindOf(doc).nextCall(doc)
    if (!name || !isFree(doc, name, { now: here.clock.now(), eager, isRunning: here.isRunning })) return false
    // What may have run before is looked for first, and mostly found: it takes no slot of what sends money.
    if (slot && !(await slot(mayHaveRun(doc.call, name) ? 'find' : name))) return false
    if (!(await isHeld?.(doc, name))) return true
    await book.turn(id, (state, now) =>
      state && kindOf(state).nextCall(state) === name
        ? { next: { ...state, wakeAt: now + HELD_MS }, result: null }
        : { result: null },
    )
    return false
  }

  /** Keeps the call before it is made; null when there is none to make now. */
  const begin = (
    id: string,
    eager: boolean,
  ): Promise<{ doc: AnyOperation; call: ProviderCall; mayHaveRun: boolean } | null> =>
    book.turn(id, (state, now) => {
      const name = state && kindOf(state).nextCall(state)
      if (!state || !name || !isFree(state, name, { now, eager, isRunning: here.isRunning })) return { result: null }
      const next = begun(state, name, { now, by: here.instanceId })
      return { next, result: { doc: next, call: next.call, mayHaveRun: mayHaveRun(state.call, name) } }
    })

  const settle = (id: string, call: ProviderCall, outcome: Outcome): Promise<null> =>
    book.turn(
      id,
      (state, now): Decision<AnyOperation, null> => {
        if (!state) return { result: null }
        // An object is applied for what it is, whoever asked for it; that it was applied before changes nothing.
        if ('applies' in outcome) return { ...followed(outcome.applies(state, now), now), result: null }
        // A failure counts only while it is this call that is waited for.
        if (state.call?.key !== call.key || state.call.state === 'settled') return { result: null }
        const failed = failedCall(state, outcome.failure, now, Math.random())
        if (failed.action === 'stop') log.error(`payment operation ${id} is stuck at ${call.name}:`, outcome.failure)
        if (failed.action !== 'give_up') return { next: failed.next, result: null }
        log.warn(`payment operation ${id}: ${call.name} was refused:`, outcome.failure)
        return { ...followed(kindOf(state).refused(failed.next, call.name, outcome.failure, now), now), result: null }
      },
      { settle: ['*'] },
    )

  /** What comes next must not wait for luck: a call that is due has a timer. */
  const followed = ({ next, say }: ReturnType<Applies<AnyOperation>>, now: number) => {
    if (next.stuck) log.error(`payment operation ${next.id} is stuck:`, next.stuck)
    for (const { name, data } of say)
      if (name === 'payment.refund.failed') log.error('a refund failed, the buyer has no money back:', data)
    const due = !next.stuck && kindOf(next).nextCall(next) !== null
    return { next: due ? { ...next, wakeAt: Math.min(next.wakeAt ?? Infinity, now + UNDER_WAY_MS) } : next, say }
  }

  const sync = async (id: string): Promise<void> => {
    const doc = await book.read(id)
    const applies = doc && (await lookAt(provider, doc))
    if (!applies) return
    await book.turn(
      id,
      (state, now) => {
        if (!state || state.stuck) return { result: null }
        const { next, say } = followed(applies(state, now), now)
        return next === state ? { result: null } : { next, say, result: null }
      },
      { settle: ['*'] },
    )
    await drive(id)
  }

  const isUnderWay = async (id: string): Promise<boolean> => {
    const call = (await book.read(id))?.call
    return call?.state === 'under_way' && here.isRunning(call.by) && call.notBefore > here.clock.now()
  }

  const nextCall = async (id: string): Promise<CallName | null> => {
    const doc = await book.read(id)
    return doc && kindOf(doc).nextCall(doc)
  }

  return { book, drive, nextCall, sync, isUnderWay }
}

const wake = (state: AnyOperation, now: number): Decision<AnyOperation, null> => {
  const woken = kindOf(state).woken(state)
  const due = kindOf(woken).nextCall(woken) !== null && !woken.stuck
  return {
    next: { ...woken, wakeAt: due ? now + UNDER_WAY_MS : null },
    say: due ? [{ name: 'payment.due', data: { operation: state.id } }] : [],
    result: null,
  }
}

const isLimited = (outcome: Outcome): boolean => 'failure' in outcome && outcome.failure.kind === 'rate'

type Outcome = { applies: Applies<AnyOperation> } | { failure: Failure }

const attempt = async (provider: Provider, made: Parameters<typeof perform>[1]): Promise<Outcome> => {
  try {
    return { applies: await perform(provider, made) }
  } catch (error) {
    if (error instanceof PaymentsError && error.kind !== 'bad_signature')
      return { failure: { kind: classOf(error, made.call), code: error.code, message: error.message } }
    // Whatever else went wrong, the call may have run.
    return {
      failure: { kind: 'unknown', code: 'no_answer', message: error instanceof Error ? error.message : String(error) },
    }
  }
}

/**
 * The payment method is the buyer's to name: one that can't be right is a refusal of it, not our mistake. But a key that the
 * provider knows with other words was sent before: what came of that is to be found out, not to be told as a refusal.
 */
const classOf = ({ kind, code }: PaymentsError, { name }: ProviderCall): Failure['kind'] => {
  if (name !== 'confirm' || kind !== 'bug') return kind as Failure['kind']
  return code === 'idempotency_error' ? 'unknown' : 'definitive'
}
