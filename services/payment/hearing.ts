// Which operation an event of the provider is about: the one named in the object's metadata, or, for what others begin
// against a payment, one of its own that starts here.
import type { ProviderEvent } from '../../adapters/payments/index.ts'
import type { Documents } from '../../adapters/documents/index.ts'
import type { Log } from '../../mixins/node.ts'
import type { AnyOperation } from './calls.ts'
import type { ChargeDoc } from './charge.ts'
import { newDispute } from './dispute.ts'
import { operations, type Operations } from './operations.ts'
import { newWarning } from './warning.ts'

type Begins = (id: string, paid: ChargeDoc & { paymentId: string }, now: number) => AnyOperation

/** What others begin against a payment, by the object that tells of it. */
const BEGUN_BY_OTHERS: Readonly<Record<string, Begins>> = {
  dispute: (id, paid, now) => newDispute(id, { ...orderOf(paid), currency: paid.amount.currency }, now),
  'radar.early_fraud_warning': (id, paid, now) => newWarning(id, { ...orderOf(paid), amount: paid.amount }, now),
}

const orderOf = ({ id, order, paymentId }: ChargeDoc & { paymentId: string }) => ({
  order: order ?? id,
  ...(order !== undefined && { charge: id }),
  paymentId,
})

const beginsWith = (objectType: string): Begins | undefined =>
  Object.hasOwn(BEGUN_BY_OTHERS, objectType) ? BEGUN_BY_OTHERS[objectType] : undefined
const named = ({ metadata }: Pick<ProviderEvent, 'metadata'>): string | undefined => metadata.op ?? metadata.order

/** Could it be about an operation of ours? */
export const concerns = (event: ProviderEvent): boolean =>
  named(event) !== undefined || beginsWith(event.objectType) !== undefined

/** What is needed of an event. */
type Happened = Pick<ProviderEvent, 'type' | 'objectId' | 'objectType' | 'metadata' | 'paymentId'>

export const hearing = (documents: Documents, all: Operations, log: Log) => {
  const begun = async ({ type, objectId, paymentId }: Happened, begins: Begins): Promise<string | undefined> => {
    const paid = paymentId === undefined ? null : await chargeWith(documents, paymentId)
    if (!paid) {
      log.warn(`${type} ${objectId} is about a payment that is not ours:`, paymentId)
      return undefined
    }
    await all.book.turn(objectId, (state, now) =>
      state ? { result: null } : { next: begins(objectId, paid, now), result: null },
    )
    return objectId
  }
  return async (event: Happened): Promise<void> => {
    const begins = beginsWith(event.objectType)
    const operation = begins ? await begun(event, begins) : named(event)
    if (operation !== undefined) await all.sync(operation)
  }
}

const chargeWith = async (documents: Documents, paymentId: string) => {
  const { docs } = await documents.find(operations, {
    index: 'byPayment',
    equals: { paymentId, kind: 'charge' },
    limit: 1,
  })
  const paid = docs[0]
  return paid?.kind === 'charge' && paid.paymentId !== null ? { ...paid, paymentId: paid.paymentId } : null
}
