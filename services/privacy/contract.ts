// Privacy: everything the market knows of a person, handed out to them; and a person forgotten, while what others need of
// them (orders, money, what they were told) stays.
import { Type, type Static } from 'typebox'
import { contract } from '../../mixins/contract.ts'
import { closed, Id, Nothing, Time } from '../shapes.ts'

/** One export has so many records of one kind, so much JSON, and takes so long; past it `truncated` names what was cut. */
export const EXPORT_RECORDS_MAX = 10_000
export const EXPORT_CHARS_MAX = 16 * 1024 * 1024
export const EXPORT_MS_MAX = 12_000
/** Exports under way on one node. */
export const EXPORTS_AT_ONCE = 4

const Records = Type.Array(Type.Unknown())
export const Export = Type.Object(
  {
    exportedAt: Time,
    account: Type.Unknown(),
    sessions: Records,
    gigs: Records,
    orders: Records,
    reviews: Records,
    conversations: Records,
    blocked: Records,
    favorites: Records,
    savedSearches: Records,
    /** Gigs opened, kept and ordered, as recommendations remember them. */
    touchedGigs: Records,
    notifications: Records,
    notificationSettings: Type.Unknown(),
    reports: Records,
    balance: Type.Unknown(),
    transactions: Records,
    payouts: Records,
    /** Kinds of which there is more than one export holds. */
    truncated: Type.Array(Type.String()),
  },
  { $id: 'Export' },
)
export type Export = Static<typeof Export>

export const privacy = contract({
  name: 'privacy',
  actions: {
    export: {
      rest: 'GET /v1/me/export',
      auth: 'user',
      result: Export,
      download: 'gigwire-export.json',
      summary:
        'Everything the market knows of the caller, as one JSON file: account, gigs, orders with their timelines, reviews, conversations with their messages, money, and what they keep, want and reported.',
      params: closed({}),
    },
    erase: {
      rest: 'DELETE /v1/me',
      auth: 'user',
      status: 204,
      result: Nothing,
      errors: ['conflict'],
      summary:
        'Forgets the caller: no token is good any more, signing in is refused, gigs are gone, and what others keep (messages, reviews, orders) is by a deleted user. 409 names what is in the way: open orders, money not paid out, a role of staff.',
      params: closed({}),
    },
  },
  events: {
    /** A person is to be forgotten by every actor: asked of each until all have. */
    'privacy.erasing': Type.Object({ user: Id }),
  },
  hears: ['privacy.erasing'],
})
