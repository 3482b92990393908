// What those who come back have missed, asked of chat for many in one question and handed on as chat encoded it.
import type { Node } from '../../mixins/node.ts'
import { MISSED_MAX } from '../chat/contract.ts'
import { crowd, NOT_NOW, type Crowd } from './crowd.ts'

/** The fields of a sync frame. */
export type Positions = { conversations: Record<string, number>; changes?: Record<string, number> }
/** `text` is the JSON of the conversations. */
export type Missed = { text: string; messages: number; hasMore: boolean }

/** Whoever has gone meanwhile is not asked for. */
type Question = { asked: Positions & { user: string }; isThere: () => boolean }
const NOTHING: Missed = { text: '{}', messages: 0, hasMore: true }

export const missing = ({ call }: Pick<Node, 'call'>): Crowd<Question, Missed> =>
  crowd({
    most: MISSED_MAX,
    ask: async (all) => {
      const answers = new Map<Question, Missed | typeof NOT_NOW>()
      const there = all.filter(({ isThere }) => isThere())
      if (there.length > 0) {
        const { text, parts } = await call('chat.missed', { asked: there.map(({ asked }) => asked) })
        let from = 0
        for (const [at, part] of parts.entries())
          answers.set(there[at]!, part ? { ...part, text: text.slice(from, (from += part.letters)) } : NOT_NOW)
      }
      return all.map((one) => answers.get(one) ?? NOTHING)
    },
  })
