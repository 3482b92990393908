// The sandbox's clock: moves the platform's time forward, firing what would have fired on the way.
import { Type } from 'typebox'
import { contract } from '../../mixins/contract.ts'
import { closed, Time } from '../shapes.ts'

const Clock = Type.Object({ now: Time, offsetSeconds: Type.Number(), fired: Type.Optional(Type.Integer()) })
/** Two years at once. */
export const ADVANCE_SECONDS_MAX = 2 * 366 * 86_400

export const sandbox = contract({
  name: 'sandbox',
  actions: {
    clock: {
      rest: 'GET /v1/sandbox/clock',
      auth: 'admin',
      sandboxOnly: true,
      result: Clock,
      summary: "The platform's time.",
      params: closed({}),
    },
    advance: {
      rest: 'POST /v1/sandbox/clock',
      auth: 'admin',
      sandboxOnly: true,
      result: Clock,
      summary: 'Moves time forward; due timers, clearing and payout runs fire in the order they would have.',
      params: closed({ advanceSeconds: Type.Integer({ minimum: 0, maximum: ADVANCE_SECONDS_MAX }) }),
    },
  },
  events: {},
  hears: [],
})
