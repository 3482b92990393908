// What a search must answer, found by reading every gig: slow, plain, and sharing no code with an engine.
import type { Facet, IndexedGig, SearchQuery, Sort } from './index.ts'

type Filter = NonNullable<SearchQuery['filter']>
type Check = (gig: IndexedGig, filter: Filter) => boolean

const simple = (text: string) => text.toLowerCase().replaceAll('é', 'e').replace(/\s+/g, ' ').trim()
const isHan = (text: string) => /^\p{Script=Han}/u.test(text)

type Language = 'en' | 'es' | 'de' | 'fr'
const LANGUAGES: readonly Language[] = ['en', 'es', 'de', 'fr']
/** Of the sample's words: those that tell nothing, and those that are forms of one word, each in which languages. */
const STOP_WORDS: Record<string, Language[]> = { the: ['en'], will: ['en'], und: ['de'], der: ['de'], los: ['es'] }
const FORMS: readonly [string, string, Language[]][] = [
  ['design', 'designer', ['en', 'de', 'fr']],
  ['paint', 'painting', ['en']],
  ['paint', 'painter', ['en', 'de', 'fr']],
  ['painting', 'painter', ['en']],
  ['song', 'songs', ['en', 'de', 'fr']],
  ['mobile', 'mobility', ['en']],
  ['diseno', 'disenos', ['en', 'es', 'de', 'fr']],
]
const formsOf = (word: string) =>
  FORMS.flatMap(([one, other, languages]) => {
    if (word !== one && word !== other) return []
    return [{ word: word === one ? other : one, languages }]
  })

type Read = { gig: IndexedGig; words: Set<string>; languages: Language[] }

