// Who may open a socket: so many new ones a second for the process, so many for one address. A herd that comes back after
// a restart is let in at the pace a gateway can take, and whoever waits is sent away to different moments.
import type { Request, Response } from '../../adapters/listener/index.ts'
import type { Log } from '../../mixins/node.ts'
import { refuse } from '../errors.ts'
import { connection, type Connection } from './connection.ts'
import { requestIds } from './headers.ts'
import { addressKey, type Limits } from './limits.ts'
import type { Meters } from './meters.ts'
import { problemResponse } from './problem.ts'
import { bearer } from './session.ts'

export type Door = {
  upgrade(request: Request, offered: readonly string[]): { state: Connection; protocol?: string } | Response
  /** Lets nobody in any more. */
  shut(): void
}

export const SUBPROTOCOL = 'gigwire.v1'
/** Whoever is turned away for the crowd is asked to come back within so many seconds, each after another number of them. */
export const COME_BACK_SECONDS_MAX = 10

export const door = ({ log, limits, meters }: { log: Log; limits: Limits; meters: Meters }): Door => {
  const idOf = requestIds()
  let isShut = false

  const refusalOf = (request: Request, offered: readonly string[]): [why: string, Error] | null => {
    if (isShut) return ['draining', refuse('unavailable', 'this node is stopping', { retryAfterSeconds: comeBack() })]
    if (limits.accepts.take('all').refused)
      return ['crowd', refuse('overloaded', 'too many are coming in', { retryAfterSeconds: comeBack() })]
    const bucket = limits.address.take(addressKey(request.address))
    if (bucket.refused)
      return [
        'address',
        refuse('rate_limited', 'too many connections at once', {
          retryAfterSeconds: limits.address.retryAfterSeconds(bucket),
        }),
      ]
    return offered.length > 0 && !offered.includes(SUBPROTOCOL)
      ? ['subprotocol', refuse('validation_failed', `the subprotocol is ${SUBPROTOCOL}`)]
      : null
  }

  return {
    upgrade: (request, offered) => {
      const requestId = idOf(request)
      const refused = refusalOf(request, offered)
      if (refused) {
        const [why, error] = refused
        meters.refused(why).add()
        return problemResponse(error, { requestId, log, headers: [['X-Request-Id', requestId]] })
      }
      meters.accepted.add()
      const authorization = request.headers.get('authorization')
      const state = connection(requestId, authorization === undefined ? null : bearer(authorization))
      return offered.length > 0 ? { state, protocol: SUBPROTOCOL } : { state }
    },
    shut: () => {
      isShut = true
    },
  }
}

const comeBack = (): number => 1 + Math.floor(Math.random() * COME_BACK_SECONDS_MAX)
