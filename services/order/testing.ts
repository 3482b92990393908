// One order at every place of its life, for the tests of its rules.
import { isRefused } from '../errors.ts'
import type { Quote } from '../gig/contract.ts'
import type { Posting } from '../ledger/contract.ts'
import * as moves from './moves.ts'
import type { By, Moved } from './moves.ts'
import { placedOrder } from './placing.ts'
import type { OrderDoc } from './state.ts'

export const usd = (amount: number) => ({ amount, currency: 'usd' })
export const quote: Quote = {
  gig: 'gig_1',
  version: 3,
  seller: 'usr_s',
  title: 'A logo',
  category: 'design',
  image: null,
  packages: {
    basic: { title: 'Basic', description: 'One idea', price: usd(10_000), deliveryDays: 3, revisions: 1, features: [] },
  },
  extras: [{ id: 'fast', title: 'Faster', price: usd(2000), addedDays: 1 }],
  requirements: [{ id: 'q1', question: 'Your name?', type: 'text', required: true }],
}
export const parties = {
  buyer: { id: 'usr_b', username: 'b', displayName: 'B' },
  seller: { id: 'usr_s', username: 's', displayName: 'S' },
  sellerLevel: 'new',
}
export const buyer: By = { role: 'buyer', id: 'usr_b' }
export const seller: By = { role: 'seller', id: 'usr_s' }
export const START = 1_800_000_000_000
export const placed = (changes: Partial<Quote> = {}) =>
  placedOrder('ord_1', { ...quote, ...changes }, { package: 'basic', extras: [], quantity: 1 }, parties, START)
export const payment = { payment: 'pi_1', amount: usd(10_550), fee: usd(336) }
export const delivery = { message: 'here it is', files: [] }
export const paid = (order = placed()) => moves.paid(order, payment, START + 1000)!.next
export const started = () => moves.answer(paid(), buyer, [{ id: 'q1', answer: 'Ann' }], START + 2000).next
export const delivered = () => moves.deliver(started(), seller, delivery, START + 3000).next
export const entries = (moved: Moved): Posting[] =>
  moved.say.flatMap((said) => (said.name === 'order.posted' ? (said.data as { entries: Posting[] }).entries : []))
export const kinds = (moved: Moved) => entries(moved).map(({ kind }) => kind)

export const attempt = <R>(ask: () => R): R | null => {
  try {
    return ask()
  } catch (error) {
    if (
      isRefused(error, 'invalid_transition') ||
      isRefused(error, 'forbidden') ||
      isRefused(error, 'validation_failed')
    )
      return null
    throw error
  }
}

/** Signed sums per account of what some moves posted. */
export const sums = (...moved: Moved[]): Record<string, number> => {
  const all: Record<string, number> = {}
  for (const { legs } of moved.flatMap(entries))
    for (const { account, amount } of legs) all[account] = (all[account] ?? 0) + amount
  return Object.fromEntries(Object.entries(all).filter(([, amount]) => amount !== 0))
}
export const completed = (): OrderDoc => moves.accept(delivered(), buyer, START + 4000).next
export const refusedAs = (code: string, ask: () => unknown): boolean => {
  try {
    ask()
    return false
  } catch (error) {
    return (error as { type?: string }).type === code
  }
}
