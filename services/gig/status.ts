// A gig's life in one table: what moves it from where to where. A pair that is not here is refused.
import { refuse } from '../errors.ts'
import type { GigStatus } from './contract.ts'

export type Move = 'edit' | 'publish' | 'pause' | 'approve' | 'reject' | 'takeDown' | 'remove'

export const MOVES: Readonly<Record<Move, Readonly<Partial<Record<GigStatus, GigStatus>>>>> = {
  // What others see is looked at again before they see it; what nobody sees yet waits for `publish`.
  edit: { draft: 'draft', pending: 'pending', live: 'pending', paused: 'paused', rejected: 'rejected' },
  publish: { draft: 'pending', rejected: 'pending', paused: 'pending' },
  pause: { live: 'paused' },
  approve: { pending: 'live' },
  reject: { pending: 'rejected' },
  // A moderator rejected what others saw, or would see at its seller's next move.
  takeDown: { pending: 'rejected', live: 'rejected', paused: 'rejected' },
  remove: { draft: 'deleted', pending: 'deleted', live: 'deleted', paused: 'deleted', rejected: 'deleted' },
}

export const statusAfter = (status: GigStatus, move: Move): GigStatus => {
  const next = MOVES[move][status]
  if (!next) throw refuse('invalid_transition', `a ${status} gig can't be ${PAST[move]}`)
  return next
}

const PAST: Record<Move, string> = {
  edit: 'edited',
  publish: 'published',
  pause: 'paused',
  approve: 'approved',
  reject: 'rejected',
  takeDown: 'taken down',
  remove: 'removed',
}
