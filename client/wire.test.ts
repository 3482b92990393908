// The client stands alone; here it is held to what the server says: types to types (tsc), limits to limits, names to names.
import test from 'ava'
import type { Static } from 'typebox'
import type { Announcement as ServerAnnouncement } from '../services/announcement/contract.ts'
import * as contract from '../services/chat/contract.ts'
import { OPS_UNDER_WAY_MAX, TOPICS_MAX as SERVER_TOPICS_MAX } from '../services/gateway/connection.ts'
import { EVENTS } from '../services/gateway/events.ts'
import { CLOSE } from '../services/gateway/frames.ts'
import type { GigEvent as ServerGigEvent } from '../services/gig/contract.ts'
import type { Notification as ServerNotification } from '../services/notification/contract.ts'
import type { OrderEvent as ServerOrderEvent } from '../services/order/contract.ts'
import { ERRORS } from '../services/errors.ts'
import { SYNC_MAX } from './follow.ts'
import { ASKED_MAX } from './link.ts'
import { TOPICS_MAX } from './topics.ts'
import type { Events } from './types.ts'
import type { Announcement, Conversations, GigEvent, Message, Notification, OrderEvent } from './wire.ts'

type Same<A, B> = [A, B] extends [B, A] ? true : never
type Synced = Static<typeof contract.chat.actions.sync.result>['conversations']

test("the client's types are the contract's", (t) => {
  const message: Same<Message, contract.Message> = true
  const synced: Same<Conversations, Synced> = true
  const order: Same<Omit<OrderEvent, 'order' | 'status'>, Static<typeof ServerOrderEvent>> = true
  const announcement: Same<Announcement, ServerAnnouncement> = true
  const gig: Same<GigEvent, Static<typeof ServerGigEvent>> = true
  const notification: Same<Notification, ServerNotification> = true
  t.true(message && synced && order && announcement && gig && notification)
})

test('every event of the socket is one of the client', (t) => {
  const known: Record<keyof Events, true> = {
    message: true,
    'message.edited': true,
    'message.deleted': true,
    read: true,
    typing: true,
    presence: true,
    order: true,
    notification: true,
    gig: true,
    announcement: true,
    missed: true,
    draining: true,
    state: true,
    gap: true,
    conversation: true,
    lost: true,
    sent: true,
    unsent: true,
    topic: true,
  }
  t.deepEqual(
    Object.keys(EVENTS).filter((ev) => !(ev in known)),
    [],
  )
})

test('the client stays within the limits of the server, and knows its codes', async (t) => {
  t.is(SYNC_MAX, contract.SYNC_MAX)
  t.is(TOPICS_MAX, SERVER_TOPICS_MAX)
  t.true(ASKED_MAX < OPS_UNDER_WAY_MAX)
  t.deepEqual([CLOSE.badFrame, CLOSE.flooding, CLOSE.unauthenticated, CLOSE.draining], [4400, 4429, 4401, 1001])
  for (const code of ['rate_limited', 'overloaded', 'unavailable', 'internal', 'unauthenticated'])
    t.true(code in ERRORS, code)
})
