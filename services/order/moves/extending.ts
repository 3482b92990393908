// More time for the work: the seller proposes, the buyer agrees or declines, silence withdraws it. Pure.
import { refuse } from '../../errors.ts'
import { iso } from '../../shapes.ts'
import { leadsTo } from '../process.ts'
import type { OrderDoc } from '../state.ts'
import { DAY_MS, EXTENSION_SILENCE_MS } from '../timing.ts'
import { forbidden, take, type By, type Moved } from './taking.ts'

export type Asked = { days?: number | undefined; reason?: string | undefined }

/** The seller's `extend` proposes, the buyer's agrees to what is proposed. */
export const extend = (order: OrderDoc, by: By, asked: Asked, now: number, command?: string): Moved =>
  by.role === 'seller' ? propose(order, by, asked, now, command) : agree(order, by, asked, now, command)

const propose = (order: OrderDoc, by: By, { days, reason }: Asked, now: number, command?: string): Moved => {
  if (leadsTo('extension_proposed', order.status) === null) throw forbidden(order, 'extend')
  if (days === undefined || reason === undefined) {
    const missing = [...(days === undefined ? ['days'] : []), ...(reason === undefined ? ['reason'] : [])]
    throw refuse('validation_failed', 'an extension needs days and a reason', {
      errors: missing.map((path) => ({ path, message: 'is required' })),
    })
  }
  if (order.extension) throw refuse('invalid_transition', 'the buyer has not answered the last proposal yet')
  return take(order, {
    step: 'extension_proposed',
    by,
    now,
    command,
    data: { days, reason },
    change: { extension: { days, reason, withdrawnAt: now + EXTENSION_SILENCE_MS } },
  })
}

const agree = (order: OrderDoc, by: By, { days }: Asked, now: number, command?: string): Moved => {
  const { extension, dueAt } = order
  if (!extension || dueAt === null) throw forbidden(order, 'extend')
  // Nobody agrees to something else than they have seen.
  if (days !== undefined && days !== extension.days)
    throw refuse('conflict', `the proposal is over ${extension.days} days, not ${days}`)
  const moved = dueAt + extension.days * DAY_MS
  return take(order, {
    step: 'extension_agreed',
    by,
    now,
    command,
    data: { days: extension.days, dueAt: iso(moved) },
    change: { extension: null, dueAt: moved, late: order.late && moved <= now },
  })
}
