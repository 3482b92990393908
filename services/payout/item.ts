// One payout to one seller, from the reservation to the bank. What the payment actor tells may come twice or late: each step
// is taken once, and a step that implies earlier ones takes those first. Pure.
import type { ActorDoc, Decision, Said } from '../../mixins/actor.ts'
import { actorCollection } from '../../mixins/actor.ts'
import type { Events } from '../contract.ts'
import {
  payoutFailed,
  payoutPaid,
  payoutReturned,
  payoutSent,
  released,
  reserved,
  transferred,
  transferReversed,
  type Posting,
} from '../ledger/contract.ts'
import { iso, type Money } from '../shapes.ts'
import type { Payout } from './contract.ts'

/** asked: not yet reserved. void: nothing was there to reserve; shown to nobody. */
export type PayoutStatus = 'asked' | 'void' | 'scheduled' | 'in_progress' | 'paid' | 'failed' | 'returned'
export type StepName = 'transferred' | 'sent' | 'paid' | 'failed' | 'returned' | 'reversed'

export type PayoutDoc = ActorDoc & {
  seller: string
  account: string
  amount: Money
  status: PayoutStatus
  run: string | null
  /** Set from the reservation on: whose list it is in. */
  owner: string | null
  /** Seller and currency while it is on its way: there is one at a time. */
  openOf: string | null
  steps: StepName[]
  reason: string | null
  createdAt: number
  paidAt: number | null
}

export const payouts = actorCollection<PayoutDoc>('payouts', {
  byOwner: { keys: ['owner', 'createdAt'] },
  byOpen: { keys: ['openOf'], unique: true },
  byRun: { keys: ['run', 'status'] },
})

/** How long a payout may stay asked before it is taken up again. */
const TAKE_UP_MS = 30_000

export type Asked = { id: string; seller: string; account: string; amount: Money; run: string | null }

export const asked = ({ id, seller, account, amount, run }: Asked, now: number): PayoutDoc => ({
  id,
  version: 0,
  outbox: [],
  seller,
  account,
  amount,
  run,
  status: 'asked',
  owner: null,
  openOf: `${seller}/${amount.currency}`,
  steps: [],
  reason: null,
  createdAt: now,
  paidAt: null,
  wakeAt: now + TAKE_UP_MS,
})

/** One that could not even be asked for, kept so that nobody tries again. */
export const refused = (wanted: Asked, reason: string, now: number): PayoutDoc => ({
  ...asked(wanted, now),
  status: 'void',
  reason,
  openOf: null,
  wakeAt: null,
})

export const reservation = ({ id, seller, amount, createdAt }: PayoutDoc): Posting =>
  reserved({ payout: id, seller, amount, at: createdAt })

/** The money is set aside: it is to be sent. */
export const scheduled = (doc: PayoutDoc): Decision<PayoutDoc, PayoutDoc> => {
  if (doc.status !== 'asked') return { result: doc }
  const { id, seller, account, amount } = doc
  const next: PayoutDoc = { ...doc, status: 'scheduled', owner: seller, wakeAt: null }
  return { next, say: [{ name: 'payout.reserved', data: { payout: id, seller, account, amount } }], result: next }
}

export const voided = (doc: PayoutDoc, reason: string): Decision<PayoutDoc, PayoutDoc> => {
  if (doc.status !== 'asked') return { result: doc }
  const next: PayoutDoc = { ...doc, status: 'void', reason, openOf: null, wakeAt: null }
  return { next, result: next }
}

export const wake = (doc: PayoutDoc, now: number): Decision<PayoutDoc, null> =>
  doc.status === 'asked'
    ? { next: { ...doc, wakeAt: now + TAKE_UP_MS }, say: [{ name: 'payout.due', data: { key: doc.id } }], result: null }
    : { next: { ...doc, wakeAt: null }, result: null }

type Moved = { next: PayoutDoc; entries: Posting[] }

/** The provider's names of what a payout is there; said as far as they are known by then. */
type Names = { transfer?: string; bankPayout?: string }

