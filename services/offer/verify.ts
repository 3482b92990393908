// Proves that every accepted offer has its order, at its price, and that no other offer has one.
import type { Documents } from '../../adapters/documents/index.ts'
import type { Call } from '../../mixins/node.ts'
import { offers, type OfferDoc } from './offer.ts'

const PROBLEMS_MAX = 100
const PAGE = 500

export const verifyOffers = async (documents: Documents, call: Call) => {
  const problems: string[] = []
  let count = 0
  let after: string | null = null
  do {
    const page: { docs: OfferDoc[]; next: string | null } = await documents.scan(offers, { after, limit: PAGE })
    count += page.docs.length
    problems.push(...page.docs.flatMap(wrong), ...(await withoutOrder(page.docs, call)))
    after = page.next
  } while (after)
  return { offers: count, problems: problems.slice(0, PROBLEMS_MAX) }
}

const wrong = ({ id, status, agreed, slot }: OfferDoc): string[] => [
  ...((status === 'accepted') === (agreed === null)
    ? [`${id} is ${status} with${agreed ? '' : 'out'} an agreement`]
    : []),
  ...((status === 'open') === (slot === null)
    ? [`${id} is ${status} with${slot ? '' : 'out'} a place among the open`]
    : []),
]

/** One whose event is still on its way is no problem yet: the order comes from it. */
const withoutOrder = async (docs: readonly OfferDoc[], call: Call): Promise<string[]> => {
  const accepted = docs.filter(({ agreed, outbox }) => agreed && !outbox.some(({ name }) => name === 'offer.accepted'))
  const subtotals = await call('order.offered', { ids: accepted.map(({ agreed }) => agreed!.order) })
  return accepted.flatMap(({ id, price }, at) => {
    const made = subtotals[at]
    if (!made) return [`${id} was accepted and has no order`]
    const isRight = made.offer === id && made.subtotal === price.amount
    return isRight ? [] : [`${id} was accepted over ${price.amount}, its order says ${made.subtotal} of ${made.offer}`]
  })
}
