// A gig as Meilisearch keeps it: its texts as the words our own splitting makes of them, so that both products know the
// same words, and the steps that its facets count.
import type { IndexedGig } from '../index.ts'
import { isStopWord } from '../embedded/language/index.ts'
import { foldTag, indexWords } from '../embedded/text.ts'
import { bucketOf } from './buckets.ts'

export type GigRecord = {
  id: string
  version: number
  title: string
  tags: string
  about: string
  prose: string
  category: string
  subcategory: string
  sellerId: string
  sellerLevel: string
  languages: string[]
  /** Tags as they are compared. */
  tagKeys: string[]
  /** What a half-typed word is completed to. */
  words: string[]
  price: number
  priceFrom: string
  deliveryDays: number
  deliverySteps: string[]
  rating: number
  ratingSteps: string[]
  reviewCount: number
  orderCount: number
  createdAt: number
  quality: number
}

export const RATING_STEPS = [4.5, 4, 3, 2, 1]
export const DELIVERY_STEPS = [1, 3, 7, 14, 30]

export const recordOf = (gig: IndexedGig): GigRecord => {
  const title = indexWords(gig.title)
  const tags = gig.tags.flatMap(indexWords)
  return {
    id: gig.id,
    version: gig.version,
    title: title.join(' '),
    tags: tags.join(' '),
    about: [gig.category, gig.subcategory, gig.sellerName].flatMap(indexWords).join(' '),
    prose: indexWords(gig.description)
      .filter((word) => !isStopWord(word))
      .join(' '),
    category: keyOf(gig.category),
    subcategory: keyOf(gig.subcategory),
    sellerId: keyOf(gig.sellerId),
    sellerLevel: keyOf(gig.sellerLevel),
    languages: [...new Set(gig.languages.map(keyOf))],
    tagKeys: [...new Set(gig.tags.map(tagKeyOf))],
    words: [...new Set([...title, ...tags])].filter((word) => !isStopWord(word)),
    price: gig.price,
    priceFrom: String(bucketOf(gig.price)),
    deliveryDays: gig.deliveryDays,
    deliverySteps: DELIVERY_STEPS.filter((step) => gig.deliveryDays <= step).map(String),
    rating: gig.rating,
    ratingSteps: RATING_STEPS.filter((step) => gig.rating >= step).map(String),
    reviewCount: gig.reviewCount,
    orderCount: gig.orderCount,
    createdAt: gig.createdAt,
    quality: gig.quality,
  }
}

/** A value as its filter names it: the server's filters know no way to write a backslash; halves of characters are no text. */
export const keyOf = (value: string): string => value.replaceAll('\\', '/').toWellFormed()
export const tagKeyOf = (tag: string): string => keyOf(foldTag(tag))
