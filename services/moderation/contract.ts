// Moderation: may this be seen? A first set of rules decides by itself and gives its reasons; what a rule is not sure of, or
// holds, waits for a moderator.
import { Type, type Static } from 'typebox'
import { contract } from '../../mixins/contract.ts'
import { closed, Id, listOf, page, Time } from '../shapes.ts'

export { judge, MASK, TALKING, type Judgement, type Outcome } from './talk.ts'

/** A message that a rule found something about. Its text is the conversation's to tell. */
export const Suspect = Type.Object({
  message: Id,
  conversation: Id,
  sender: Id,
  outcome: Type.Union([Type.Literal('flag'), Type.Literal('mask'), Type.Literal('hold')]),
  reasons: Type.Array(Type.String()),
  at: Time,
  status: Type.Union([
    Type.Literal('waiting'),
    Type.Literal('released'),
    Type.Literal('removed'),
    /** Never stored, or deleted by its sender. */
    Type.Literal('gone'),
  ]),
})
export type Suspect = Static<typeof Suspect>

export const moderation = contract({
  name: 'moderation',
  actions: {
    suspects: {
      auth: 'internal',
      result: listOf(Suspect),
      summary: 'Messages that wait for a moderator, the oldest first.',
      params: closed({ ...page }),
    },
    release: {
      auth: 'internal',
      result: Suspect,
      summary: 'Lets a message be seen. Asked again it answers the same.',
      params: closed({ message: Id }),
    },
    remove: {
      auth: 'internal',
      result: Suspect,
      summary: 'Takes a message away; its place in the conversation stays. Asked again it answers the same.',
      params: closed({ message: Id }),
    },
  },
  events: {},
  hears: ['gig.submitted', 'message.suspected'],
})
