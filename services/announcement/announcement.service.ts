// Announcements: an admin says something once, and everybody who listens hears it. Key: there is one board. It is stored
// with its number first and said from there; what is said twice has the same number, and gateways pass it on once.
import { service } from '../../mixins/service.ts'
import { refuse } from '../errors.ts'
import { LIMIT_DEFAULT } from '../shapes.ts'
import { ANNOUNCEMENTS, topicFrame } from '../topic.ts'
import { announced, BOARD, boards, pageOf, tailOf } from './board.ts'
import { announcement as contract } from './contract.ts'

export default service(contract, async (here) => {
  const fanout = await here.open('fanout')
  const board = await here.actor({ of: boards })
  return {
    actions: {
      make: async ({ params, meta, deadlineAt }) => {
        const id = here.newId('ann', meta.command)
        const options = { deadlineAt, settle: [contract.name] }
        return board.turn(BOARD, (state, now) => announced(state, { id, ...params }, now), options)
      },
      list: async ({ params: { limit = LIMIT_DEFAULT, cursor } }) => {
        const below = cursor === undefined ? Infinity : position(cursor)
        const { data, next } = pageOf(await board.read(BOARD), below, limit)
        return { data, nextCursor: next === null ? null : cursorOf(next) }
      },
      tail: async () => tailOf(await board.read(BOARD)),
    },
    hears: {
      'announcement.made': async ({ data }) => {
        fanout.toNodes('hot.changed', { tags: [ANNOUNCEMENTS] })
        fanout.toTopic(ANNOUNCEMENTS, topicFrame('announcement', ANNOUNCEMENTS, { seq: data.seq, data }), data.seq)
      },
    },
  }
})

const cursorOf = (seq: number): string => Buffer.from(`below/${seq}`).toString('base64url')
const position = (cursor: string): number => {
  const [, seq] = /^below\/(\d{1,15})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1')) ?? []
  if (!seq || cursorOf(Number(seq)) !== cursor) throw refuse('bad_cursor')
  return Number(seq)
}
