// Fan-out within one process: a plain call from the sender to the receivers. Several nodes in one process (as in tests)
// hear each other when they are given the same hub.

import type { AdapterContext } from '../index.ts'
import { type Attachments, attachments } from './attachments.ts'
import { type Attachment, checkFrame, checkName, checkUsers, encodeNotice, type Fanout } from './index.ts'
import { type Listeners, listeners } from './listeners.ts'

export type FanoutHub = { attachments: Attachments; listeners: Listeners }

type Log = Pick<AdapterContext['log'], 'error'>

export const fanoutHub = (log: Log = console): FanoutHub => ({
  attachments: attachments(log),
  listeners: listeners(log),
})

export type LocalFanoutOptions = { hub?: FanoutHub; log?: Log }

export const localFanout = ({ log = console, hub = fanoutHub(log) }: LocalFanoutOptions = {}): Fanout => {
  // what this node put on the hub, so that closing takes exactly that off again
  const attached = new Set<Attachment>()
  const listening = new Set<() => void>()
  let open = true

  return {
    attach: (receiver) => {
      const attachment = hub.attachments.attach(receiver)
      const own: Attachment = {
        ...attachment,
        detach: () => {
          attached.delete(own)
          return attachment.detach()
        },
      }
      attached.add(own)
      return own
    },
    toUsers: (userIds, frame) => {
      checkUsers(userIds)
      checkFrame(frame)
      if (open) hub.attachments.toUsers(userIds, frame)
    },
    toTopic: (topic, frame) => {
      checkName(topic)
      checkFrame(frame)
      if (open) hub.attachments.toTopic(topic, frame)
    },
    toNodes: (subject, data) => {
      checkName(subject)
      const text = encodeNotice(data)
      if (open) hub.listeners.hear(subject, text)
    },
    onNodes: (subject, heard) => {
      checkName(subject)
      const stop = hub.listeners.add(subject, heard)
      const own = (): void => {
        listening.delete(own)
        stop()
      }
      listening.add(own)
      return own
    },
    // a call within the process misses nothing
    onMissed: () => () => {},
    state: () => (open ? 'up' : 'down'),
    close: async () => {
      open = false
      for (const stop of listening) stop()
      for (const attachment of attached) await attachment.detach()
    },
  }
}
