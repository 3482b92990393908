// Puts demo people, gigs and reviews into a market, in batches, telling how far it is. Asked again, it adds what is missing.
import type { Call } from '../../../mixins/node.ts'
import { demoAccounts } from './accounts.ts'
import { demoGig, demoReviews, demoSeller, sellerOf, type DemoGig } from './gigs.ts'

const BATCH = 500
/** The first gigs are the demo seller's own, so that his account has something to show. */
const OWN_GIGS = 3

export type Progress = (done: number, of: number) => void

export const seedGigs = async (
  call: Call,
  count: number,
  now: number,
  progress: Progress = () => undefined,
): Promise<number> => {
  let made = 0
  for (let from = 0; from < count; from += BATCH) {
    const numbers = Array.from({ length: Math.min(BATCH, count - from) }, (_, at) => from + at)
    await seedSellers(call, numbers, now)
    const gigs = numbers.map((number) => ownedGig(number, now))
    made += (await call('gig.ensureMany', { gigs }, { timeoutMs: 60_000 })).made
    await seedReviews(call, numbers, gigs, now)
    progress(from + numbers.length, count)
  }
  return made
}

const ownedGig = (number: number, now: number): DemoGig => {
  const gig = demoGig(number, now)
  return number < OWN_GIGS ? { ...gig, seller: demoAccounts[1]!.id } : gig
}

const seedSellers = async (call: Call, numbers: readonly number[], now: number) => {
  const sellers = [...new Set(numbers.map(sellerOf))]
  for (let at = 0; at < sellers.length; at += SELLERS_AT_ONCE)
    await Promise.all(
      sellers.slice(at, at + SELLERS_AT_ONCE).map((number) => {
        const { id, username, displayName, bio, languages, level, createdAt } = demoSeller(number, now)
        return call('account.ensure', {
          id,
          email: `${username}@people.invalid`,
          password: '',
          username,
          displayName,
          roles: ['buyer', 'seller'],
          bio,
          languages,
          level,
          createdAt,
        })
      }),
    )
}
const SELLERS_AT_ONCE = 64

const seedReviews = async (call: Call, numbers: readonly number[], gigs: readonly DemoGig[], now: number) => {
  const buyer = demoAccounts[0]!.id
  const reviews = numbers.flatMap((number, at) =>
    demoReviews(number, gigs[at]!.reviewCount, buyer, now).map((review) => ({ ...review, seller: gigs[at]!.seller })),
  )
  for (let at = 0; at < reviews.length; at += BATCH)
    await call('review.ensureMany', { reviews: reviews.slice(at, at + BATCH) }, { timeoutMs: 60_000 })
}
