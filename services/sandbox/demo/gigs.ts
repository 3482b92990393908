// Believable gigs, sellers and reviews out of thin air: the n-th is always the same, so that making them twice makes them once.
import { CATEGORIES, type GigContent } from '../../gig/contract.ts'
import { chance, type Chance } from './chance.ts'
import * as words from './words.ts'

export type DemoSeller = {
  id: string
  username: string
  displayName: string
  bio: string
  languages: string[]
  level: 'new' | 'level_one' | 'level_two' | 'top_rated'
  createdAt: number
}
export type DemoGig = GigContent & {
  id: string
  seller: string
  createdAt: number
  rating: number
  reviewCount: number
  orderCount: number
}
export type DemoReview = {
  id: string
  order: string
  gig: string
  buyer: string
  seller: string
  rating: number
  text: string
  createdAt: number
}

const DAY_MS = 86_400_000
/** One seller offers about this many gigs. */
const GIGS_PER_SELLER = 4
export const sellerOf = (gig: number): number => Math.floor(gig / GIGS_PER_SELLER)

/** Ids look like any other: prefix, ten of time, sixteen of number. */
const numbered = (prefix: string, number: number) => `${prefix}_01demo0000${number.toString(32).padStart(16, '0')}`
export const sellerId = (number: number): string => numbered('usr', number)
export const gigId = (number: number): string => numbered('gig', number)

export const demoSeller = (number: number, now: number): DemoSeller => {
  const dice = chance(number * 7919 + 17)
  const [first, last] = [dice.pick(words.FIRST_NAMES), dice.pick(words.LAST_NAMES)]
  return {
    id: sellerId(number),
    username: `${first}-${last}`.toLowerCase() + `-${number}`,
    displayName: `${first} ${last}`,
    bio: `${dice.pick(words.OPENINGS)} ${dice.pick(words.CLOSINGS)}`,
    languages: [...new Set(['en', ...dice.some(words.LANGUAGES, dice.whole(0, 2))])],
    level: dice.pick(['new', 'new', 'level_one', 'level_one', 'level_two', 'top_rated'] as const),
    createdAt: now - dice.whole(100, 1500) * DAY_MS,
  }
}

export const demoGig = (number: number, now: number): DemoGig => {
  const dice = chance(number * 104_729 + 5)
  // Walks through the tree, so that a few hundred gigs leave no category empty.
  const category = CATEGORIES[number % CATEGORIES.length]!
  const subcategory = dice.pick(category.subcategories)
  const reviewCount = dice.next() < 0.25 ? 0 : dice.whole(1, 12)
  const ratings = demoRatings(number, reviewCount)
  const thing = subcategory.name.toLowerCase()
  const audience = dice.pick(words.AUDIENCES)
  return {
    id: gigId(number),
    seller: sellerId(sellerOf(number)),
    title: dice
      .pick(words.PHRASES[category.slug] ?? ['I will do {q} {t} for your {a}'])
      .replace('{q}', dice.pick(words.QUALITIES))
      .replace('{t}', thing)
      .replace('{a}', audience),
    description: [
      dice.pick(words.OPENINGS),
      `This gig is about ${thing}, made for a ${audience} or anybody alike.`,
      dice.pick(words.MIDDLES),
      dice.pick(words.CLOSINGS),
    ].join('\n\n'),
    category: category.slug,
    subcategory: subcategory.slug,
    tags: [...new Set([subcategory.slug, audience.replaceAll(' ', '-'), ...dice.some(words.TAGS, 3)])],
    packages: packagesOf(dice, thing),
    extras:
      dice.next() < 0.6
        ? [{ id: 'express', title: 'Express delivery', price: usd(dice.whole(10, 60) * 100), addedDays: 0 }]
        : [],
    faq: [
      {
        question: 'Can we talk before I order?',
        answer: 'Gladly: send me a message here and I will answer within the day.',
      },
    ],
    requirements:
      dice.next() < 0.7 ? [{ id: 'brief', question: dice.pick(words.QUESTIONS), type: 'text', required: true }] : [],
    images: [{ id: `art-${number}`, url: `/art/${category.slug}-${number}.svg` }],
    createdAt: now - dice.whole(1, 900) * DAY_MS - dice.whole(0, DAY_MS),
    rating: reviewCount === 0 ? 0 : Math.round((100 * ratings.reduce((sum, one) => sum + one, 0)) / reviewCount) / 100,
    reviewCount,
    orderCount: reviewCount === 0 ? 0 : reviewCount * dice.whole(1, 4),
  }
}

const usd = (amount: number) => ({ amount, currency: 'usd' })

const packagesOf = (dice: Chance, thing: string): GigContent['packages'] => {
  const price = dice.whole(3, 60) * 500
  const days = dice.whole(1, 7)
  const one = (name: string, times: number, features: number) => ({
    title: name,
    description: `${name}: ${thing} with ${features} of the parts below.`,
    price: usd(price * times),
    deliveryDays: days + times - 1,
    revisions: times,
    features: words.FEATURES.slice(0, features + 1),
  })
  if (dice.next() < 0.2) return { basic: one('Basic', 1, 2) }
  return { basic: one('Basic', 1, 2), standard: one('Standard', 2, 4), premium: one('Premium', 4, 7) }
}

const demoRatings = (gig: number, count: number): number[] => {
  const dice = chance(gig * 31 + 3)
  return Array.from({ length: count }, () => dice.pick([5, 5, 5, 5, 4, 4, 3]))
}

/** The reviews behind a demo gig's rating. */
export const demoReviews = (number: number, reviewCount: number, buyer: string, now: number): DemoReview[] => {
  const dice = chance(number * 53 + 11)
  const seller = sellerOf(number)
  return demoRatings(number, reviewCount).map((rating, at) => {
    const order = numbered('ord', number * 16 + at)
    // Sellers buy, too: others of them wrote most of the reviews.
    const writer = (number * 7 + at * 11) % (seller + 1)
    const by = writer === seller ? buyer : sellerId(writer)
    return {
      id: numbered('rev', number * 16 + at),
      order,
      gig: gigId(number),
      buyer: by,
      seller: sellerId(seller),
      rating,
      text: dice.pick(words.PRAISE),
      createdAt: now - dice.whole(1, 300) * DAY_MS,
    }
  })
}
