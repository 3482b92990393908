// How an operation stands with the provider, for those who look after it: kept on the operation, so that the oldest unknown
// one is found at once. Pure.
import type { Decide } from '../../mixins/actor.ts'
import { iso, type Money } from '../shapes.ts'
import type { AnyOperation } from './calls.ts'
import type { PublicOperation, Standing } from './contract.ts'
import type { Operation } from './operation.ts'

/** unknown: a call may have moved money and nobody knows; however often it is sent again meanwhile. */
export const standingOf = ({ stuck, call }: Operation): Standing | null => {
  if (stuck) return 'stuck'
  if (!call || call.state === 'settled') return null
  return call.inDoubt || call.state === 'unknown' ? 'unknown' : call.state
}

/** Whatever a turn decides, the operation says how it stands afterwards, and since when. */
export const standing =
  <D extends AnyOperation, R>(decide: Decide<D, R>): Decide<D, R> =>
  (state, now) => {
    const decision = decide(state, now)
    if (!decision.next) return decision
    const is = standingOf(decision.next)
    const since = is === null ? null : state?.standing === is ? (state.standingAt ?? now) : now
    return { ...decision, next: { ...decision.next, standing: is, standingAt: since } }
  }

export const publicOperation = (doc: AnyOperation): PublicOperation => {
  const { id, kind, call, createdAt, standing: is, standingAt, stuck } = doc
  const about = doc as { order?: string; seller?: string; amount?: Money }
  const names = doc as Partial<Record<(typeof NAMES)[number], string | null>>
  return {
    id,
    kind,
    ...(is && { standing: is, since: iso(standingAt ?? createdAt) }),
    ...(call && {
      call: {
        name: call.name,
        attempt: call.attempt,
        tries: call.tries,
        key: call.key,
        ...(call.lastError && { lastError: call.lastError }),
        ...(call.state !== 'settled' && { nextAt: iso(call.notBefore) }),
      },
    }),
    ...(about.order !== undefined && { order: about.order }),
    ...(about.seller !== undefined && { seller: about.seller }),
    ...(about.amount && { amount: about.amount }),
    provider: Object.fromEntries(NAMES.flatMap((name) => (names[name] ? [[name, names[name]]] : []))),
    ...(stuck && { stuck: { code: stuck.code, message: stuck.message } }),
    createdAt: iso(createdAt),
  }
}
/** What the provider calls the objects of an operation. */
const NAMES = ['paymentId', 'refundId', 'transferId', 'bankPayoutId', 'accountId', 'account'] as const
