// What a search must answer, found by reading every gig: slow, plain, and sharing no code with an engine.
import type { Facet, IndexedGig, SearchQuery, Sort } from './index.ts'

type Filter = NonNullable<SearchQuery['filter']>
type Check = (gig: IndexedGig, filter: Filter) => boolean

const simple = (text: string) => text.toLowerCase().replaceAll('é', 'e').replace(/\s+/g, ' ').trim()
const isHan = (text: string) => /^\p{Script=Han}/u.test(text)
const STOP_WORDS = ['the', 'will']

/** A gig's words; without the stop words of its description, and runs of Han as their pairs and last character. */
const wordsOf = (gig: IndexedGig): Set<string> => {
  const named = simple([gig.title, ...gig.tags].join(' ')).split(' ')
  const prose = simple([gig.description, gig.category, gig.subcategory, gig.sellerName].join(' ')).split(' ')
  const words = [...named, ...prose.filter((word) => !STOP_WORDS.includes(word) && word !== 'a')]
  return new Set(words.filter(Boolean).flatMap((word) => (isHan(word) ? [...pairs(word), word.at(-1)!] : [word])))
}

const pairs = (word: string) => Array.from({ length: word.length - 1 }, (_, at) => word.slice(at, at + 2))

const distance = (left: string, right: string): number => {
  const at = (row: number, column: number): number => {
    if (row === 0 || column === 0) return row + column
    const same = left[row - 1] === right[column - 1]
    if (same) return at(row - 1, column - 1)
    const swapped = row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1]
    const oneEdit = Math.min(at(row - 1, column - 1), at(row - 1, column), at(row, column - 1))
    return 1 + Math.min(oneEdit, swapped ? at(row - 2, column - 2) : Infinity)
  }
  return Math.abs(left.length - right.length) > 2 ? 3 : at(left.length, right.length)
}

/** The words that answer one word of the query. */
const answersTo = (word: string, half: boolean, known: string[]): Set<string> => {
  const typed = known.filter((one) => one === word || (half && one.startsWith(word)))
  if (typed.length > 0) return new Set(typed)
  const allowed = word.length >= 8 ? 2 : word.length >= 4 ? 1 : 0
  const whole = (one: string) => distance(word, one)
  const starts = (one: string) =>
    Math.min(...Array.from({ length: one.length + 1 }, (_, end) => whole(one.slice(0, end))))
  for (const measure of half ? [whole, starts] : [whole]) {
    for (let edits = 1; edits <= allowed; edits++) {
      const near = known.filter((one) => measure(one) === edits)
      if (near.length > 0) return new Set(near)
    }
  }
  return new Set()
}

const matchText = (gigs: IndexedGig[], q: string): IndexedGig[] => {
  const typed = simple(q).split(' ').filter(Boolean)
  const all = typed.flatMap((word) => (isHan(word) && word.length > 1 ? pairs(word) : [word]))
  if (all.length === 0) return gigs
  const telling = all.filter((word) => !STOP_WORDS.includes(word))
  const bags = gigs.map(wordsOf)
  const known = [...new Set(bags.flatMap((bag) => [...bag]))]
  const isHalf = (word: string) => isHan(word) || (word === all.at(-1) && !q.endsWith(' '))
  const wanted = (telling.length > 0 ? telling : all).map((word) => answersTo(word, isHalf(word), known))
  const having = (at: number) => wanted.filter((words) => [...words].some((word) => bags[at]!.has(word))).length
  const every = gigs.filter((_, at) => having(at) === wanted.length)
  return every.length > 0 ? every : gigs.filter((_, at) => having(at) > 0)
}

const CHECKS: Record<string, Check> = {
  category: (gig, { category }) => category === undefined || gig.category === category,
  subcategory: (gig, { subcategory }) => subcategory === undefined || gig.subcategory === subcategory,
  sellerId: (gig, { sellerId }) => sellerId === undefined || gig.sellerId === sellerId,
  price: (gig, { minPrice = 0, maxPrice = Infinity }) => gig.price >= minPrice && gig.price <= maxPrice,
  deliveryDays: (gig, { deliveryDays = Infinity }) => gig.deliveryDays <= deliveryDays,
  rating: (gig, { minRating = 0 }) => gig.rating >= minRating,
  sellerLevel: (gig, { sellerLevel = [] }) => sellerLevel.length === 0 || sellerLevel.includes(gig.sellerLevel),
  language: (gig, { languages = [] }) => languages.length === 0 || gig.languages.some((one) => languages.includes(one)),
  tags: (gig, { tags = [] }) => tags.every((tag) => gig.tags.some((one) => simple(one) === simple(tag))),
}

const VALUES: Record<Exclude<Facet, 'price'>, (gig: IndexedGig) => string[]> = {
  category: (gig) => [gig.category],
  subcategory: (gig) => [gig.subcategory],
  sellerLevel: (gig) => [gig.sellerLevel],
  language: (gig) => [...new Set(gig.languages)],
  rating: (gig) => [4.5, 4, 3, 2, 1].filter((step) => gig.rating >= step).map(String),
  deliveryDays: (gig) => [1, 3, 7, 14, 30].filter((step) => gig.deliveryDays <= step).map(String),
}

export function answerByHand(gigs: IndexedGig[], { q = '', filter = {}, facets = [] }: SearchQuery) {
  const matching = matchText(gigs, q)
  const passing = (ignored: string) =>
    matching.filter((gig) => {
      return Object.entries(CHECKS).every(([name, check]) => name === ignored || check(gig, filter))
    })
  const counted = facets
    .filter((facet) => facet !== 'price')
    .map((facet) => {
      const counts: Record<string, number> = {}
      for (const value of passing(facet).flatMap(VALUES[facet])) counts[value] = (counts[value] ?? 0) + 1
      return [facet, counts] as const
    })
  return {
    ids: passing('').map((gig) => gig.id),
    facets: Object.fromEntries(counted),
    prices: facets.includes('price') ? passing('price').map((gig) => gig.price) : null,
  }
}

const byId = (left: IndexedGig, right: IndexedGig) => (left.id < right.id ? -1 : 1)

/** How each sort orders two gigs; relevance is each engine's own. */
export const compareBy: Record<Sort, ((left: IndexedGig, right: IndexedGig) => number) | null> = {
  relevance: null,
  newest: (left, right) => right.createdAt - left.createdAt || byId(left, right),
  rating: (left, right) => right.rating - left.rating || right.reviewCount - left.reviewCount || byId(left, right),
  price: (left, right) => left.price - right.price || byId(left, right),
  '-price': (left, right) => right.price - left.price || byId(left, right),
  bestselling: (left, right) => right.orderCount - left.orderCount || right.rating - left.rating || byId(left, right),
}
