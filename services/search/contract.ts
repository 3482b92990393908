// Search: finding gigs, categories with their counts, suggestions. Never touches documents on a request's path.
import { Type, type Static } from 'typebox'
import { PINNED_MAX, PINS_MAX, QUERY_CHARS_MAX } from '../../adapters/engine/index.ts'
import { contract } from '../../mixins/contract.ts'
import { GigCard, IndexedGig } from '../gig/contract.ts'
import { closed, Id, Nothing, page, text, Time } from '../shapes.ts'

const Counts = Type.Record(Type.String(), Type.Integer())
const Mark = Type.Array(Type.Integer(), { minItems: 2, maxItems: 2 })
export const SearchPage = Type.Object(
  {
    data: Type.Array(GigCard),
    total: Type.Integer(),
    facets: Type.Object({
      category: Type.Optional(Counts),
      subcategory: Type.Optional(Counts),
      sellerLevel: Type.Optional(Counts),
      language: Type.Optional(Counts),
      deliveryDays: Type.Optional(Counts),
      rating: Type.Optional(Counts),
      price: Type.Optional(
        Type.Object({
          min: Type.Integer(),
          max: Type.Integer(),
          histogram: Type.Array(Type.Object({ from: Type.Integer(), to: Type.Integer(), count: Type.Integer() })),
        }),
      ),
    }),
    nextCursor: Type.Union([Type.String(), Type.Null()]),
    tookMs: Type.Number(),
    query: Type.Object({
      q: Type.Optional(Type.String()),
      corrected: Type.Optional(Type.String()),
      // What was left out because nothing answered the whole question.
      loosened: Type.Optional(
        Type.Array(
          Type.Union([
            Type.Object({ kind: Type.Literal('word'), word: Type.String() }),
            Type.Object({ kind: Type.Literal('filter'), filter: Type.String() }),
          ]),
        ),
      ),
    }),
    // With `highlight`: per gig where in its title the found words stand, from inclusive, to exclusive.
    highlights: Type.Optional(Type.Record(Type.String(), Type.Object({ title: Type.Array(Mark) }))),
  },
  { $id: 'SearchPage' },
)
export type SearchPage = Static<typeof SearchPage>

export type Category = {
  slug: string
  name: string
  gigs: number
  subcategories: { slug: string; name: string; gigs: number }[]
}
const Category = Type.Object({
  slug: Type.String(),
  name: Type.String(),
  gigs: Type.Integer(),
  subcategories: Type.Array(Type.Object({ slug: Type.String(), name: Type.String(), gigs: Type.Integer() })),
})

/** How far making the index anew is; `of` is about how many gigs there are. */
export const Rebuilding = Type.Object({
  state: Type.Union([Type.Literal('never'), Type.Literal('running'), Type.Literal('done'), Type.Literal('failed')]),
  gigs: Type.Integer(),
  of: Type.Integer(),
  seconds: Type.Number(),
  // Whether all nodes ask one index.
  shared: Type.Boolean(),
  problem: Type.Union([Type.String(), Type.Null()]),
})

const Sort = Type.Union([
  Type.Literal('relevance'),
  Type.Literal('newest'),
  Type.Literal('rating'),
  Type.Literal('price'),
  Type.Literal('-price'),
  Type.Literal('bestselling'),
])
/** What may be left out when nothing answers the whole question; words when not said. */
const Loosen = Type.Union([Type.Literal('no'), Type.Literal('words'), Type.Literal('filters')])
/** Comma-separated in the query string. */
const words = (maxLength: number) => Type.String({ minLength: 1, maxLength })

/** Groups of words that answer each other, words of a group, and letters of a word. */
export const SYNONYM_GROUPS_MAX = 1000
const SYNONYMS_MAX = 20
const SYNONYM_LETTERS_MAX = 60
const Phrase = Type.String({ minLength: 1, maxLength: SYNONYM_LETTERS_MAX })
const tunable = {
  /** Beside those the market comes with. */
  synonyms: Type.Array(Type.Array(Phrase, { minItems: 2, maxItems: SYNONYMS_MAX }), { maxItems: SYNONYM_GROUPS_MAX }),
  /** Gigs that stand first when this text is searched by relevance, in this order. */
  pins: Type.Array(
    closed({ q: text(1, QUERY_CHARS_MAX), gigs: Type.Array(Id, { minItems: 1, maxItems: PINNED_MAX }) }),
    { maxItems: PINS_MAX },
  ),
  /** How much of a gig's score its quality decides, and what being new adds, half of it after `freshnessDays`. */
  ranking: closed({
    quality: Type.Number({ minimum: 0, maximum: 1 }),
    freshness: Type.Number({ minimum: 0, maximum: 1 }),
    freshnessDays: Type.Number({ minimum: 1, maximum: 3650 }),
  }),
}
export const Tunable = closed(tunable)
export type Tunable = Static<typeof Tunable>
export const SearchSettings = Type.Object(
  {
    ...tunable,
    /** Counts the changes; 0 as the market comes. */
    version: Type.Integer({ minimum: 0 }),
    changedAt: Type.Union([Time, Type.Null()]),
    changedBy: Type.Union([Id, Type.Null()]),
  },
  { $id: 'SearchSettings' },
)
export type SearchSettings = Static<typeof SearchSettings>

