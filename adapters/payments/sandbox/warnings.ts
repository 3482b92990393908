// Early fraud warnings: the card's issuer believes a payment to be fraud. Most become disputes; a refund before that
// saves the fee.
import { emit } from './events.ts'
import type { Stored, StripeObject } from './store.ts'
import { change, find, list, LIST_FIELDS, newId, seconds, type Route, type World } from './world.ts'

const KIND = 'radar.early_fraud_warning'
const URL = '/v1/radar/early_fraud_warnings'

export const routes: Route[] = [
  {
    method: 'GET',
    path: URL,
    name: 'early_fraud_warnings.list',
    fields: { ...LIST_FIELDS, payment_intent: 'text', charge: 'text' },
    handle: (world, call) => {
      const { payment_intent: parent, charge } = call.parameters as { payment_intent?: string; charge?: string }
      return list(world, call, { kind: KIND, ...(parent && { parent }), ...(charge && { is: { charge } }) }, URL)
    },
  },
  {
    method: 'GET',
    path: `${URL}/:id`,
    name: 'early_fraud_warnings.retrieve',
    fields: {},
    handle: (world, call) => find(world, { kind: KIND, id: call.ids[0] ?? '', account: call.account }).body,
  },
]

export const warn = (world: World, paid: Stored, fraudType: string): StripeObject => {
  const body: StripeObject = {
    id: newId('issfr'),
    object: KIND,
    actionable: paid.body.refunded !== true && paid.body.disputed !== true,
    charge: paid.body.id,
    created: seconds(world.now()),
    fraud_type: fraudType,
    livemode: false,
    payment_intent: paid.body.payment_intent as string,
  }
  world.store.put({ account: paid.account, parent: String(paid.body.payment_intent), body })
  emit(world, 'radar.early_fraud_warning.created', body, paid.account)
  return body
}

/** Once the charge is refunded or disputed there is nothing left to do about its warnings. */
export const noLongerActionable = (world: World, account: string, payment: string): void => {
  const { data } = world.store.list({ kind: KIND, account, parent: payment }, { limit: 10 })
  for (const { id } of data) {
    const stored = find(world, { kind: KIND, id, account })
    if (!stored.body.actionable) continue
    change(world, stored, { actionable: false })
    emit(world, 'radar.early_fraud_warning.updated', stored.body, account)
  }
}
