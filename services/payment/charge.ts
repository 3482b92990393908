// The payment of one order. Whatever happens to calls, timers and webhooks, it succeeds at most once, and that is said once.
import type { Payment } from '../../adapters/payments/index.ts'
import type { Said } from '../../mixins/actor.ts'
import type { Money } from '../shapes.ts'
import { newOperation, settledCall, type CallName, type Failure, type Operation, type Step } from './operation.ts'

export type ChargeDoc = Operation & {
  kind: 'charge'
  /** Set when it is another charge of an order than its own payment. */
  order?: string
  buyer: string
  amount: Money
  description: string
  state: 'payable' | 'requires_action' | 'processing' | 'succeeded' | 'canceled'
  /** What is wanted of the provider next. */
  goal: 'create' | 'confirm' | 'look' | 'cancel' | null
  abandoned: boolean
  paymentMethod: string | null
  /** Where the buyer's bank sends them back to: part of what a confirmation's key stands for. Absent before the first one. */
  returnUrl?: string
  paymentId: string | null
  clientSecret: string
  nextAction: { type: string; url: string } | null
  declined: { code: string; message: string } | null
}

/** How often a payment that waits for its buyer or bank is looked at, should its webhook not come. */
export const LOOK_MS = 5 * 60_000

export const newCharge = (
  order: string,
  asked: { order?: string; buyer: string; amount: Money; description: string },
  now: number,
): ChargeDoc => ({
  ...newOperation(order, 'charge', now),
  ...asked,
  kind: 'charge',
  state: 'payable',
  goal: 'create',
  abandoned: false,
  paymentMethod: null,
  paymentId: null,
  clientSecret: '',
  nextAction: null,
  declined: null,
  wakeAt: null,
})

/** An order that was given up before it had a payment: it gets none. */
const neverCharged = (order: string, now: number): ChargeDoc => ({
  ...newCharge(order, { buyer: '', amount: { amount: 0, currency: 'usd' }, description: '' }, now),
  state: 'canceled',
  goal: null,
  abandoned: true,
})

export const isOver = ({ state }: ChargeDoc): boolean => state === 'succeeded' || state === 'canceled'

export const nextCall = (doc: ChargeDoc): CallName | null => (isOver(doc) ? null : doc.goal)

/** The buyer confirms. An unanswered confirmation with the same method goes on under its key; another one is a new attempt. */
export const confirming = (doc: ChargeDoc, paymentMethod: string, returnUrl?: string): ChargeDoc => {
  if (doc.goal === 'confirm' && doc.paymentMethod === paymentMethod) return { ...doc, declined: null }
  const asked = { paymentMethod, ...(returnUrl !== undefined && { returnUrl }) }
  return { ...settledCall(doc), ...asked, goal: 'confirm', declined: null }
}

const abandoning = (doc: ChargeDoc): ChargeDoc =>
  // Without an id nobody ever got the secret, so nothing can be charged.
  doc.paymentId
    ? { ...doc, abandoned: true, goal: 'cancel' }
    : { ...settledCall(doc), abandoned: true, goal: null, state: 'canceled', wakeAt: null }

/** The charge of something that was given up; null where that changes nothing. What was never begun can never be. */
export const givenUp = (doc: ChargeDoc | null, id: string, now: number): ChargeDoc | null => {
  if (!doc) return neverCharged(id, now)
  return isOver(doc) || doc.abandoned ? null : { ...abandoning(doc), wakeAt: now }
}

/** A confirmation nobody waits for any more is not repeated, only looked at: the buyer has been told to try again. */
export const woken = (doc: ChargeDoc): ChargeDoc => {
  if (isOver(doc) || !doc.paymentId || doc.goal === 'cancel') return doc
  return { ...(doc.goal === 'look' ? doc : settledCall(doc)), goal: 'look' }
}

/** The charge as the provider has it now. Older news than what is known change nothing. */
export const applied = (doc: ChargeDoc, payment: Payment, now: number): Step<ChargeDoc> => {
  if (isOver(doc)) return { next: doc, say: [] }
  if (payment.amount.amount !== doc.amount.amount || payment.amount.currency !== doc.amount.currency)
    return { next: mismatched(doc, payment, now), say: [] }
  const known = {
    ...settledCall(doc),
    paymentId: payment.id,
    clientSecret: payment.clientSecret,
    nextAction: null,
    declined: null,
    goal: null,
    wakeAt: null,
  }
  switch (payment.status) {
    case 'succeeded':
      return { next: { ...known, state: 'succeeded' }, say: [succeeded(doc, payment, now)] }
    case 'canceled':
      return { next: { ...known, state: 'canceled' }, say: [] }
    case 'requires_payment_method':
      return unlessAbandoned({ ...known, state: 'payable', declined: payment.declined ?? null })
    case 'requires_action':
      return unlessAbandoned({
        ...known,
        state: 'requires_action',
        nextAction: payment.nextAction ?? null,
        wakeAt: now + LOOK_MS,
      })
    case 'processing':
      return unlessAbandoned({ ...known, state: 'processing', wakeAt: now + LOOK_MS })
  }
}

/**
 * The charge as somebody has seen it meanwhile. While it is being confirmed only an end is news: that it can be paid may have
 * been seen before this confirmation, and the confirmation's own answer says what came of it.
 */
export const noticed = (doc: ChargeDoc, payment: Payment, now: number): Step<ChargeDoc> =>
  doc.goal === 'confirm' && payment.status.startsWith('requires_') ? { next: doc, say: [] } : applied(doc, payment, now)

/** Not yet over, and nobody wants it any more: it is canceled, or looked at again if it can't be right now. */
const unlessAbandoned = (doc: ChargeDoc): Step<ChargeDoc> => ({
  next: doc.abandoned && doc.state !== 'processing' ? { ...doc, goal: 'cancel' } : doc,
  say: [],
})

const mismatched = (doc: ChargeDoc, payment: Payment, now: number): ChargeDoc => {
  const { amount, currency } = payment.amount
  const message = `asked for ${doc.amount.amount} ${doc.amount.currency}, the provider has ${amount} ${currency} on ${payment.id}`
  return { ...settledCall(doc), goal: null, wakeAt: null, stuck: { code: 'amount_mismatch', message, at: now } }
}

const succeeded = ({ id, order, amount }: ChargeDoc, payment: Payment, now: number): Said => {
  // A fee in another currency is the settlement's matter, not this charge's.
  const fee = payment.fee?.currency === amount.currency ? payment.fee.amount : 0
  return {
    name: 'payment.succeeded',
    data: {
      order: order ?? id,
      ...(order !== undefined && { charge: id }),
      payment: payment.id,
      amount,
      fee: { amount: fee, currency: amount.currency },
      at: now,
    },
  }
}

/** The provider refuses for good. */
export const refused = (doc: ChargeDoc, call: CallName, failure: Failure, now: number): Step<ChargeDoc> => {
  // It is no longer in the state we believed: look what it is.
  if (failure.code === 'payment_intent_unexpected_state' && call !== 'look')
    return { next: { ...doc, goal: 'look', wakeAt: now }, say: [] }
  if (call === 'confirm')
    return {
      next: {
        ...doc,
        goal: null,
        state: 'payable',
        declined: { code: failure.code, message: failure.message },
        wakeAt: null,
      },
      say: [],
    }
  return {
    next: { ...doc, goal: null, wakeAt: null, stuck: { code: failure.code, message: failure.message, at: now } },
    say: [],
  }
}
