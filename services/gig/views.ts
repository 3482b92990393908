// What each reader sees of a gig. Pure.
import type { Static } from 'typebox'
import type { Profile } from '../account/contract.ts'
import { iso } from '../shapes.ts'
import { currencyOf, isComplete, packagesOf } from './content.ts'
import type { Gig, GigCard, GigContent, IndexedGig, Quote, SellerCard } from './contract.ts'
import type { GigDoc } from './gig.ts'

export const gigOf = (gig: GigDoc, seller: Profile): Gig => ({
  id: gig.id,
  status: gig.status,
  ...(gig.status === 'rejected' && { reasons: gig.reasons }),
  // Only its owner sees a gig that has no packages yet.
  ...(gig.content as GigContent),
  seller: sellerOf(seller),
  rating: ratingOf(gig),
  reviewCount: gig.ratingCount,
  createdAt: iso(gig.createdAt),
  version: gig.revision,
})

export const cardOf = (gig: GigDoc, seller: Profile): GigCard => {
  const { title, category, subcategory, tags, images } = gig.content
  return {
    id: gig.id,
    title,
    category,
    subcategory,
    tags,
    price: { amount: lowest(gig, ({ price }) => price.amount), currency: currencyOf(gig.content) },
    deliveryDays: lowest(gig, ({ deliveryDays }) => deliveryDays),
    image: images[0] ?? null,
    seller: sellerOf(seller),
    rating: ratingOf(gig),
    reviewCount: gig.ratingCount,
    createdAt: iso(gig.createdAt),
    listedAt: iso(gig.listedAt ?? gig.createdAt),
    status: gig.status,
  }
}

export const indexedOf = (gig: GigDoc, seller: Profile): Static<typeof IndexedGig> => {
  const { title, description, tags, category, subcategory } = gig.content
  return {
    id: gig.id,
    version: gig.revision,
    title,
    description,
    tags,
    category,
    subcategory,
    sellerId: gig.seller,
    sellerName: seller.displayName,
    sellerLevel: seller.level,
    languages: seller.languages,
    price: lowest(gig, ({ price }) => price.amount),
    currency: currencyOf(gig.content),
    deliveryDays: lowest(gig, ({ deliveryDays }) => deliveryDays),
    rating: ratingOf(gig),
    reviewCount: gig.ratingCount,
    orderCount: gig.orderCount,
    createdAt: gig.createdAt,
    quality: qualityOf(gig),
  }
}

export const quoteOf = (gig: GigDoc): Quote | null => {
  const { content } = gig
  if (gig.status !== 'live' || !isComplete(content)) return null
  const { title, category, packages, extras, requirements, images } = content
  return {
    gig: gig.id,
    version: gig.revision,
    seller: gig.seller,
    title,
    category,
    packages,
    extras,
    requirements,
    image: images[0] ?? null,
  }
}

const sellerOf = ({
  id,
  username,
  displayName,
  level,
  rating,
  responseMinutes,
}: Profile): Static<typeof SellerCard> => ({
  id,
  username,
  displayName,
  level,
  rating,
  responseMinutes,
})

const ratingOf = ({ ratingSum, ratingCount }: GigDoc): number =>
  ratingCount === 0 ? 0 : Math.round((ratingSum / ratingCount) * 100) / 100

const lowest = (gig: GigDoc, of: (one: ReturnType<typeof packagesOf>[number]) => number): number => {
  const values = packagesOf(gig.content).map(of)
  return values.length ? Math.min(...values) : 0
}

/** A few good reviews must not beat many: as if each gig had this many of the mean rating before its own. */
const REVIEWS_PRIOR = 5
const RATING_PRIOR = 3.8
/** Orders beyond this add nothing. */
const ORDERS_FULL = 1000
/** To keep a gig for later costs nothing: so many who do are as good as one who ordered. */
const FAVORITES_PER_ORDER = 10
const WEIGHTS = { rating: 0.5, orders: 0.3, care: 0.2 }

/** 0..1: how well received, how often ordered, how carefully described. */
const qualityOf = ({ ratingSum, ratingCount, orderCount, favoriteCount = 0, content }: GigDoc): number => {
  const rating = (ratingSum + RATING_PRIOR * REVIEWS_PRIOR) / (ratingCount + REVIEWS_PRIOR) / 5
  const orders = Math.min(1, Math.log1p(orderCount + favoriteCount / FAVORITES_PER_ORDER) / Math.log1p(ORDERS_FULL))
  const shown = [
    content.images.length > 0,
    content.faq.length > 0,
    content.tags.length > 2,
    content.description.length > 200,
  ]
  const care = shown.filter(Boolean).length / shown.length
  return Math.round((WEIGHTS.rating * rating + WEIGHTS.orders * orders + WEIGHTS.care * care) * 1000) / 1000
}
