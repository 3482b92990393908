// Topics: what anybody may listen to who may see it. Each has events numbered 1, 2, 3 … by the actor that says them, so that
// who listens notices a gap and asks for what is missing.
import { Type, type Static } from 'typebox'

export const ANNOUNCEMENTS = 'announcements'
export const gigTopic = (id: string): string => `gig:${id}`
export const orderTopic = (id: string): string => `order:${id}`

/** Events of a topic that its actor tells again, and that a gateway keeps for whoever comes back. */
export const TAIL_MAX = 200

export const TopicEvent = Type.Object({ seq: Type.Integer(), data: Type.Unknown() })
export type TopicEvent = Static<typeof TopicEvent>
/** Where a topic stands: the number of its last event, and the latest events in order, without a gap, up to that one. */
export const Tail = Type.Object({ seq: Type.Integer(), events: Type.Array(TopicEvent) })
export type Tail = Static<typeof Tail>

/** One event of a topic, as it goes out to every socket that joined. */
export const topicFrame = (ev: string, topic: string, { seq, data }: TopicEvent): string =>
  JSON.stringify({ ev, topic, seq, data })
