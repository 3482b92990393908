// What goes over the wire, in the client's own words: it stands alone, and client/wire.test.ts holds it to the contracts.

/** Money in minor units. `order`: what it became once accepted. */
export type OfferCard = {
  id: string
  title: string
  price: { amount: number; currency: string }
  deliveryDays: number
  revisions: number
  expiresAt: string
  status: 'open' | 'accepted' | 'declined' | 'withdrawn' | 'expired'
  order?: string
}
/**
 * `seq` counts 1, 2, 3 … in its conversation. `clientId` is the name its sender gave it. Times are ISO 8601. `version` is 1 as
 * sent and grows with every change; `change` is the conversation's number of the last one. `masked`: contact details were
 * replaced. `held`: a moderator looks at it first, and only its sender sees the text. `offer`: what its sender offers here.
 */
export type Message = {
  id: string
  conversation: string
  seq: number
  clientId: string
  sender: string
  text: string
  attachments: string[]
  sentAt: string
  editedAt?: string
  deleted?: boolean
  version: number
  change?: number
  masked?: boolean
  held?: boolean
  offer?: OfferCard
}
/** Everything `sync` answers about what was missed. */
export type Conversations = Record<
  string,
  { messages: Message[]; lastSeq: number; hasMore: boolean; changed?: Message[]; lastChange?: number }
>
/** A new entry in an order's timeline. */
export type OrderEvent = {
  order: string
  status: string
  seq: number
  type: string
  at: string
  actor: { role: string; id?: string }
  data: Record<string, unknown>
}
/** What a person is told outside the conversation. The same `id` again: it says something new. */
export type Notification = {
  id: string
  kind: 'message' | 'order' | 'gig' | 'review' | 'payout' | 'search' | 'account'
  title: string
  text?: string
  about: { type: string; id: string }
  data: Record<string, unknown>
  createdAt: string
  updatedAt: string
  readAt: string | null
}
export type Announcement = { id: string; seq: number; text: string; link?: string; at: string }
export type GigEvent = { gig: string; version: number; live: boolean }
export type Presence = { user: string; online: boolean }
export type Mark = { conversation: string; user: string; seq: number }
export type User = { id: string; username: string; roles: string[] }
