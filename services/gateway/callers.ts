// The account behind a request, as it is now. It is asked of the account service, many in one question, and remembered for
// a moment under a lease.
//
// Why a remembered answer is never a stale one: an account that changed (roles, suspension, the end of a session) is stored,
// and then the account service asks every gateway to forget it and answers its own client only when each has, or when the
// lease of whatever a silent gateway may remember must have run out. So nobody has been told of a change while a gateway
// still goes by what was before. The lease runs from before the question was asked, not from when its answer came; an
// answer that was under way when the account was to be forgotten serves those who asked before, and nobody after.
// A gateway that others may not know of (it has just started, it drains, its fan-out is down) remembers nothing. What is
// left is a network that parts nodes which both believe it whole: there a change is true after CALLER_LEASE_MS.
import type { Fanout } from '../../adapters/fanout/index.ts'
import type { Meta, Node } from '../../mixins/node.ts'
import { recent } from '../../mixins/recent.ts'
import type { Verified } from '../../mixins/token.ts'
import { CALLER_LEASE_MS, WHO_MAX } from '../account/contract.ts'
import type { Caller } from '../shapes.ts'
import { crowd } from './crowd.ts'

export type Callers = {
  /** Null when the account or session is gone. At once when it is remembered. */
  of(verified: Verified): Caller | null | Promise<Caller | null>
  forget(userId: string): void
  /** From now on every question is asked. */
  stop(): void
}

/** The others have heard of a gateway that started so long ago. */
export const KNOWN_AFTER_MS = 2000
/** Accounts remembered; one more costs one row of a question. */
export const CALLERS_MAX = 50_000

type Session = Pick<Verified, 'userId' | 'sessionId'>
type Flight = { answer: Promise<Caller | null>; askedAt: number }
/** What is known of one account: its sessions that were asked about, and those being asked about. */
type Known = { sessions: Map<string, { caller: Caller; until: number }>; flights: Map<string, Flight> }
/** Sessions of one account remembered. */
const SESSIONS_MAX = 20

export const callers = (node: Node, { state }: Pick<Fanout, 'state'>): Callers => {
  const accounts = recent<Known>(CALLERS_MAX)
  let knownAt = Infinity
  let stopped = false
  const known = () => (knownAt = performance.now() + KNOWN_AFTER_MS)
  if ((node.broker as { started?: boolean }).started) known()
  else node.broker.localBus.once('$broker.started', known)

  const mayRemember = (): boolean => performance.now() >= knownAt && !stopped && state() === 'up'

  const ask = crowd<Session, Caller | null>({
    most: WHO_MAX,
    ask: async (sessions) => {
      const found = await node.call('account.who', { sessions: [...sessions] }, { meta: META })
      return sessions.map((_, at) => found[at] ?? null)
    },
  })

  const fly = (account: Known, { userId, sessionId }: Session): Promise<Caller | null> => {
    const askedAt = performance.now()
    const answer = ask({ userId, sessionId }).then(
      (caller) => {
        // Forgotten meanwhile: then this is not the account's any more, and nobody looks here.
        account.flights.delete(sessionId)
        if (caller && account.sessions.size < SESSIONS_MAX && mayRemember())
          account.sessions.set(sessionId, { caller, until: askedAt + CALLER_LEASE_MS })
        return caller
      },
      (error: unknown) => {
        account.flights.delete(sessionId)
        throw error
      },
    )
    account.flights.set(sessionId, { answer, askedAt })
    return answer
  }

  return {
    of: (session) => {
      const { userId, sessionId } = session
      let account = accounts.get(userId)
      if (!account) accounts.set(userId, (account = { sessions: new Map(), flights: new Map() }))
      const now = performance.now()
      const remembered = account.sessions.get(sessionId)
      if (remembered && remembered.until > now && mayRemember()) return remembered.caller
      account.sessions.delete(sessionId)
      const flight = account.flights.get(sessionId)
      return flight && flight.askedAt + CALLER_LEASE_MS > now && mayRemember() ? flight.answer : fly(account, session)
    },
    forget: (userId) => accounts.delete(userId),
    stop: () => {
      stopped = true
    },
  }
}

const META: Meta = {}
