// The gig actor of bench/browse.ts: one gig whatever the id, and a market of others for the search engine to find.
import type { ServiceSchema } from 'moleculer'
import { service } from '../mixins/service.ts'
import { gig as contract, type GigCard } from '../services/gig/contract.ts'
import type { IndexedGig } from '../adapters/engine/index.ts'
import { benchGig } from './search-corpus.ts'

export const GIGS = 5000

/** What is asked of it by nobody here does nothing. */
export const gigs = (): ServiceSchema => {
  const all = Array.from({ length: GIGS }, (_, n) => ({ ...benchGig(n + 1), currency: 'usd' })).sort((one, other) =>
    one.id < other.id ? -1 : 1,
  )
  const cards = new Map(all.map((one) => [one.id, cardOf(one)]))
  type Asked = { params: { id?: string; ids?: string[]; after?: string; limit?: number } }
  const answers: Record<string, (asked: Asked) => unknown> = {
    get: ({ params }) => gigWith(params.id!),
    cards: ({ params }) => params.ids!.map((id) => cards.get(id) ?? null),
    indexed: ({ params: { after = '-1', limit = 500 } }) => {
      const from = Number(after) + 1
      const data = all.slice(from, from + limit)
      return { data, next: from + limit < all.length ? String(from + limit - 1) : null }
    },
  }
  return service(
    contract,
    () =>
      ({
        actions: Object.fromEntries(
          Object.keys(contract.actions).map((name) => [
            name,
            async (asked: Asked) => answers[name]?.(asked) ?? Promise.reject(new Error(`${name} is not benched`)),
          ]),
        ),
        hears: Object.fromEntries(contract.hears.map((event) => [event, async () => undefined])),
      }) as never,
  )
}

const cardOf = (one: IndexedGig): GigCard => ({
  id: one.id,
  title: one.title,
  category: one.category,
  subcategory: one.subcategory,
  tags: one.tags,
  price: { amount: one.price, currency: 'usd' },
  deliveryDays: one.deliveryDays,
  image: null,
  seller: GIG.seller as GigCard['seller'],
  rating: one.rating,
  reviewCount: one.reviewCount,
  createdAt: new Date(one.createdAt).toISOString(),
  listedAt: new Date(one.createdAt).toISOString(),
  status: 'live',
})

export const gigWith = (id: string) => ({ ...GIG, id })

const packageOf = (name: string, amount: number) => ({
  title: name,
  description: `Everything of ${name}, delivered as vector and bitmap files with the source. `.repeat(3).trim(),
  price: { amount, currency: 'usd' },
  deliveryDays: 3,
  revisions: 2,
  features: ['Source file', 'Vector file', 'Printable file'],
})
const GIG = {
  id: '',
  status: 'live',
  title: 'I will design a timeless logo for your company',
  description: 'A mark that still looks right in ten years. '.repeat(25).trim(),
  category: 'design',
  subcategory: 'logos',
  tags: ['logo', 'branding', 'vector'],
  packages: {
    basic: packageOf('One idea', 5000),
    standard: packageOf('Three ideas', 12_000),
    premium: packageOf('A whole brand', 40_000),
  },
  extras: [{ id: 'fast', title: 'Two days sooner', price: { amount: 2000, currency: 'usd' }, addedDays: 0 }],
  faq: [],
  requirements: [],
  images: [],
  seller: { id: 'usr_hot', username: 'ines', displayName: 'Ines', level: 'top_rated', rating: 4.9 },
  rating: 4.9,
  reviewCount: 312,
  createdAt: '2026-01-01T00:00:00.000Z',
  version: 3,
}
