// Transfers from the platform's balance to a connected account's, and their reversals.
import { post, requireAvailable } from './balance.ts'
import { emit } from './events.ts'
import { invalid } from './problem.ts'
import type { Json, Stored, StripeObject } from './store.ts'
import {
  asked,
  change,
  find,
  list,
  LIST_FIELDS,
  moneyOf,
  newId,
  positiveAmount,
  seconds,
  type Call,
  type Route,
  type World,
} from './world.ts'

const KIND = 'transfer'

export const routes: Route[] = [
  {
    method: 'POST',
    path: '/v1/transfers',
    name: 'transfers.create',
    fields: {
      amount: 'integer!',
      currency: 'currency!',
      destination: 'text!',
      metadata: 'metadata',
      transfer_group: 'text',
      description: 'text',
    },
    handle: (world, call) => create(world, call),
  },
  {
    method: 'GET',
    path: '/v1/transfers',
    name: 'transfers.list',
    fields: { ...LIST_FIELDS, transfer_group: 'text', destination: 'text' },
    handle: (world, call) =>
      list(
        world,
        call,
        {
          kind: KIND,
          is: asked(call, ['destination']),
          ...(call.parameters.transfer_group !== undefined && { parent: call.parameters.transfer_group as string }),
        },
        '/v1/transfers',
      ),
  },
  {
    method: 'GET',
    path: '/v1/transfers/:id',
    name: 'transfers.retrieve',
    fields: {},
    handle: (world, call) => transfer(world, call).body,
  },
  {
    method: 'GET',
    path: '/v1/transfers/:id/reversals',
    name: 'transfers.listReversals',
    fields: { limit: 'integer', starting_after: 'text', ending_before: 'text' },
    handle: (world, call) =>
      list(
        world,
        call,
        { kind: 'transfer_reversal', parent: transfer(world, call).body.id },
        `/v1/transfers/${call.ids[0]}/reversals`,
      ),
  },
  {
    method: 'POST',
    path: '/v1/transfers/:id/reversals',
    name: 'transfers.createReversal',
    fields: { amount: 'integer', metadata: 'metadata?', description: 'text' },
    handle: (world, call) => reverse(world, call, transfer(world, call)),
  },
]

const transfer = (world: World, call: Call): Stored =>
  find(world, { kind: KIND, id: call.ids[0] ?? '', account: call.account })

const create = (world: World, call: Call): Json => {
  const { amount, currency, destination } = call.parameters as { amount: number; currency: string; destination: string }
  positiveAmount(amount)
  const account = find(world, { kind: 'account', id: destination, account: '', param: 'destination' })
  if ((account.body.capabilities as Record<string, Json>).transfers !== 'active')
    throw invalid(
      'Your destination account needs to have at least one of the following capabilities enabled: transfers.',
      'insufficient_capabilities_for_transfer',
    )
  requireAvailable(world, { account: call.account, currency, amount })
  const body = newTransfer(world, call)
  const sent = post(world, { account: call.account, type: 'transfer', amount: -amount, currency, source: body.id })
  const received = post(world, {
    account: destination,
    type: 'payment',
    amount,
    currency,
    source: String(body.destination_payment),
  })
  world.store.put({ account: destination, body: receivedPayment(world, body, received.id) })
  body.balance_transaction = sent.id
  world.store.put({ account: call.account, parent: String(body.transfer_group ?? ''), body })
  emit(world, 'transfer.created', body, call.account)
  return body
}

const newTransfer = (world: World, call: Call): StripeObject => {
  const id = newId('tr')
  const { amount, currency, destination } = call.parameters as { amount: number; currency: string; destination: string }
  return {
    id,
    object: KIND,
    amount,
    amount_reversed: 0,
    balance_transaction: null,
    created: seconds(world.now()),
    currency,
    description: (call.parameters.description as string) ?? null,
    destination,
    destination_payment: newId('py'),
    livemode: false,
    metadata: (call.parameters.metadata as Record<string, string>) ?? {},
    reversals: { object: 'list', data: [], has_more: false, url: `/v1/transfers/${id}/reversals` },
    reversed: false,
    source_transaction: null,
    transfer_group: (call.parameters.transfer_group as string) ?? null,
  }
}

/** What the connected account sees of a transfer. */
const receivedPayment = (world: World, sent: StripeObject, transactionId: string): StripeObject => ({
  id: String(sent.destination_payment),
  object: 'charge',
  amount: sent.amount as number,
  amount_refunded: 0,
  balance_transaction: transactionId,
  created: seconds(world.now()),
  currency: sent.currency as string,
  paid: true,
  refunded: false,
  source_transfer: sent.id,
  status: 'succeeded',
  metadata: {},
})

const reverse = (world: World, call: Call, stored: Stored): Json => {
  const { amount: total, currency } = moneyOf(stored.body)
  const already = Number(stored.body.amount_reversed)
  const destination = String(stored.body.destination)
  const left = total - already
  const amount = positiveAmount((call.parameters.amount as number | undefined) ?? left)
  if (amount > left)
    throw invalid(
      `Transfer reversal amount (${amount}) is greater than unreversed amount on transfer (${left}).`,
      undefined,
      'amount',
    )
  requireAvailable(world, { account: destination, currency, amount })
  const id = newId('trr')
  const returned = post(world, { account: call.account, type: 'transfer_refund', amount, currency, source: id })
  post(world, { account: destination, type: 'payment_refund', amount: -amount, currency, source: id })
  const reversal: StripeObject = {
    id,
    object: 'transfer_reversal',
    amount,
    balance_transaction: returned.id,
    created: seconds(world.now()),
    currency,
    metadata: (call.parameters.metadata as Record<string, string>) ?? {},
    transfer: stored.body.id,
  }
  world.store.put({ account: call.account, parent: stored.body.id, body: reversal })
  change(world, stored, { amount_reversed: already + amount, reversed: already + amount === total })
  emit(world, 'transfer.reversed', stored.body, stored.account)
  return reversal
}
