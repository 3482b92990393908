// What goes over the wire, in the client's own words: it stands alone, and client/wire.test.ts holds it to the contracts.

/** `seq` counts 1, 2, 3 … in its conversation. `clientId` is the name its sender gave it. Times are ISO 8601. */
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
}
/** Everything `sync` answers about what was missed. */
export type Conversations = Record<string, { messages: Message[]; lastSeq: number; hasMore: boolean }>
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
export type Mark = { conversation: string; user: string; seq: number }
export type User = { id: string; username: string; roles: string[] }
