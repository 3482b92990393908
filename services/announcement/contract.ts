// Announcements: what the market tells everybody, numbered 1, 2, 3 …
import { Type, type Static } from 'typebox'
import { contract } from '../../mixins/contract.ts'
import { closed, Id, listOf, page, text, Time } from '../shapes.ts'
import { Tail } from '../topic.ts'

/** Characters of one; a longer story has a page of its own that `link` leads to. */
export const ANNOUNCEMENT_MAX = 1000

export const Announcement = Type.Object(
  {
    id: Id,
    seq: Type.Integer({ minimum: 1 }),
    text: Type.String(),
    link: Type.Optional(Type.String()),
    at: Time,
  },
  { $id: 'Announcement' },
)
export type Announcement = Static<typeof Announcement>

export const announcement = contract({
  name: 'announcement',
  actions: {
    make: {
      rest: 'POST /v1/admin/announcements',
      auth: 'admin',
      status: 201,
      result: Announcement,
      summary:
        'Tells everybody: listed at once, and said to every socket that joined `announcements`. Takes Idempotency-Key.',
      params: closed({
        text: text(1, ANNOUNCEMENT_MAX),
        link: Type.Optional(Type.String({ minLength: 1, maxLength: 500, pattern: '^(https://|/)[!-~]*$' })),
      }),
    },
    list: {
      rest: 'GET /v1/announcements',
      auth: 'none',
      result: listOf(Announcement),
      summary: 'What was announced, the latest first.',
      publicRead: { maxAgeSeconds: 10, staleSeconds: 60 },
      params: closed({ ...page }),
    },
    tail: {
      auth: 'internal',
      summary: 'Where the topic stands, with the latest announcements.',
      result: Tail,
      params: closed({}),
    },
  },
  events: { 'announcement.made': Announcement },
  // Its own: what was stored is said from the store, also by the node that comes after one that fell.
  hears: ['announcement.made'],
})
