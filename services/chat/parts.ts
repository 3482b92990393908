// What the parts of chat share: the store, what is known, the clock, and the way to the members.
import type { Documents } from '../../adapters/documents/index.ts'
import type { Ctx, Parts } from '../../mixins/service.ts'
import type { Caller } from '../shapes.ts'
import type { chat, Message } from './contract.ts'
import { hearersOf, type ConversationDoc } from './conversation.ts'
import type { Roster } from './roster.ts'
import { jsonFor, wired, type Wire } from './wire.ts'

export type Chat = {
  documents: Documents
  roster: Roster
  now: () => number
  newId: (prefix: string, command?: { id: string; at: number }) => string
  /** An event frame for every connection of these people. */
  tell: (members: readonly string[], ev: string, data: unknown) => void
  /** The same with data that is JSON already. */
  tellText: (members: readonly string[], ev: string, json: string) => void
  /** A notice to every node. */
  notify: (subject: string, data: unknown) => void
  /** The caller's own conversation; anybody else's does not exist. */
  mine: (id: string, caller: Caller) => Promise<ConversationDoc>
}

type Actions = (typeof chat)['actions']
export type Asked<K extends keyof Actions> = Ctx<Actions[K]>
/** Handlers of some of chat's actions. */
export type Handlers<K extends keyof Actions> = Pick<Parts<typeof chat>['actions'], K>

export type MessageEvent = 'message' | 'message.edited' | 'message.deleted'

/** Tells everybody who may hear of it, each as they may see it. Answers the message as its sender sees it. */
export const tellMessage = (
  { tellText }: Pick<Chat, 'tellText'>,
  ev: MessageEvent,
  message: Message,
  conversation: ConversationDoc,
): Wire => {
  const wire = wired(message)
  const hearers = hearersOf(conversation, message.sender)
  if (!message.held) tellText(hearers, ev, wire.json)
  else for (const hearer of hearers) tellText([hearer], ev, jsonFor(wire, hearer))
  return wire
}
