// What those who come back have missed, asked of chat for many in one question and handed on as chat encoded it.
import type { Node } from '../../mixins/node.ts'
import { MISSED_MAX } from '../chat/contract.ts'
import { crowd, NOT_NOW, type Crowd } from './crowd.ts'

/** The fields of a sync frame. */
export type Positions = { conversations: Record<string, number>; changes?: Record<string, number> }
/** `text` is the JSON of the conversations. */
export type Missed = { text: string; messages: number; hasMore: boolean }

export const missing = ({ call }: Pick<Node, 'call'>): Crowd<Positions & { user: string }, Missed> =>
  crowd({
    most: MISSED_MAX,
    ask: async (asked) => {
      const { text, parts } = await call('chat.missed', { asked: [...asked] })
      let from = 0
      return parts.map((part) => {
        if (!part) return NOT_NOW
        const { letters, messages, hasMore } = part
        return { text: text.slice(from, (from += letters)), messages, hasMore }
      })
    },
  })