const asked = {
  q: Type.Optional(Type.String({ maxLength: 20_000 })),
  category: Type.Optional(words(60)),
  subcategory: Type.Optional(words(60)),
  minPrice: Type.Optional(Type.Integer({ minimum: 0 })),
  maxPrice: Type.Optional(Type.Integer({ minimum: 0 })),
  deliveryDays: Type.Optional(Type.Integer({ minimum: 1, maximum: 365 })),
  sellerLevel: Type.Optional(words(200)),
  minRating: Type.Optional(Type.Number({ minimum: 0, maximum: 5 })),
  language: Type.Optional(words(200)),
  tags: Type.Optional(words(500)),
  sort: Type.Optional(Sort),
  facets: Type.Optional(words(200)),
  loosen: Type.Optional(Loosen),
  highlight: Type.Optional(Type.Boolean()),
  ...page,
}

export const search = contract({
  name: 'search',
  actions: {
    gigs: {
      rest: 'GET /v1/gigs',
      auth: 'none',
      result: SearchPage,
      summary:
        'Searches live gigs. `sellerLevel`, `language`, `tags` and `facets` take several values, separated by commas. `loosen` says what may be left out when nothing answers it all: `no`, `words` or `filters`.',
      publicRead: { maxAgeSeconds: 5, staleSeconds: 60 },
      params: closed(asked),
    },
    suggest: {
      rest: 'GET /v1/search/suggest',
      auth: 'none',
      summary: 'Completions, categories and popular searches.',
      result: Type.Object({
        // `category` suggestions also say where they lead: 'design' or 'design/logo-design'.
        data: Type.Array(Type.Object({ text: Type.String(), kind: Type.String(), path: Type.Optional(Type.String()) })),
      }),
      publicRead: { maxAgeSeconds: 30, staleSeconds: 300 },
      params: closed({ q: Type.Optional(text(0, 200)) }),
    },
    categories: {
      rest: 'GET /v1/categories',
      auth: 'none',
      result: Type.Object({ data: Type.Array(Category) }),
      summary: 'The tree, with how many live gigs each has.',
      publicRead: { maxAgeSeconds: 30, staleSeconds: 300 },
      params: closed({}),
    },
    similar: {
      rest: 'GET /v1/gigs/:id/similar',
      auth: 'none',
      result: Type.Object({ data: Type.Array(GigCard) }),
      summary: 'Gigs like this one.',
      publicRead: { maxAgeSeconds: 60, staleSeconds: 300 },
      params: closed({ id: text(1, 64) }),
    },
    settings: {
      rest: 'GET /v1/admin/search/settings',
      auth: 'admin',
      result: SearchSettings,
      summary: 'Synonyms, pins and ranking as they are.',
      params: Nothing,
    },
    changeSettings: {
      rest: 'PUT /v1/admin/search/settings',
      auth: 'admin',
      result: SearchSettings,
      summary:
        'Replaces synonyms, pins and ranking; every node goes by them within a second, without indexing again. With `version`, only if nobody else has changed them since.',
      params: closed({ ...tunable, version: Type.Optional(Type.Integer({ minimum: 0 })) }),
    },
    preview: {
      rest: 'POST /v1/admin/search/preview',
      auth: 'admin',
      result: Type.Object({
        before: SearchPage,
        after: SearchPage,
        /** Settings the engine in use can't try before it has them. */
        untried: Type.Array(Type.String()),
      }),
      summary: 'Asks a search as it is answered now, and as it would be with these settings. Changes nothing.',
      params: closed({ query: closed(asked), settings: Type.Partial(Tunable, { additionalProperties: false }) }),
    },
    index: {
      auth: 'internal',
      summary: 'Takes many gigs into the index at once: demo and seed data.',
      result: Type.Object({}),
      params: closed({ gigs: Type.Array(IndexedGig, { maxItems: 1000 }) }),
    },
    reindex: {
      auth: 'internal',
      summary: 'Compares the index with the live gigs and repairs it.',
      result: Type.Object({ gigs: Type.Integer(), repaired: Type.Integer() }),
      params: closed({}),
    },
    rebuild: {
      auth: 'internal',
      summary: 'Starts making the index anew, while it goes on answering, unless that is under way.',
      result: Rebuilding,
      params: closed({}),
    },
    rebuilding: {
      auth: 'internal',
      summary: 'How far making the index anew is.',
      result: Rebuilding,
      params: closed({}),
    },
    difference: {
      auth: 'internal',
      summary: 'Ids whose indexed version is not the live one (the first hundred): verify.',
      result: Type.Object({ live: Type.Integer(), indexed: Type.Integer(), different: Type.Array(Type.String()) }),
      params: closed({}),
    },
  },
  events: {
    /** Settings were stored: every node takes them up. */
    'search.settings.changed': Type.Object({ version: Type.Integer() }),
  },
  hears: ['gig.changed', 'search.settings.changed'],
})