/** Takes a step once, with what it posts. */
const stepper =
  (names: Names) =>
  ({ next: doc, entries }: Moved, name: StepName, change: Partial<PayoutDoc>, post: Posting): Moved =>
    doc.steps.includes(name)
      ? { next: doc, entries }
      : {
          next: { ...doc, ...change, steps: [...doc.steps, name] },
          entries: [...entries, { ...post, about: { ...post.about, ...names } }],
        }

const moves = (doc: PayoutDoc, at: number, names: Names) => {
  const step = stepper(names)
  const of = { payout: doc.id, seller: doc.seller, amount: doc.amount, at }
  const hasFailed = doc.steps.includes('failed')
  const transfer = (moved: Moved) =>
    hasFailed ? moved : step(moved, 'transferred', { status: 'in_progress' }, transferred(of))
  const send = (moved: Moved) =>
    hasFailed ? moved : step(transfer(moved), 'sent', { status: 'in_progress' }, payoutSent(of))
  const pay = (moved: Moved) =>
    hasFailed ? moved : step(send(moved), 'paid', { status: 'paid', paidAt: at, openOf: null }, payoutPaid(of))
  const fail = (reason: string) => (moved: Moved) =>
    // Books alike whether the bank refused it before or after it was sent: the money is available again.
    moved.next.steps.includes('paid')
      ? moved
      : step(
          moved,
          'failed',
          { status: 'failed', reason, openOf: null },
          moved.next.steps.includes('sent') ? payoutFailed(of) : released(of),
        )
  const returned = (reason: string) => (moved: Moved) =>
    hasFailed ? moved : step(pay(moved), 'returned', { status: 'returned', reason }, payoutReturned(of))
  const reverse = (moved: Moved) => step(moved, 'reversed', {}, transferReversed(of))
  return { transfer, send, pay, fail, returned, reverse }
}

export type PayoutEvent =
  | 'payment.transferred'
  | 'payment.payout.sent'
  | 'payment.payout.paid'
  | 'payment.payout.failed'
  | 'payment.transfer.reversed'

/** What the payment actor told, as the payout's next state and the entries it posts, in order. */
export const told = <E extends PayoutEvent>(
  doc: PayoutDoc,
  name: E,
  data: Events[E],
  now: number,
): Decision<PayoutDoc, null> => {
  const { transfer: transferName, bankPayout } = data as Names
  const names = { ...(transferName && { transfer: transferName }), ...(bankPayout && { bankPayout }) }
  const { transfer, send, pay, fail, returned, reverse } = moves(doc, now, names)
  const from: Moved = { next: doc, entries: [] }
  const { stage, reason } = data as Partial<Events['payment.payout.failed']>
  const moved = {
    'payment.transferred': transfer,
    'payment.payout.sent': send,
    'payment.payout.paid': pay,
    'payment.payout.failed':
      stage === 'returned'
        ? returned(reason ?? '')
        : (at: Moved) => fail(reason ?? '')(stage === 'payout' ? transfer(at) : at),
    'payment.transfer.reversed': reverse,
  }[name](from)
  if (moved.entries.length === 0) return { result: null }
  const say: Said[] = [{ name: 'payout.posted', data: { entries: moved.entries } }]
  return { next: moved.next, say, result: null }
}

/** A reversal told before the failure it follows must wait for it. */
export const isTooEarly = (doc: PayoutDoc, name: PayoutEvent): boolean =>
  name === 'payment.transfer.reversed' && !doc.steps.includes('failed') && !doc.steps.includes('returned')

export const publicPayout = ({ id, amount, status, createdAt, paidAt, reason, run }: PayoutDoc): Payout => ({
  id,
  amount,
  status: status === 'asked' ? 'scheduled' : status,
  createdAt: iso(createdAt),
  ...(paidAt !== null && { paidAt: iso(paidAt) }),
  ...(reason && { reason }),
  ...(run && { run }),
})
