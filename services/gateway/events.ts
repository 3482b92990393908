// What the server says on a socket without being asked: `{ev, data}`, and `topic` and `seq` where it was said to a topic. The
// actors make these frames; here they are described.
import { Type, type TSchema } from 'typebox'
import { Announcement } from '../announcement/contract.ts'
import { Message } from '../chat/contract.ts'
import { GigEvent } from '../gig/contract.ts'
import { Notification } from '../notification/contract.ts'
import { OrderEvent } from '../order/contract.ts'
import { Id } from '../shapes.ts'

export type EventFrame = {
  summary: string
  data: TSchema
  /** Comes to a topic, with its name and number: always, or besides to the people concerned without them. */
  topic?: 'always' | 'also'
}

const Presence = Type.Object({ user: Id, online: Type.Boolean() })

export const EVENTS: Readonly<Record<string, EventFrame>> = {
  message: { summary: 'A message was stored in one of the own conversations.', data: Message },
  'message.edited': { summary: 'Its sender changed a message.', data: Message },
  'message.deleted': { summary: 'Its sender deleted a message; the seq stays.', data: Message },
  read: {
    summary: 'A member read up to a seq.',
    data: Type.Object({ conversation: Id, user: Id, seq: Type.Integer() }),
  },
  typing: { summary: 'The other member is typing.', data: Type.Object({ conversation: Id, user: Id }) },
  presence: {
    summary:
      'Somebody one looks at came or went. All changes of the last second are in `changes`; the first of them is repeated beside it.',
    data: Type.Object({ ...Presence.properties, changes: Type.Array(Presence) }),
  },
  order: {
    summary: 'An order moved: the new entry of its timeline. Comes to its parties, and to its topic.',
    data: Type.Object({ order: Id, status: Type.String(), ...OrderEvent.properties }),
    topic: 'also',
  },
  gig: { summary: 'A gig changed: its version, and whether it is live.', data: GigEvent, topic: 'always' },
  announcement: { summary: 'The market tells everybody.', data: Announcement, topic: 'always' },
  notification: { summary: 'The own notification that is new, or says something new.', data: Notification },
  missed: {
    summary:
      'Frames may have been lost on their way to this gateway: `sync` conversations and subscribe to topics again, each after the last seq seen.',
    data: Type.Object({}),
  },
  draining: {
    summary: 'This node stops: reconnect after so many seconds, with jitter.',
    data: Type.Object({ retryAfter: Type.Number() }),
  },
}
