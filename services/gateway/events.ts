// What the server says on a socket without being asked: `{ev, data}`. The actors make these frames; here they are described.
import { Type, type TSchema } from 'typebox'
import { Message } from '../chat/contract.ts'
import { Notification } from '../notification/contract.ts'
import { OrderEvent } from '../order/contract.ts'
import { Id } from '../shapes.ts'

export const EVENTS: Readonly<Record<string, { summary: string; data: TSchema }>> = {
  message: { summary: 'A message was stored in one of the own conversations.', data: Message },
  'message.edited': { summary: 'Its sender changed a message.', data: Message },
  'message.deleted': { summary: 'Its sender deleted a message; the seq stays.', data: Message },
  read: {
    summary: 'A member read up to a seq.',
    data: Type.Object({ conversation: Id, user: Id, seq: Type.Integer() }),
  },
  typing: { summary: 'The other member is typing.', data: Type.Object({ conversation: Id, user: Id }) },
  presence: { summary: 'Somebody came or went.', data: Type.Object({ user: Id, online: Type.Boolean() }) },
  order: {
    summary: 'An order moved: the new entry of its timeline.',
    data: Type.Object({ order: Id, status: Type.String(), ...OrderEvent.properties }),
  },
  notification: { summary: 'The own notification that is new, or says something new.', data: Notification },
  draining: {
    summary: 'This node stops: reconnect after so many seconds, with jitter.',
    data: Type.Object({ retryAfter: Type.Number() }),
  },
}
