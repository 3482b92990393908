// What the parts of chat share: the store, the clock, and the way to the members.
import type { Documents } from '../../adapters/documents/index.ts'
import type { Ctx, Parts } from '../../mixins/service.ts'
import type { Caller } from '../shapes.ts'
import type { chat } from './contract.ts'
import type { ConversationDoc } from './conversation.ts'

export type Chat = {
  documents: Documents
  now: () => number
  newId: (prefix: string, command?: { id: string; at: number }) => string
  /** An event frame for every connection of these people. */
  tell: (members: readonly string[], ev: string, data: unknown) => void
  /** The caller's own conversation; anybody else's does not exist. */
  mine: (id: string, caller: Caller) => Promise<ConversationDoc>
}

type Actions = (typeof chat)['actions']
export type Asked<K extends keyof Actions> = Ctx<Actions[K]>
/** Handlers of some of chat's actions. */
export type Handlers<K extends keyof Actions> = Pick<Parts<typeof chat>['actions'], K>
