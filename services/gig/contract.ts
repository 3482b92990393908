// Gigs: what sellers offer, from draft to live and out again.
import { Type, type Static } from 'typebox'
import { contract } from '../../mixins/contract.ts'
import { Level, Profile } from '../account/contract.ts'
import { closed, Id, listOf, Money, Nothing, page, Price, text, Time } from '../shapes.ts'
import { Tail } from '../topic.ts'

export { CATEGORIES, type CategoryNode } from './categories.ts'

export const GigStatus = Type.Union(
  ['draft', 'pending', 'live', 'paused', 'rejected', 'deleted'].map((status) => Type.Literal(status)) as [
    ReturnType<typeof Type.Literal<'draft'>>,
    ReturnType<typeof Type.Literal<'pending'>>,
    ReturnType<typeof Type.Literal<'live'>>,
    ReturnType<typeof Type.Literal<'paused'>>,
    ReturnType<typeof Type.Literal<'rejected'>>,
    ReturnType<typeof Type.Literal<'deleted'>>,
  ],
)
export type GigStatus = Static<typeof GigStatus>

export const PACKAGE_NAMES = ['basic', 'standard', 'premium'] as const
export type PackageName = (typeof PACKAGE_NAMES)[number]
export const PackageName = Type.Union([Type.Literal('basic'), Type.Literal('standard'), Type.Literal('premium')])

export const Package = closed({
  title: text(1, 80),
  description: text(1, 1200),
  price: Price,
  deliveryDays: Type.Integer({ minimum: 1, maximum: 90 }),
  revisions: Type.Integer({ minimum: 0, maximum: 99 }),
  features: Type.Array(text(1, 120), { maxItems: 20 }),
})
export type Package = Static<typeof Package>

export const Extra = closed({
  id: Id,
  title: text(1, 80),
  price: Price,
  addedDays: Type.Integer({ minimum: 0, maximum: 90 }),
})
export type Extra = Static<typeof Extra>
export const Requirement = closed({
  id: Id,
  question: text(1, 500),
  /** `text`, `choice` or `file` have a form of their own in the storefront; others are asked as text. */
  type: Type.String({ pattern: '^[a-z_]{1,30}$' }),
  required: Type.Boolean(),
  choices: Type.Optional(Type.Array(text(1, 120), { maxItems: 20 })),
})
export type Requirement = Static<typeof Requirement>
const Faq = closed({ question: text(1, 300), answer: text(1, 1200) })
export const Image = closed({ id: Id, url: text(1, 500) })
export type Image = Static<typeof Image>

export const Packages = closed({ basic: Package, standard: Type.Optional(Package), premium: Type.Optional(Package) })
export type Packages = Static<typeof Packages>

const content = {
  title: text(1, 120),
  description: text(1, 6000),
  category: text(1, 60),
  subcategory: text(0, 60),
  tags: Type.Array(text(1, 40), { maxItems: 20 }),
  packages: Packages,
  extras: Type.Array(Extra, { maxItems: 10 }),
  faq: Type.Array(Faq, { maxItems: 20 }),
  requirements: Type.Array(Requirement, { maxItems: 20 }),
  images: Type.Array(Image, { maxItems: 10 }),
}
export const GigContent = closed(content)
export type GigContent = Static<typeof GigContent>
const GivenPackage = closed({ ...Package.properties, features: Type.Optional(Package.properties.features) })
const GivenExtra = closed({ ...Extra.properties, addedDays: Type.Optional(Extra.properties.addedDays) })
/** What a seller may send: parts, lists that are empty left out, and images also by their id or address alone. */
const given = {
  ...Type.Partial(GigContent).properties,
  packages: Type.Optional(
    closed({ basic: GivenPackage, standard: Type.Optional(GivenPackage), premium: Type.Optional(GivenPackage) }),
  ),
  extras: Type.Optional(Type.Array(GivenExtra, { maxItems: 10 })),
  images: Type.Optional(Type.Array(Type.Union([Image, text(1, 500)]), { maxItems: 10 })),
}

