// The search engine's port. The index is a projection: it can be thrown away and rebuilt from the gigs at any time.

/** What the engine knows of a live gig. Plain JSON; prices in minor units of `currency`. */
export type IndexedGig = {
  id: string
  /** Of the gig document: an older version never overwrites a newer one, so deliveries may repeat or cross. */
  version: number
  title: string
  description: string
  tags: string[]
  category: string
  subcategory: string
  sellerId: string
  sellerName: string
  sellerLevel: string
  languages: string[]
  /** Lowest package price. */
  price: number
  currency: string
  /** Shortest delivery over the packages. */
  deliveryDays: number
  /** 0..5, 0 when unrated. */
  rating: number
  reviewCount: number
  orderCount: number
  /** Epoch ms. */
  createdAt: number
  /** 0..1, what ranking multiplies relevance with. */
  quality: number
}

export type Sort = 'relevance' | 'newest' | 'rating' | 'price' | '-price' | 'bestselling'
export type Facet = 'category' | 'subcategory' | 'sellerLevel' | 'language' | 'deliveryDays' | 'rating' | 'price'

export type SearchQuery = {
  q?: string
  filter?: {
    category?: string
    subcategory?: string
    sellerId?: string
    minPrice?: number
    maxPrice?: number
    deliveryDays?: number
    minRating?: number
    /** One of these. */
    sellerLevel?: string[]
    /** One of these. */
    languages?: string[]
    /** All of these, whatever their case and accents. */
    tags?: string[]
  }
  sort?: Sort
  /**
   * Counts for these, each ignoring its own filter; the most frequent 100 values. 'price' gives min, max and a histogram
   * whose buckets reach from `from` to below `to`. 'rating' and 'deliveryDays' count as their filters read:
   * rated at least 4, delivered within 3 days.
   */
  facets?: readonly Facet[]
  /** 1..100. */
  limit?: number
  /**
   * What may be left out of the question when nothing answers it whole: nothing, words (as when left out), or words and
   * then filters, never `sellerId`. At least one word stays. The answer says what was left out.
   */
  loosen?: 'no' | 'words' | 'filters'
  /** Asks for `matched`. */
  highlight?: boolean
  /** Answers as if these had been set; changes nothing. What this engine can't try is named in `untried`. */
  trial?: Tuning
  cursor?: string | null
}

export type Loosened = { kind: 'word'; word: string } | { kind: 'filter'; filter: FilterName }
export type FilterName = Facet | 'sellerId' | 'tags'

/** Folded words that answered the query: in full, and such that a word starting with one did. See `marksOf`. */
export type Matched = { words: string[]; starts: string[] }

/** What relevance is made of besides the text: how much of a gig's score its quality decides, what being new adds. */
export type Ranking = {
  /** 0..1: a gig of quality 0 keeps 1 minus this of its score. */
  quality: number
  /** 0..1: added for a gig made now, half of it after `freshnessDays`. */
  freshness: number
  freshnessDays: number
}
/** What found most of the wanted gigs first in `npm run eval:search`. */
export const RANKING_USUAL: Ranking = { quality: 0.4, freshness: 0.1, freshnessDays: 30 }

/** Gigs that stand first, in this order, when this text is searched by relevance. */
export type Pin = { q: string; ids: readonly string[] }
/** All that can be set without indexing again. */
export type Tuning = { synonyms: readonly (readonly string[])[]; ranking: Ranking; pins: readonly Pin[] }
export const PINS_MAX = 1000
/** Of one text. */
export const PINNED_MAX = 10

export type SearchResult = {
  hits: { id: string; score: number }[]
  total: number
  totalIsExact: boolean
  facets: Partial<Record<Exclude<Facet, 'price'>, Record<string, number>>> & {
    price?: { min: number; max: number; histogram: { from: number; to: number; count: number }[] }
  }
  nextCursor: string | null
  /** The query the engine answered instead, when the typed words matched nothing. */
  corrected?: string
  /** What was left out of the question, because nothing answered it whole. */
  loosened?: Loosened[]
  matched?: Matched
  untried?: (keyof Tuning)[]
  tookMs: number
}

export type Suggestion = { text: string; kind: 'completion' | 'popular' | 'category' }

export type EngineStats = {
  gigs: number
  bytes: number
  /** Something on disk could not be read and is left out, until `clear`: clear and index again, or compare versions. */
  damaged?: boolean
  /** How often the engine came back from a crash. What it took in its last second may be missing: compare versions. */
  restarts?: number
}

/** An index that is being made beside the one that answers. */
export type NextIndex = Pick<Engine, 'upsert' | 'remove' | 'versions'>

export interface Engine {
  /** Whether all nodes ask one index; else each has its own, and passes on what it heard. */
  readonly shared: boolean
  /** Idempotent by (id, version). Visible to searches when resolved or within a second, whichever is first. */
  upsert(gigs: readonly IndexedGig[]): Promise<void>
  /** Forgets gigs; `version` guards against an older delivery like upsert's. */
  remove(gigs: readonly { id: string; version: number }[]): Promise<void>
  /** A malformed cursor throws EngineError 'bad_cursor', too long a filter 'bad_query'. Any text is a legal query. */
  search(query: SearchQuery): Promise<SearchResult>
  /**
   * Words and phrases that answer each other, all members of a group both ways. Replaces what was set; shown in searches
   * from then on, without indexing again. An engine keeps settings while it is open: send them when one was opened.
   */
  setSynonyms(groups: readonly (readonly string[])[]): Promise<void>
  /** Like setSynonyms. Lists under way go on by the ranking and pins they began with. */
  setRanking(ranking: Ranking): Promise<void>
  setPins(pins: readonly Pin[]): Promise<void>
  suggest(prefix: string, limit: number): Promise<Suggestion[]>
  /** Resolves when everything accepted before is visible and safe on disk. */
  flush(): Promise<void>
  /** id → version of everything indexed, in pages by id: for `verify`. */
  versions(page: {
    after?: string | null
    limit: number
  }): Promise<{ versions: { id: string; version: number }[]; next: string | null }>
  stats(): Promise<EngineStats>
  /** Empties the index. */
  clear(): Promise<void>
  /**
   * Makes the index anew without a gap: `fill` puts the gigs into a second one while the first goes on answering, changes
   * go to both, and then the second takes the first one's place. When `fill` fails, nothing has changed. One at a time,
   * else EngineError 'engine_busy'.
   */
  rebuild(fill: (next: NextIndex) => Promise<void>): Promise<void>
  close(): Promise<void>
}

export class EngineError extends Error {
  readonly code: 'bad_cursor' | 'bad_query' | 'engine_down' | 'engine_busy'
  constructor(code: EngineError['code'], message: string) {
    super(message)
    this.name = 'EngineError'
    this.code = code
  }
}
/** Query text beyond this many characters is cut. */
export const QUERY_CHARS_MAX = 200
/** Values of one filter; more are refused. */
export const FILTER_VALUES_MAX = 100
/** Searches that may wait for the engine at once; past it EngineError 'engine_busy'. */
export const SEARCHES_WAITING_MAX = 1000
