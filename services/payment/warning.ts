// An issuer's warning that a payment is fraud: said once to whoever holds the order. Pure.
import type { FraudWarning } from '../../adapters/payments/index.ts'
import type { Money } from '../shapes.ts'
import { newOperation, settledCall, type CallName, type Failure, type Operation, type Step } from './operation.ts'

export type WarningDoc = Operation & {
  kind: 'warning'
  order: string
  charge?: string
  paymentId: string
  amount: Money
  state: 'heard' | 'said'
}

type About = { order: string; charge?: string; paymentId: string; amount: Money }

export const newWarning = (id: string, about: About, now: number): WarningDoc => ({
  ...newOperation(id, 'warning', now),
  ...about,
  kind: 'warning',
  state: 'heard',
})

export const nextCall = ({ state }: WarningDoc): CallName | null => (state === 'heard' ? 'look' : null)

export const applied = (doc: WarningDoc, warning: FraudWarning, now: number): Step<WarningDoc> => {
  if (doc.state === 'said') return { next: doc, say: [] }
  const { id, order, charge, paymentId, amount } = doc
  const { reason, actionable } = warning
  const data = {
    order,
    ...(charge !== undefined && { charge }),
    warning: id,
    payment: paymentId,
    amount,
    reason,
    actionable,
    at: now,
  }
  return { next: { ...settledCall(doc), state: 'said', wakeAt: null }, say: [{ name: 'payment.warned', data }] }
}

export const refused = (doc: WarningDoc, { code, message }: Failure, now: number): Step<WarningDoc> => ({
  next: { ...doc, wakeAt: null, stuck: { code, message, at: now } },
  say: [],
})