export const SellerCard = Type.Object({
  id: Id,
  username: Type.String(),
  displayName: Type.String(),
  level: Level,
  rating: Type.Number(),
  responseMinutes: Profile.properties.responseMinutes,
})
export const Gig = Type.Object(
  {
    id: Id,
    status: GigStatus,
    /** Why it was rejected; only then. */
    reasons: Type.Optional(Type.Array(Type.String())),
    ...content,
    seller: SellerCard,
    rating: Type.Number(),
    reviewCount: Type.Integer(),
    createdAt: Time,
    /** Counts the changes of what can be seen of it. */
    version: Type.Integer(),
  },
  { $id: 'Gig' },
)
export type Gig = Static<typeof Gig>

/** What lists show of a gig. */
export const GigCard = Type.Object(
  {
    id: Id,
    title: Type.String(),
    category: Type.String(),
    subcategory: Type.String(),
    tags: Type.Array(Type.String()),
    /** The lowest package price. */
    price: Money,
    deliveryDays: Type.Integer(),
    image: Type.Union([Image, Type.Null()]),
    seller: SellerCard,
    rating: Type.Number(),
    reviewCount: Type.Integer(),
    createdAt: Time,
    /** When it was first live; of a draft, when it was made. */
    listedAt: Time,
    status: GigStatus,
  },
  { $id: 'GigCard' },
)
export type GigCard = Static<typeof GigCard>

/** What the search engine is told of a live gig: adapters/engine's IndexedGig. */
export const IndexedGig = Type.Object({
  id: Id,
  version: Type.Integer(),
  title: Type.String(),
  description: Type.String(),
  tags: Type.Array(Type.String()),
  category: Type.String(),
  subcategory: Type.String(),
  sellerId: Id,
  sellerName: Type.String(),
  sellerLevel: Type.String(),
  languages: Type.Array(Type.String()),
  price: Type.Integer(),
  currency: Type.String(),
  deliveryDays: Type.Integer(),
  rating: Type.Number(),
  reviewCount: Type.Integer(),
  orderCount: Type.Integer(),
  createdAt: Type.Integer(),
  quality: Type.Number(),
})

/** What an order freezes of a gig. */
export const Quote = Type.Object({
  gig: Id,
  version: Type.Integer(),
  seller: Id,
  title: Type.String(),
  category: Type.String(),
  packages: Packages,
  extras: Type.Array(Extra),
  requirements: Type.Array(Requirement),
  image: Type.Union([Image, Type.Null()]),
})
export type Quote = Static<typeof Quote>

/** What listeners of a gig's topic hear: that it changed. What it says now is the gig's own to show, to whom may see it. */
export const GigEvent = Type.Object({ gig: Id, version: Type.Integer(), live: Type.Boolean() })
export type GigEvent = Static<typeof GigEvent>

/** An order of magnitude below the largest document a store takes. */
export const GIGS_PER_SELLER_MAX = 200

