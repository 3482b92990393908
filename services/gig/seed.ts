// A gig that comes with its past: demo and imported ones. Pure.
import { contentWith } from './content.ts'
import type { GigContent } from './contract.ts'
import { marked, type GigDoc } from './gig.ts'

export type Seeded = GigContent & {
  id: string
  seller: string
  createdAt: number
  rating: number
  reviewCount: number
  orderCount: number
}

export const seededGig = ({ id, seller, createdAt, rating, reviewCount, orderCount, ...content }: Seeded): GigDoc =>
  marked({
    id,
    version: 1,
    outbox: [],
    outboxAt: null,
    seller,
    status: 'live',
    content: contentWith(null, content),
    reasons: [],
    revision: 1,
    submitted: null,
    approved: true,
    createdAt,
    listedAt: createdAt,
    ratingSum: rating * reviewCount,
    ratingCount: reviewCount,
    orderCount,
    counted: [],
    ownedBy: null,
    liveSeller: null,
    isLive: null,
  })
