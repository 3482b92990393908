// How an order begins: what was chosen of a gig's quote, at what price, under which policy. Pure.
import { refuse } from '../errors.ts'
import type { PackageName, Quote } from '../gig/contract.ts'
import { PROCESS_VERSION } from './process.ts'
import { FEE_POLICY, priceOf } from './price.ts'
import type { OrderDoc, Party } from './state.ts'
import { CLEARING_MS, CLEARING_TOP_RATED_MS, PAY_WITHIN_MS } from './timing.ts'

export type Choice = { package: PackageName; extras: readonly string[]; quantity: number }
export type Parties = { buyer: Party; seller: Party; sellerLevel: string }

export const placedOrder = (
  id: string,
  quote: Quote,
  choice: Choice,
  { buyer, seller, sellerLevel }: Parties,
  now: number,
  command?: string,
): OrderDoc => {
  const offered = quote.packages[choice.package]
  if (!offered)
    throw refuse('validation_failed', `this gig has no ${choice.package} package`, {
      errors: [{ path: 'package', message: 'is not offered by this gig' }],
    })
  const extras = choice.extras.map((extra) => {
    const found = quote.extras.find((one) => one.id === extra)
    if (!found)
      throw refuse('validation_failed', `this gig has no extra ${extra}`, {
        errors: [{ path: 'extras', message: `${extra} is not offered by this gig` }],
      })
    return found
  })
  const price = priceOf(offered, extras, choice.quantity, FEE_POLICY)
  const expiresAt = now + PAY_WITHIN_MS
  return {
    id,
    version: 0,
    outbox: [],
    wakeAt: expiresAt,
    processVersion: PROCESS_VERSION,
    status: 'awaiting_payment',
    late: false,
    buyer,
    seller,
    buyerId: buyer.id,
    sellerId: seller.id,
    gig: { id: quote.gig, title: quote.title, version: quote.version, image: quote.image },
    chosen: { name: choice.package, ...offered },
    extras,
    quantity: choice.quantity,
    requirements: quote.requirements.map(({ id: question, question: text, type, required }) => ({
      id: question,
      question: text,
      type,
      required,
    })),
    policy: FEE_POLICY,
    price,
    clearingMs: sellerLevel === 'top_rated' ? CLEARING_TOP_RATED_MS : CLEARING_MS,
    payment: null,
    createdAt: now,
    expiresAt,
    paidAt: null,
    dueAt: null,
    autoCompleteAt: null,
    completedAt: null,
    clearsAt: null,
    clearedAt: null,
    revisionsLeft: offered.revisions,
    cancel: null,
    refund: null,
    reviewedBy: [],
    timeline: [
      {
        seq: 1,
        type: 'placed',
        at: now,
        actor: { role: 'buyer', id: buyer.id },
        data: { total: { amount: price.total, currency: price.currency } },
      },
    ],
    commands: command ? [command] : [],
  }
}
