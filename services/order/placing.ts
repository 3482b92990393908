// How an order begins: what was chosen of a gig's quote, or agreed in an offer, at what price, under which policy. Pure.
import { refuse } from '../errors.ts'
import type { PackageName, Quote } from '../gig/contract.ts'
import type { Agreement } from './contract.ts'
import { PROCESS_VERSION } from './process.ts'
import { FIRST_POLICY, frozen } from './fees.ts'
import type { MarketPolicy } from './policy.ts'
import { priceOf } from './price.ts'
import type { OrderDoc, Party } from './state.ts'
import { CLEARING_MS, CLEARING_TOP_RATED_MS, PAY_WITHIN_MS } from './timing.ts'

export type Choice = { package: PackageName; extras: readonly string[]; quantity: number }
export type Parties = { buyer: Party; seller: Party; sellerLevel: string }

export const placedOrder = (
  id: string,
  quote: Quote,
  choice: Choice,
  parties: Parties,
  now: number,
  command?: string,
  market: MarketPolicy = FIRST_POLICY,
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
  const { gig, title, version, image, category, requirements } = quote
  return begun({
    id,
    gig: { id: gig, title, version, image },
    chosen: { name: choice.package, ...offered },
    extras,
    quantity: choice.quantity,
    requirements,
    parties,
    market,
    category,
    now,
    command,
  })
}

/** The order of an accepted offer: its terms stand where a package would, its price is the offer's. */
export const agreedOrder = (agreed: Agreement, now: number, market: MarketPolicy = FIRST_POLICY): OrderDoc => ({
  ...begun({
    id: agreed.order,
    gig: agreed.gig,
    chosen: { name: 'custom', ...agreed.terms },
    extras: [],
    quantity: 1,
    requirements: agreed.requirements,
    parties: agreed,
    market,
    category: agreed.category,
    now,
    data: { offer: agreed.offer },
  }),
  offer: agreed.offer,
})

type Beginning = Pick<OrderDoc, 'id' | 'gig' | 'chosen' | 'extras' | 'quantity'> & {
  requirements: Quote['requirements']
  parties: Parties
  market: MarketPolicy
  category: string | undefined
  now: number
  command?: string | undefined
  data?: Record<string, unknown>
}

const begun = ({
  id,
  gig,
  chosen,
  extras,
  quantity,
  requirements,
  parties,
  market,
  category,
  now,
  command,
  data,
}: Beginning): OrderDoc => {
  const { buyer, seller, sellerLevel } = parties
  const policy = frozen(market, { category, level: sellerLevel })
  const price = priceOf(chosen, extras, quantity, policy)
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
    gig,
    chosen,
    extras,
    quantity,
    requirements: requirements.map(({ id: question, question: text, type, required }) => ({
      id: question,
      question: text,
      type,
      required,
    })),
    policy,
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
    revisionsLeft: chosen.revisions,
    cancel: null,
    reviewedBy: [],
    timeline: [
      {
        seq: 1,
        type: 'placed',
        at: now,
        actor: { role: 'buyer', id: buyer.id },
        data: { total: { amount: price.total, currency: price.currency }, ...data },
      },
    ],
    commands: command ? [command] : [],
  }
}
