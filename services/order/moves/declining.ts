// Saying no to what the other party has proposed. Pure.
import { refuse } from '../../errors.ts'
import { PROPOSALS, type Proposal } from '../contract.ts'
import type { StepName } from '../process.ts'
import type { OrderDoc } from '../state.ts'
import { forbidden, take, type By, type Change, type Moved } from './taking.ts'

type Row = { step: StepName; by(order: OrderDoc): 'buyer' | 'seller' | null; closed: Change }
const ROWS: Record<Proposal, Row> = {
  cancel: { step: 'cancel_declined', by: ({ cancel }) => cancel?.by ?? null, closed: { cancel: null } },
  extension: {
    step: 'extension_declined',
    by: ({ extension }) => (extension ? 'seller' : null),
    closed: { extension: null },
  },
  refund: {
    step: 'refund_declined',
    by: ({ refundOffer }) => (refundOffer ? 'seller' : null),
    closed: { refundOffer: null },
  },
}

/** What is proposed to a party and not yet answered. */
export const proposedTo = (order: OrderDoc, role: 'buyer' | 'seller'): Proposal[] =>
  order.status === 'disputed' ? [] : PROPOSALS.filter((proposal) => ![null, role].includes(ROWS[proposal].by(order)))

export const decline = (order: OrderDoc, by: By, asked: Proposal | undefined, now: number, command?: string): Moved => {
  const open = proposedTo(order, by.role as 'buyer' | 'seller')
  if (!asked && open.length > 1)
    throw refuse('validation_failed', `several proposals are open: ${open.join(', ')}`, {
      errors: [{ path: 'proposal', message: `is required: one of ${open.join(', ')}` }],
    })
  const proposal = asked ?? open[0]
  const own = PROPOSALS.some((one) => ROWS[one].by(order) === by.role && (asked ?? one) === one)
  if (!proposal || !open.includes(proposal))
    throw own ? refuse('forbidden', 'a proposal is answered by the other party') : forbidden(order, 'decline')
  const { step, closed } = ROWS[proposal]
  return take(order, { step, by, now, command, change: closed })
}
