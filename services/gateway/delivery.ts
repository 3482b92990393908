// What the fan-out brings is handed on: to everybody who joined a topic by the listener's own publish, encoded once; to every
// connection of the people a frame names.
import type { Fanout } from '../../adapters/fanout/index.ts'
import type { Listener } from '../../adapters/listener/index.ts'
import type { Meters } from './meters.ts'
import { people, type People } from './people.ts'
import { topics, type TopicParts, type Topics } from './topics.ts'

export type Delivery = {
  people: People
  topics: Topics
  attach(listener: Listener): void
  detach(): Promise<void>
}
export type DeliveryParts = {
  fanout: Fanout
  meters: Meters
  /** The platform's clock, epoch ms. */
  now: () => number
  ask: TopicParts['ask']
}

export const delivery = ({ fanout, meters, now, ask }: DeliveryParts): Delivery => {
  let listener: Listener | null = null

  const toUsers = (userIds: readonly string[], frame: string) => {
    let count = 0
    for (const id of userIds) count += connected.send(id, frame)
    meters.deliveries.add(count)
    if (count === 0 || !frame.startsWith(MESSAGE)) return
    const sentAt = sentAtOf(frame)
    if (sentAt > 0) meters.sendToDelivery.observe(Math.max(0, now() - sentAt) / 1000)
  }

  const toTopic = (topic: string, frame: string, seq: number) => {
    if (!listener || !joined.take(topic, frame, seq)) return
    meters.deliveries.add(listener.subscribers(topic))
    listener.publish(topic, frame)
  }

  const attachment = fanout.attach({ users: toUsers, topic: toTopic })
  const connected = people(attachment)
  const joined = topics({ attachment, ask })
  return {
    people: connected,
    topics: joined,
    attach: (opening) => {
      listener = opening
    },
    detach: async () => {
      joined.stop()
      await attachment.detach()
    },
  }
}

const MESSAGE = '{"ev":"message","data":'
const SENT_AT = '"sentAt":"'
/** As shapes.ts writes times: ISO 8601 with milliseconds. */
const TIME_LENGTH = 24

/** When the message in a frame was stored; NaN where it does not say. Text of a person can't spell it: its quotes are escaped. */
const sentAtOf = (frame: string): number => {
  const at = frame.lastIndexOf(SENT_AT)
  return at < 0 ? NaN : Date.parse(frame.slice(at + SENT_AT.length, at + SENT_AT.length + TIME_LENGTH))
}
