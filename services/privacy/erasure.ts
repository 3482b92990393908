// Forgetting a person: what is in the way, and who has to forget.
import { actorCollection, type ActorDoc, type Decision } from '../../mixins/actor.ts'
import type { Call } from '../../mixins/node.ts'
import type { FieldError } from '../errors.ts'
import type { OrderStatus } from '../order/contract.ts'
import type { Caller } from '../shapes.ts'
import type { Ask } from './export.ts'

/** Keyed by the user: begun once, and said until everybody has forgotten. */
export type ErasureDoc = ActorDoc & { begunAt: number }
export const erasures = actorCollection<ErasureDoc>('erasures')

export const begun = (known: ErasureDoc | null, user: string, now: number): Decision<ErasureDoc, undefined> =>
  known
    ? { result: undefined }
    : {
        next: { id: user, version: 0, outbox: [], begunAt: now },
        say: [{ name: 'privacy.erasing', data: { user } }],
        result: undefined,
      }

/** Of these somebody else waits for something. */
const OPEN: readonly OrderStatus[] = [
  'awaiting_payment',
  'awaiting_requirements',
  'in_progress',
  'delivered',
  'disputed',
]
/** Ledger accounts of a seller that must be empty. */
const OWNED = ['clearing', 'available', 'in_payout', 'held'] as const
const ORDERS_NAMED = 10

/** Empty: nothing is. */
export const inTheWay = async (ask: Ask, { id, roles }: Caller): Promise<FieldError[]> => {
  const orders = await Promise.all(OPEN.map((status) => ask('order.list', { status, limit: ORDERS_NAMED })))
  const balances = await ask('ledger.balances', { accounts: OWNED.map((kind) => `${kind}:${id}`) })
  return [
    ...orders.flatMap(({ data }) =>
      data.map((order) => ({ path: 'orders', message: `${order.id} is ${order.status.replaceAll('_', ' ')}` })),
    ),
    ...OWNED.flatMap((kind) =>
      Object.entries(balances[`${kind}:${id}`] ?? {})
        .filter(([, amount]) => amount !== 0)
        .map(([currency, amount]) => ({
          path: 'balance',
          message: `${kind.replaceAll('_', ' ')}: ${0 - amount} ${currency} (minor units)`,
        })),
    ),
    ...roles
      .filter((role) => role === 'admin' || role === 'moderator')
      .map((role) => ({ path: 'roles', message: `the role ${role} is to be given back first` })),
  ]
}

/** Each may be asked again: it goes on where it stopped. The account comes first, so that nothing new is made meanwhile. */
export const forgetEverywhere = async (call: Call, user: string): Promise<void> => {
  const options = { timeoutMs: FORGET_TIMEOUT_MS }
  await call('account.erase', { id: user }, options)
  await call('gig.forget', { user }, options)
  await call('favorite.forget', { user }, options)
  await call('discovery.forget', { user }, options)
  await call('recommendation.forget', { user }, options)
  await call('notification.forget', { user }, options)
  await call('moderation.forget', { user }, options)
  await call('offer.forget', { user }, options)
  await call('order.forget', { user }, options)
  await call('review.forget', { user }, options)
  await call('payment.forget', { user }, options)
}
const FORGET_TIMEOUT_MS = 25_000
