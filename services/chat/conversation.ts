// The rules of a conversation: who belongs to it, what may be said in it. Pure.
import type { Doc } from '../../adapters/documents/index.ts'
import { collection } from '../../adapters/documents/index.ts'
import { refuse } from '../errors.ts'
import { TEXT_MAX } from './contract.ts'

export type ConversationDoc = Doc & {
  pair: string
  members: string[]
  gig: string | null
  createdAt: number
  /** Members who take nothing from the other. Follows the blocks themselves (inbox.ts). */
  blockers?: string[]
  /** Changes of messages so far; and the last of them, which may not have reached its message yet. */
  lastChange?: number
  changing?: Changing
}
/** The message reaches that version by the change numbered `lastChange`. */
export type Changing = { message: string; version: number }
export const conversations = collection<ConversationDoc>('conversations', { byPair: { keys: ['pair'], unique: true } })

/** The same two people, whoever asks. */
export const pairOf = (one: string, other: string): string => [one, other].sort().join('+')

export const mustBelong = (conversation: ConversationDoc | null, user: string): ConversationDoc => {
  if (!conversation || !conversation.members.includes(user)) throw refuse('not_found', 'there is no such conversation')
  return conversation
}

export const otherOf = ({ members }: Pick<ConversationDoc, 'members'>, user: string): string =>
  members.find((member) => member !== user) ?? user

/** Who hears of what a member does: everybody but those who blocked them. */
export const hearersOf = ({ members, blockers = [] }: ConversationDoc, actor: string): readonly string[] =>
  blockers.length === 0 ? members : members.filter((member) => member === actor || !blockers.includes(member))

export const isBlockedIn = (conversation: ConversationDoc, sender: string): boolean =>
  conversation.blockers?.includes(otherOf(conversation, sender)) ?? false

/** 1..TEXT_MAX characters after trimming; lone surrogates and control characters but line breaks and tabs are not text. */
export const spoken = (text: string): string => {
  const trimmed = text.trim()
  if (trimmed === '' || charactersIn(trimmed) > TEXT_MAX)
    throw refuse('validation_failed', `a message has 1 to ${TEXT_MAX} characters`, {
      errors: [{ path: 'text', message: `must have 1 to ${TEXT_MAX} characters after trimming` }],
    })
  if (UNSPEAKABLE.test(trimmed) || !trimmed.isWellFormed())
    throw refuse('validation_failed', 'the text has characters that are not text', {
      errors: [{ path: 'text', message: 'has control characters' }],
    })
  return trimmed
}

/** Characters as JSON Schema counts them: one that takes a surrogate pair is one. */
const charactersIn = (text: string): number => (text.length > TEXT_MAX ? [...text].length : text.length)

/** Ids or addresses of what comes along. An address that names a scheme is a web address: nothing a page could run. */
export const attached = (attachments: readonly string[]): string[] => {
  const at = attachments.findIndex(
    (one) => !ATTACHABLE.test(one) || !one.isWellFormed() || (SCHEME.test(one) && !WEB_ADDRESS.test(one)),
  )
  if (at >= 0)
    throw refuse('validation_failed', 'an attachment is an id or a web address', {
      errors: [{ path: `attachments.${at}`, message: 'must be an id or a web address' }],
    })
  return [...attachments]
}
const ATTACHABLE = /^[^\p{C}\p{Z}]+$/u
const SCHEME = /^[a-z][a-z0-9+.-]*:/i
const WEB_ADDRESS = /^https?:\/\/[^/]/i
// oxlint-disable-next-line no-control-regex
const UNSPEAKABLE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/
