// Where a topic's events come from: its actor, which numbers them and tells the latest again.
import type { Node } from '../../mixins/node.ts'
import { refuse } from '../errors.ts'
import { ANNOUNCEMENTS, gigTopic, orderTopic, type Tail } from '../topic.ts'
import type { TopicParts } from './topics.ts'

export const sources =
  ({ call }: Pick<Node, 'call'>): TopicParts['ask'] =>
  async (topic) => {
    const id = topic.slice(topic.indexOf(':') + 1)
    if (topic === ANNOUNCEMENTS) return { ev: 'announcement', ...(await call('announcement.tail', {})) }
    if (topic === orderTopic(id)) return { ev: 'order', ...there(await call('order.tail', { id }), 'order') }
    if (topic === gigTopic(id)) return { ev: 'gig', ...there(await call('gig.tail', { id }), 'gig') }
    throw refuse('not_found', 'there is no such topic')
  }

const there = (tail: Tail | null, what: string): Tail => {
  if (!tail) throw refuse('not_found', `there is no such ${what}`)
  return tail
}
