// Discovery: what people look for, look at and come back to. Searches kept with alerts, popular and rising searches, what
// was not found, and how gigs fare from being seen to being ordered.
import { Type, type Static } from 'typebox'
import { contract } from '../../mixins/contract.ts'
import { search } from '../search/contract.ts'
import { closed, Id, Nothing, text, Time } from '../shapes.ts'

/** Searches one person may keep. */
export const SAVED_MAX = 50
/** Sightings one request may bring. */
export const SIGHTINGS_MAX = 100
/** Texts one search service tells of at once. */
export const TEXTS_TOLD_MAX = 500
/** Days a report or funnel reaches back. */
export const DAYS_MAX = 90

/** Everything a search may ask but where the page begins and how it is shown. */
const {
  cursor: _cursor,
  limit: _limit,
  facets: _facets,
  highlight: _highlight,
  ...asked
} = search.actions.gigs.params.properties
export const SavedQuery = closed(asked)
export type SavedQuery = Static<typeof SavedQuery>

/** How often the owner is told what is new; `off` keeps the search without telling. */
const Alert = Type.Union([Type.Literal('off'), Type.Literal('hourly'), Type.Literal('daily')])
export type Alert = Static<typeof Alert>
const Name = text(1, 100)

export const SavedSearch = Type.Object(
  {
    id: Id,
    name: Type.String(),
    query: SavedQuery,
    alert: Alert,
    createdAt: Time,
    /** When the last new gig was told of. */
    toldAt: Type.Union([Time, Type.Null()]),
  },
  { $id: 'SavedSearch' },
)
export type SavedSearch = Static<typeof SavedSearch>

const Sighting = closed({
  kind: Type.Union([Type.Literal('impression'), Type.Literal('click')]),
  gig: Id,
})
export type Sighting = Static<typeof Sighting>

/** `asked`: how often; of these `nothing` found nothing and `loosened` only with less than was asked. */
const Told = closed({
  text: text(1, 200),
  asked: Type.Integer({ minimum: 1 }),
  nothing: Type.Integer({ minimum: 0 }),
  loosened: Type.Integer({ minimum: 0 }),
})
export type Told = Static<typeof Told>

const FunnelDay = Type.Object({
  day: Type.String({ description: 'YYYY-MM-DD, UTC' }),
  impressions: Type.Integer(),
  clicks: Type.Integer(),
  orders: Type.Integer(),
})
export type FunnelDay = Static<typeof FunnelDay>
const days = Type.Optional(Type.Integer({ minimum: 1, maximum: DAYS_MAX }))

export const discovery = contract({
  name: 'discovery',
  timers: true,
  actions: {
    save: {
      rest: 'POST /v1/saved-searches',
      auth: 'user',
      status: 201,
      result: SavedSearch,
      summary: `Keeps a search and tells of new gigs that answer it, by default daily. At most ${SAVED_MAX} per person; the same search kept again is the one that was there (200).`,
      params: closed({ name: Type.Optional(Name), query: SavedQuery, alert: Type.Optional(Alert) }),
    },
    saved: {
      rest: 'GET /v1/saved-searches',
      auth: 'user',
      result: Type.Object({ data: Type.Array(SavedSearch) }),
      summary: 'The own saved searches, the latest first.',
      params: Nothing,
    },
    change: {
      rest: 'PATCH /v1/saved-searches/:id',
      auth: 'user',
      result: SavedSearch,
      summary: 'Renames a saved search or changes how often it tells.',
      params: closed({ id: Id, name: Type.Optional(Name), alert: Type.Optional(Alert) }),
    },
    remove: {
      rest: 'DELETE /v1/saved-searches/:id',
      auth: 'user',
      result: Type.Object({ removed: Type.Boolean() }),
      summary: 'Forgets a saved search.',
      params: closed({ id: Id }),
    },
    popular: {
      rest: 'GET /v1/search/popular',
      auth: 'none',
      result: Type.Object({
        data: Type.Array(
          Type.Object({
            text: Type.String(),
            kind: Type.Union([Type.Literal('popular'), Type.Literal('trending')]),
          }),
        ),
      }),
      summary: 'What many search for this week, and what more search for today than usually do.',
      publicRead: { maxAgeSeconds: 60, staleSeconds: 600 },
      params: Nothing,
    },
    report: {
      rest: 'GET /v1/admin/search/report',
      auth: 'admin',
      result: Type.Object({
        data: Type.Array(Type.Object({ ...Told.properties, lastDay: Type.String() })),
        total: Type.Object({ asked: Type.Integer(), nothing: Type.Integer(), loosened: Type.Integer() }),
      }),
      summary:
        'What was searched for in the last `days` (7 unless given) and found nothing, or only with less than was asked; the most often asked first. Candidates for synonyms, and for gigs that are missing.',
      params: closed({ days }),
    },
    sight: {
      rest: 'POST /v1/discovery/sightings',
      auth: 'optional',
      status: 202,
      result: Type.Object({ counted: Type.Integer() }),
      summary:
        "Counts gigs that were shown or opened, once per hour and visitor. `visitor` is a word of the client's own for somebody who is not signed in; without either nothing is counted twice in one request. Counts may lose the last seconds before a crash.",
      params: closed({
        sightings: Type.Array(Sighting, { minItems: 1, maxItems: SIGHTINGS_MAX }),
        visitor: Type.Optional(Id),
      }),
    },
    funnel: {
      rest: 'GET /v1/gigs/:id/funnel',
      auth: 'seller',
      result: Type.Object({
        data: Type.Array(FunnelDay),
        total: Type.Object({ impressions: Type.Integer(), clicks: Type.Integer(), orders: Type.Integer() }),
      }),
      summary:
        'How often an own gig was seen, opened and ordered to the end, by day, of the last `days` (30 unless given).',
      params: closed({ id: Id, days }),
    },
    asked: {
      auth: 'internal',
      summary: 'Takes what a search service was asked since it last told.',
      result: Nothing,
      params: closed({ texts: Type.Array(Told, { maxItems: TEXTS_TOLD_MAX }) }),
    },
    forget: {
      auth: 'internal',
      summary: 'Forgets what one person kept: erasure.',
      result: Type.Object({ removed: Type.Integer() }),
      params: closed({ user: Id }),
    },
  },
  events: {
    /** A saved search is to be asked again. */
    'discovery.due': Type.Object({ user: Id, saved: Id }),
    /** New gigs answer a saved search: the first few, and how many in all. */
    'discovery.matched': Type.Object({
      user: Id,
      saved: Id,
      name: Type.String(),
      total: Type.Integer(),
      gigs: Type.Array(Type.Object({ id: Id, title: Type.String() })),
    }),
  },
  hears: ['discovery.due', 'order.completed'],
})
