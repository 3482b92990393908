// The board: one document with what was announced, so that numbers have no gap and no two are alike. Pure.
import type { ActorDoc, Decision } from '../../mixins/actor.ts'
import { actorCollection } from '../../mixins/actor.ts'
import { refuse } from '../errors.ts'
import { iso } from '../shapes.ts'
import { TAIL_MAX, type Tail } from '../topic.ts'
import type { Announcement } from './contract.ts'

export type BoardDoc = ActorDoc & {
  /** The number of the last one. */
  seq: number
  /** Newest last. */
  made: Announcement[]
}
export const boards = actorCollection<BoardDoc>('announcement_boards')
export const BOARD = 'board'
/** Announcements kept; older ones leave the list and the topic's tail. The largest board is a quarter of the largest document. */
export const KEPT_MAX = TAIL_MAX

export type Draft = { id: string; text: string; link?: string | undefined }

export const announced = (
  board: BoardDoc | null,
  { id, text, link }: Draft,
  now: number,
): Decision<BoardDoc, Announcement> => {
  const before = board ?? { id: BOARD, version: 0, outbox: [], seq: 0, made: [] }
  // The same command again: it was made then.
  const known = before.made.find((one) => one.id === id)
  if (known) return { result: known }
  const words = worded(text)
  const one: Announcement = { id, seq: before.seq + 1, text: words, ...(link !== undefined && { link }), at: iso(now) }
  return {
    next: { ...before, seq: one.seq, made: [...before.made, one].slice(-KEPT_MAX) },
    say: [{ name: 'announcement.made', data: one }],
    result: one,
  }
}

const worded = (text: string): string => {
  const trimmed = text.trim()
  if (trimmed === '' || UNSPEAKABLE.test(trimmed) || !trimmed.isWellFormed())
    throw refuse('validation_failed', 'an announcement is text', {
      errors: [{ path: 'text', message: 'must be text without control characters' }],
    })
  return trimmed
}
// oxlint-disable-next-line no-control-regex
const UNSPEAKABLE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/

/** The latest first, from below a number on. */
export const pageOf = (
  board: BoardDoc | null,
  below: number,
  limit: number,
): { data: Announcement[]; next: number | null } => {
  const older = (board?.made ?? []).filter(({ seq }) => seq < below).reverse()
  const data = older.slice(0, limit)
  return { data, next: older.length > limit ? data.at(-1)!.seq : null }
}

export const tailOf = (board: BoardDoc | null): Tail => ({
  seq: board?.seq ?? 0,
  events: (board?.made ?? []).map((one) => ({ seq: one.seq, data: one })),
})