export const gig = contract({
  name: 'gig',
  actions: {
    create: {
      rest: 'POST /v1/gigs',
      auth: 'seller',
      status: 201,
      result: Gig,
      summary: 'Makes a draft. All but the title may come later.',
      params: closed({ ...given, title: content.title }),
    },
    update: {
      rest: 'PATCH /v1/gigs/:id',
      auth: 'seller',
      key: 'id',
      result: Gig,
      summary: 'Changes the fields given. A live gig goes through moderation again.',
      params: closed({ id: Id, ...given }),
    },
    publish: {
      rest: 'POST /v1/gigs/:id/publish',
      auth: 'seller',
      key: 'id',
      result: Gig,
      errors: ['invalid_transition'],
      summary: 'Sends it through moderation: pending, then live, or rejected with reasons.',
      params: closed({ id: Id }),
    },
    pause: {
      rest: 'POST /v1/gigs/:id/pause',
      auth: 'seller',
      key: 'id',
      result: Gig,
      errors: ['invalid_transition'],
      summary: 'Takes a live gig out of sight; publish brings it back.',
      params: closed({ id: Id }),
    },
    remove: {
      rest: 'DELETE /v1/gigs/:id',
      auth: 'seller',
      key: 'id',
      status: 204,
      result: Nothing,
      summary: 'Deletes it; orders keep what they froze.',
      params: closed({ id: Id }),
    },
    get: {
      rest: 'GET /v1/gigs/:id',
      auth: 'optional',
      result: Gig,
      summary: 'One gig. Owners see every status, others only live ones.',
      publicRead: { maxAgeSeconds: 10, staleSeconds: 60 },
      params: closed({ id: Id }),
    },
    inspect: {
      auth: 'internal',
      result: Type.Union([Gig, Type.Null()]),
      summary: 'One gig as its owner sees it, deleted ones too: moderation.',
      params: closed({ id: Id }),
    },
    mine: {
      rest: 'GET /v1/me/gigs',
      auth: 'seller',
      result: listOf(Gig),
      summary: 'The own gigs, newest first, whatever their status.',
      params: closed({ ...page }),
    },
    tail: {
      auth: 'internal',
      summary:
        'Where its topic stands: the version. Earlier events are not kept, the gig itself tells all. Null when there is no such gig.',
      result: Type.Union([Tail, Type.Null()]),
      params: closed({ id: Id }),
    },
    quote: {
      auth: 'internal',
      summary: 'What an order freezes; null unless the gig is live.',
      result: Type.Union([Quote, Type.Null()]),
      params: closed({ id: Id }),
    },
    cards: {
      auth: 'internal',
      summary:
        'Cards of live gigs in the order asked, with `paused` also of those that were to be seen until their seller paused them; null for others.',
      result: Type.Array(Type.Union([GigCard, Type.Null()])),
      params: closed({ ids: Type.Array(Id, { maxItems: 1000 }), paused: Type.Optional(Type.Boolean()) }),
    },
    favored: {
      auth: 'internal',
      key: 'id',
      summary: 'How many people keep it for later.',
      result: Nothing,
      params: closed({ id: Id, count: Type.Integer({ minimum: 0 }) }),
    },
    ofUser: {
      rest: 'GET /v1/users/:username/gigs',
      auth: 'none',
      result: listOf(GigCard),
      summary: "A seller's live gigs, newest first.",
      publicRead: { maxAgeSeconds: 10, staleSeconds: 60 },
      params: closed({ username: text(1, 64), ...page }),
    },
    ofSeller: {
      auth: 'internal',
      summary: "Cards of a seller's live gigs, newest first.",
      result: listOf(GigCard),
      params: closed({ seller: Id, ...page }),
    },
    decide: {
      auth: 'internal',
      key: 'id',
      summary: 'What moderation decided about one version of a pending gig; late decisions change nothing.',
      result: Nothing,
      params: closed({ id: Id, version: Type.Integer(), approved: Type.Boolean(), reasons: Type.Array(Type.String()) }),
    },
    takeDown: {
      auth: 'internal',
      key: 'id',
      summary: 'A moderator rejected it, whatever its version; its seller may change and publish it again.',
      result: Nothing,
      params: closed({ id: Id, reasons: Type.Array(Type.String()) }),
    },
    forget: {
      auth: 'internal',
      result: Nothing,
      summary: 'Deletes the gigs of a person who leaves: erasure. Orders keep what they froze.',
      params: closed({ user: Id }),
    },
    indexed: {
      auth: 'internal',
      summary: 'Every live gig as the engine knows it, in pages by id: reindex and verify.',
      result: Type.Object({ data: Type.Array(IndexedGig), next: Type.Union([Type.String(), Type.Null()]) }),
      params: closed({
        after: Type.Optional(Type.String()),
        limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
      }),
    },
    ensureMany: {
      auth: 'internal',
      summary: 'Stores live gigs under fixed ids unless they exist: demo and seed data. Answers how many were new.',
      result: Type.Object({ made: Type.Integer() }),
      params: closed({
        gigs: Type.Array(
          closed({
            id: Id,
            seller: Id,
            createdAt: Type.Integer(),
            rating: Type.Number(),
            reviewCount: Type.Integer(),
            orderCount: Type.Integer(),
            ...content,
          }),
          { maxItems: 1000 },
        ),
      }),
    },
  },
  events: {
    'gig.submitted': Type.Object({ id: Id, version: Type.Integer(), seller: Id, content: GigContent }),
    /** It was decided whether others may see it. */
    'gig.moderated': Type.Object({
      id: Id,
      seller: Id,
      title: Type.String(),
      approved: Type.Boolean(),
      reasons: Type.Array(Type.String()),
    }),
    /** `indexed` is null when it is not live any more. */
    'gig.changed': Type.Object({
      id: Id,
      version: Type.Integer(),
      status: GigStatus,
      category: Type.String(),
      indexed: Type.Union([IndexedGig, Type.Null()]),
    }),
  },
  hears: ['review.published', 'review.removed', 'order.completed', 'account.changed', 'account.secured'],
})
