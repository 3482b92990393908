// Fan-out within one process: a plain call from the sender to the receivers. Several nodes in one process (as in tests)
// hear each other when they are given the same hub.

import type { AdapterContext } from '../index.ts'
import { type Attachments, attachments } from './attachments.ts'
import { type Attachment, checkFrame, checkName, checkUsers, encodeNotice, type Fanout } from './index.ts'
import { type Listeners, listeners, type Watchers, watchers } from './listeners.ts'

export type FanoutHub = { attachments: Attachments; listeners: Listeners; watchers: Watchers }

type Log = Pick<AdapterContext['log'], 'error'>

export const fanoutHub = (log: Log = console): FanoutHub => {
  const watching = watchers(log)
  return {
    attachments: attachments(log, { user: (userId) => watching.hear([userId]) }),
    listeners: listeners(log),
    watchers: watching,
  }
}

export type LocalFanoutOptions = { hub?: FanoutHub; log?: Log }

export const localFanout = ({ log = console, hub = fanoutHub(log) }: LocalFanoutOptions = {}): Fanout => {
  // what this node put on the hub, so that closing takes exactly that off again
  const attached = new Set<Attachment>()
  const listening = new Set<() => void>()
  let open = true

  const stoppedAtClose = (stop: () => void): (() => void) => {
    const own = (): void => {
      listening.delete(own)
      stop()
    }
    listening.add(own)
    return own
  }

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
    toTopic: (topic, frame, seq = 0) => {
      checkName(topic)
      checkFrame(frame)
      if (open) hub.attachments.toTopic(topic, frame, seq)
    },
    toNodes: (subject, data) => {
      checkName(subject)
      const text = encodeNotice(data)
      if (open) hub.listeners.hear(subject, text)
    },
    onNodes: (subject, heard) => {
      checkName(subject)
      return stoppedAtClose(hub.listeners.add(subject, heard))
    },
    // a call within the process misses nothing
    onMissed: () => () => {},
    held: (userIds) => userIds.filter(hub.attachments.holds),
    onHeld: (heard) => stoppedAtClose(hub.watchers.add(heard)),
    state: () => (open ? 'up' : 'down'),
    close: async () => {
      open = false
      for (const stop of listening) stop()
      for (const attachment of attached) await attachment.detach()
    },
  }
}