/** A gig's words; without the stop words of its description, and runs of Han as their pairs and last character. */
const read = (gig: IndexedGig): Read => {
  const named = simple([gig.title, ...gig.tags, gig.category, gig.subcategory, gig.sellerName].join(' ')).split(' ')
  const prose = simple(gig.description).split(' ')
  const words = [...named, ...prose.filter((word) => !STOP_WORDS[word])].filter(Boolean)
  const heard = [...named, ...prose].flatMap((word) => STOP_WORDS[word] ?? [])
  const times = (language: Language) => heard.filter((one) => one === language).length
  const most = Math.max(...LANGUAGES.map(times))
  return {
    gig,
    words: new Set(words.flatMap((word) => (isHan(word) ? [...pairs(word), word.at(-1)!] : [word]))),
    languages: LANGUAGES.filter((language) => times(language) === most),
  }
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

/** One thing asked for: what it is called, and whether a gig has it. */
type Asked = { name: string; has: (one: Read) => boolean }
type Asking = { all: Read[]; known: string[]; groups: readonly (readonly string[])[] }

const hasForm = (word: string) => (one: Read) =>
  one.words.has(word) ||
  formsOf(word).some(
    (form) => one.words.has(form.word) && form.languages.some((language) => one.languages.includes(language)),
  )

const telling = (text: string): string[] => {
  const typed = simple(text).split(' ').filter(Boolean)
  const all = typed.flatMap((word) => (isHan(word) && word.length > 1 ? pairs(word) : [word]))
  const left = all.filter((word) => !STOP_WORDS[word])
  return left.length > 0 ? left : all
}

/** The other members of the word's groups, or of the groups of a form of it. */
const othersOf = (groups: Asking['groups'], member: string): string[] => {
  const of = (name: string) => groups.filter((group) => group.includes(name)).flat()
  if (of(member).length > 0) return of(member)
  return formsOf(member).flatMap((form) => of(form.word))
}

const hasMember = (member: string) => (one: Read) => member.split(' ').every((word) => hasForm(word)(one))

type Typed = { word: string; half: boolean; joined: string[] }

const hasTyped = ({ groups }: Asking, { word, half, joined }: Typed) => {
  const others = othersOf(groups, word)
  return (one: Read) =>
    hasForm(word)(one) ||
    (half && [...one.words].some((known) => known.startsWith(word))) ||
    joined.some((both) => one.words.has(both)) ||
    others.some((other) => hasMember(other)(one))
}

const wordAsked = (asking: Asking, typed: Typed): Asked[] => {
  const { word } = typed
  const has = hasTyped(asking, typed)
  if (asking.all.some(has)) return [{ name: word, has }]
  const guess = guessOf(asking, typed)
  if (guess.split) return guess.words.map((half) => ({ name: half, has: hasTyped(asking, plain(half)) }))
  return [{ name: word, has: (one) => guess.words.some((near) => hasForm(near)(one)) }]
}
const plain = (word: string): Typed => ({ word, half: false, joined: [] })

const guessOf = ({ known }: Asking, { word, half }: Typed): { words: string[]; split: boolean } => {
  const allowed = word.length >= 8 ? 2 : word.length >= 4 ? 1 : 0
  const whole = (one: string) => distance(word, one)
  const starts = (one: string) =>
    Math.min(...Array.from({ length: one.length + 1 }, (_, end) => whole(one.slice(0, end))))
  const within = (measure: (one: string) => number, edits: number) => known.filter((one) => measure(one) === edits)
  const splits = Array.from({ length: Math.max(0, word.length - 5) }, (_, at) => at + 3)
    .filter((at) => known.includes(word.slice(0, at)) && known.includes(word.slice(at)))
    .sort((left, right) => unevenness(word, left) - unevenness(word, right) || right - left)
  const steps = [
    ...(allowed >= 1 ? [{ words: within(whole, 1), split: false }] : []),
    { words: splits.slice(0, 1).flatMap((at) => [word.slice(0, at), word.slice(at)]), split: true },
    ...(allowed >= 2 ? [{ words: within(whole, 2), split: false }] : []),
    ...(half ? [1, 2].filter((edits) => edits <= allowed) : []).map((edits) => {
      return { words: within(starts, edits), split: false }
    }),
  ]
  return steps.find(({ words }) => words.length > 0) ?? { words: [], split: false }
}
const unevenness = (word: string, at: number) => Math.abs(2 * at - word.length)

const textAsked = (asking: Asking, q: string): Asked[] => {
  const words = telling(q)
  const asked: Asked[] = []
  for (let at = 0; at < words.length; at++) {
    const lengths = [4, 3, 2].filter((length) => at + length <= words.length)
    const names = lengths.map((length) => words.slice(at, at + length).join(' '))
    const phrase = names.find((name) => asking.groups.some((group) => group.includes(name)))
    const hasPhrase = (one: Read) => [phrase!, ...othersOf(asking.groups, phrase!)].some((name) => hasMember(name)(one))
    if (phrase && asking.all.some(hasPhrase)) {
      asked.push({ name: phrase, has: hasPhrase })
      at += phrase.split(' ').length - 1
      continue
    }
    const word = words[at]!
    if (asked.some(({ name }) => name === word)) continue
    const beside = isHan(word) ? [] : [words[at - 1] && words[at - 1]! + word, words[at + 1] && word + words[at + 1]!]
    const half = isHan(word) || (at === words.length - 1 && !q.endsWith(' '))
    asked.push(...wordAsked(asking, { word, half, joined: beside.filter((both) => both !== undefined) }))
  }
  return [...new Map(asked.map((one) => [one.name, one])).values()]
}

/** Of several sets of names: the largest, then the most frequent, then the one that keeps the earlier names. */
const commonest = (sets: string[][], order: readonly string[]): string[] => {
  const times = (set: string[]) => sets.filter((other) => other.join() === set.join()).length
  const bits = (set: string[]) => set.reduce((sum, name) => sum + 2 ** order.indexOf(name), 0)
  const better = (left: string[], right: string[]) =>
    right.length - left.length || times(right) - times(left) || bits(left) - bits(right)
  return sets.filter((set) => set.length > 0).toSorted(better)[0] ?? []
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

const FILTER_ORDER = Object.keys(CHECKS)

/** Which of the question is kept: all of it if that finds something, else as the port says. */
const keep = (all: Read[], asked: readonly Asked[], { filter = {}, loosen = 'words' }: SearchQuery) => {
  const names = asked.map(({ name }) => name)
  const had = (one: Read) => asked.filter(({ has }) => has(one)).map(({ name }) => name)
  const passed = ({ gig }: Read) => FILTER_ORDER.filter((name) => CHECKS[name]!(gig, filter))
  const passing = all.filter((one) => passed(one).length === FILTER_ORDER.length)
  const whole = { words: names, filters: FILTER_ORDER }
  if (loosen === 'no' || passing.some((one) => had(one).length === names.length)) return whole
  const within = names.length > 1 ? commonest(passing.map(had), names) : []
  if (within.length > 0) return { words: within, filters: FILTER_ORDER }
  if (loosen === 'words') return whole
  const words = names.length > 1 ? commonest(all.map(had), names) : names
  const having = all.filter(
    (one) => (words.length > 0 || names.length === 0) && words.every((name) => had(one).includes(name)),
  )
  const sets = having.map(passed).filter((set) => set.includes('sellerId'))
  return sets.length > 0 ? { words, filters: commonest(sets, FILTER_ORDER) } : whole
}

export function answerByHand(gigs: IndexedGig[], query: SearchQuery, groups: readonly (readonly string[])[] = []) {
  const { q = '', filter = {}, facets = [] } = query
  const all = gigs.map(read)
  const known = [...new Set(all.flatMap(({ words }) => [...words]))]
  const asked = textAsked({ all, known, groups }, q)
  const kept = keep(all, asked, query)
  const wanted = asked.filter(({ name }) => kept.words.includes(name))
  const matching = all.filter((one) => wanted.every(({ has }) => has(one))).map(({ gig }) => gig)
  const passing = (ignored: string) =>
    matching.filter((gig) => kept.filters.every((name) => name === ignored || CHECKS[name]!(gig, filter)))
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
    loosened: [
      ...asked.filter(({ name }) => !kept.words.includes(name)).map(({ name }) => ({ kind: 'word', word: name })),
      ...FILTER_ORDER.filter((name) => !kept.filters.includes(name)).map((name) => ({ kind: 'filter', filter: name })),
    ],
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
