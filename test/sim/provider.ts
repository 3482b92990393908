// A payment provider in virtual time: keys that keep their first answer for a day, objects that change later, and faults.
// It fails as the real one does, through the adapter's own table of errors.
import { paymentsError } from '../../adapters/payments/errors.ts'
import type { BankPayout, Payment, Payments, Refund, Transfer } from '../../adapters/payments/index.ts'
import { banks } from './disputes.ts'
import type { World } from './world.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const KEY_KEPT_MS = DAY
/** What the platform has put in of its own: refunds of what was paid out come out of it until their sellers earn again. */
export const CAPITAL = 5_000_000
type Answer = { value?: unknown; error?: object; at: number }
/** As much of an event as says which object changed: one of ours, or what others began against a payment. */
export type Event = { op?: string; objectType: string; objectId: string; paymentId?: string }
export type Tell = (event: Event, snapshot: BankPayout | null) => void
export type Provider = ReturnType<typeof provider>

export const feeOf = (amount: number) => Math.round(amount * 0.029) + 30

/** `isRefused`: does our own store know that this key was refused for good? */
export const provider = (here: World, tell: Tell, isRefused: (key: string) => boolean) => {
  const { random, must } = here
  const keys = new Map<string, Answer>()
  const payments = new Map<string, Payment & { op: string }>()
  const transfers = new Map<string, Transfer>()
  const refunds = new Map<string, Refund & { op: string }>()
  const payouts = new Map<string, BankPayout & { op: string; accountId: string }>()
  const connected = new Map<string, number>()
  const made = new Set<string>()
  let psp = CAPITAL
  let objects = 0
  const newId = (prefix: string) => `${prefix}_${++objects}`
  const add = (account: string, amount: number) => connected.set(account, (connected.get(account) ?? 0) + amount)
  const once = (what: string, op: string) => {
    must('I9 each operation moves money once', !made.has(`${what} ${op}`), `two ${what}s of ${op}`)
    made.add(`${what} ${op}`)
  }

  /** Repeated by chance, late by chance, so in any order. */
  const announce = (op: string, snapshot: BankPayout | null = null) =>
    send({ op, objectType: '', objectId: '' }, snapshot)
  const send = (event: Event, snapshot: BankPayout | null = null) => {
    const again = random.chance(0.25) ? 2 : 1
    const then = snapshot && { ...snapshot }
    for (let at = 0; at < again; at++) {
      const late = here.faulty && random.chance(0.06) ? random.whole(0, 3 * DAY) : random.whole(0, 5000)
      here.later(late, `webhook of ${event.op ?? event.objectId}`, async () => tell(event, then))
    }
  }

  /** `spends`: it may be refused for want of money, now and then even while there is enough. */
  const changing = async <T>(key: string, execute: () => T, spends = false): Promise<T> => {
    must('I13 no stored refusal is replayed', !isRefused(key), key)
    const death = here.mayCrash()
    if (death) await death
    const lot = here.faulty ? random.next() : 1
    if (lot < 0.04) throw paymentsError(fail(0))
    if (lot < 0.09) throw paymentsError(fail(429, 'rate_limit'))
    const before = keys.get(key)
    let answer: Answer
    if (before && here.now() - before.at < KEY_KEPT_MS) {
      answer = before
      here.count('keys sent again')
    } else {
      answer = { at: here.now() }
      const isBroken = lot < 0.12
      if (spends && lot >= 0.12 && lot < 0.16) answer.error = fail(400, 'balance_insufficient')
      else if (!isBroken || random.chance(0.5))
        try {
          answer.value = execute()
        } catch (error) {
          if (!('statusCode' in (error as object))) throw error
          answer.error = error as object
        }
      if (isBroken) answer.error = fail(500)
      keys.set(key, answer)
    }
    // Executed, but the caller dies or the answer gets lost or comes after everybody has given it up.
    const late = here.mayCrash()
    if (late) await late
    if (here.faulty && random.chance(0.06)) throw paymentsError(fail(0))
    if (here.faulty && random.chance(0.03)) await here.pause(2 * 60_000, `late answer to ${key}`)
    if (answer.error) throw paymentsError(answer.error)
    return { ...(answer.value as T) }
  }
  const spending = <T>(key: string, execute: () => T) => changing(key, execute, true)
  const looking = async <T>(look: () => T): Promise<T> => {
    const death = here.mayCrash()
    if (death) await death
    const lot = here.faulty ? random.next() : 1
    if (lot < 0.04) throw paymentsError(fail(0))
    if (lot < 0.09) throw paymentsError(fail(429, 'rate_limit'))
    return look()
  }

  const card = banks(here, {
    announce: (objectType, objectId, paymentId) => send({ objectType, objectId, paymentId }),
    move: (amount) => (psp += amount),
    isRefunded: (paymentId) => [...refunds.values()].some((one) => one.paymentId === paymentId),
    newId,
  })
  const succeed = (payment: Payment & { op: string }) => {
    once('charge', payment.op)
    const { amount, currency } = payment.amount
    payment.status = 'succeeded'
    payment.fee = { amount: feeOf(amount), currency }
    psp += amount - payment.fee.amount
    announce(payment.op)
    card.watch({ paymentId: payment.id, amount: payment.amount })
  }
  /** The buyer comes back from their bank, or never does. */
  const challenge = (payment: Payment & { op: string }) => {
    payment.status = 'requires_action'
    payment.nextAction = { type: 'redirect', url: 'https://bank.test' }
    announce(payment.op)
    if (random.chance(0.8))
      here.later(random.whole(0, HOUR), `${payment.op} passes 3-D Secure`, async () => {
        if (payment.status !== 'requires_action') return
        delete payment.nextAction
        succeed(payment)
      })
  }
  const decline = (payment: Payment & { op: string }) => {
    payment.status = 'requires_payment_method'
    payment.declined = { code: 'card_declined', message: 'no' }
    announce(payment.op)
  }
  const goOn = (id: string, ms: number, status: BankPayout['status'], from: BankPayout['status']) =>
    here.later(ms, `${id} is ${status}`, async () => {
      const payout = payouts.get(id)!
      if (payout.status !== from) return
      payout.status = status
      if (status === 'failed') {
        payout.failure = { code: 'account_closed', message: 'the bank refused it' }
        add(payout.accountId, payout.amount.amount)
      }
      announce(payout.op, payout)
    })
  const failLater = (refund: Refund & { op: string }) =>
    here.later(random.whole(0, 20 * DAY), `${refund.id} failed`, async () => {
      refund.status = 'failed'
      psp += refund.amount.amount
      here.count('refunds that failed')
      announce(refund.op)
    })
  const settleLater = (refund: Refund & { op: string }) =>
    here.later(random.whole(0, 3 * DAY), `${refund.id} succeeded`, async () => {
      if (refund.status !== 'pending') return
      refund.status = 'succeeded'
      announce(refund.op)
    })

  const port: Partial<Payments> = {
    createPayment: ({ amount, metadata }, key) =>
      changing(key, () => {
        once('payment', metadata.op!)
        const id = newId('pi')
        const payment = {
          id,
          status: 'requires_payment_method' as const,
          clientSecret: `${id}_secret`,
          amount,
          metadata,
        }
        payments.set(id, { ...payment, op: metadata.op! })
        return payment
      }),
    confirmPayment: (id, _method, key) =>
      changing(key, () => {
        const payment = payments.get(id)!
        if (payment.status !== 'requires_payment_method') throw fail(400, 'payment_intent_unexpected_state')
        delete payment.declined
        const lot = random.next()
        if (lot < 0.05) decline(payment)
        else if (lot < 0.1) challenge(payment)
        else succeed(payment)
        return { ...payment }
      }),
    cancelPayment: (id, key) =>
      changing(key, () => {
        const payment = payments.get(id)!
        if (payment.status === 'succeeded') throw fail(400, 'payment_intent_unexpected_state')
        payment.status = 'canceled'
        announce(payment.op)
        return { ...payment }
      }),
    retrievePayment: (id) => looking(() => ({ ...payments.get(id)! })),
    refund: ({ paymentId, amount, metadata }, key) =>
      spending(key, () => {
        if (card.isTaken(paymentId)) throw fail(400, 'charge_disputed')
        once('refund', metadata.op!)
        const back = [...refunds.values()].filter((one) => one.paymentId === paymentId && one.status !== 'failed')
        const left = payments.get(paymentId)!.amount.amount - back.reduce((sum, one) => sum + one.amount.amount, 0)
        must('I3 no more goes back than came', amount.amount <= left, `${metadata.op}: ${amount.amount} of ${left}`)
        const status = random.chance(0.1) ? ('pending' as const) : ('succeeded' as const)
        const refund: Refund & { op: string } = { id: newId('re'), status, amount, paymentId, op: metadata.op! }
        refunds.set(refund.id, refund)
        psp -= amount.amount
        announce(refund.op)
        if (status === 'pending') settleLater(refund)
        if (here.faulty && random.chance(0.05)) failLater(refund)
        return { ...refund }
      }),
    retrieveRefund: (id) => looking(() => ({ ...refunds.get(id)! })),
    findRefunds: (paymentId) =>
      looking(() => [...refunds.values()].filter((one) => one.paymentId === paymentId).map((one) => ({ ...one }))),
    transfer: ({ accountId, amount, metadata }, key) =>
      spending(key, () => {
        if (psp < amount.amount) throw fail(400, 'balance_insufficient')
        once('transfer', metadata.op!)
        const transfer = { id: newId('tr'), amount, accountId, reversed: 0, metadata }
        transfers.set(transfer.id, transfer)
        psp -= amount.amount
        add(accountId, amount.amount)
        return { ...transfer }
      }),
    retrieveTransfer: (id) => looking(() => ({ ...transfers.get(id)! })),
    findTransfers: (op) =>
      looking(() => [...transfers.values()].filter(({ metadata }) => metadata.op === op).map((one) => ({ ...one }))),
    reverseTransfer: (id, { amount, metadata }, key) =>
      spending(key, () => {
        const transfer = transfers.get(id)!
        if ((connected.get(transfer.accountId) ?? 0) < amount.amount) throw fail(400, 'balance_insufficient')
        once('reversal', metadata.op!)
        transfer.reversed += amount.amount
        psp += amount.amount
        add(transfer.accountId, -amount.amount)
        return { ...transfer }
      }),
    payout: ({ accountId, amount, metadata }, key) =>
      spending(key, () => {
        if ((connected.get(accountId) ?? 0) < amount.amount) throw fail(400, 'balance_insufficient')
        once('bank payout', metadata.op!)
        const payout = { id: newId('bp'), status: 'pending' as const, amount, op: metadata.op!, accountId }
        payouts.set(payout.id, payout)
        add(accountId, -amount.amount)
        const lot = here.faulty ? random.next() : 1
        if (lot < 0.04) goOn(payout.id, DAY, 'failed', 'pending')
        else goOn(payout.id, random.whole(HOUR, 2 * DAY), 'paid', 'pending')
        if (lot >= 0.04 && lot < 0.08) goOn(payout.id, random.whole(2 * DAY + 1, 5 * DAY), 'failed', 'paid')
        return { ...payout }
      }),
    retrievePayout: (_account, id) => looking(() => ({ ...payouts.get(id)! })),
    findPayouts: (_account, op) =>
      looking(() => [...payouts.values()].filter((one) => one.op === op).map((one) => ({ ...one }))),
  }
  Object.assign(port, {
    retrieveDispute: (id: string) => looking(() => card.dispute(id)),
    retrieveFraudWarning: (id: string) => looking(() => card.warning(id)),
  } satisfies Partial<Payments>)
  return {
    port: port as Payments,
    /** What came in for orders and tips less all that went out, minor units. */
    psp: () => psp - CAPITAL,
    connected,
    objects: () => objects,
    /** What its events are about: each may be told again. */
    events: (): Event[] => [
      ...[...new Set([...payments.values(), ...refunds.values(), ...payouts.values()].map(({ op }) => op))].map(
        (op) => ({ op, objectType: '', objectId: '' }),
      ),
      ...card.told(),
    ],
  }
}

const fail = (statusCode: number, code?: string) => ({ statusCode, message: code ?? 'failed', ...(code && { code }) })
