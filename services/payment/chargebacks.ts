// Disputes as admins see and answer them. An answer is kept first and delivered from there, so it arrives once whatever
// happens on the way.
import type { DisputeEvidence } from '../../adapters/payments/index.ts'
import type { Documents } from '../../adapters/documents/index.ts'
import { refuse } from '../errors.ts'
import { iso, LIMIT_DEFAULT } from '../shapes.ts'
import type { Chargeback, ChargebackStatus } from './contract.ts'
import { answering, isAnswerable, type DisputeDoc } from './dispute.ts'
import { operations, type Operations } from './operations.ts'

type Asked = { status?: ChargebackStatus; limit?: number; cursor?: string }

/** Newest first. */
export const listChargebacks = async (documents: Documents, { status, limit = LIMIT_DEFAULT, cursor }: Asked) => {
  const { docs, next } = await documents.find(operations, {
    index: status ? 'byDisputeStatus' : 'byDisputed',
    ...(status && { equals: { status } }),
    order: 'desc',
    limit,
    cursor: cursor ?? null,
  })
  return { data: docs.flatMap((doc) => (doc.kind === 'dispute' ? [shown(doc)] : [])), nextCursor: next }
}

/** Sends evidence, or (null) gives in. Answers with the dispute as it is then; `sending` while the provider is not reached. */
export const answerChargeback = async (
  all: Operations,
  id: string,
  evidence: DisputeEvidence | null,
): Promise<Chargeback> => {
  await all.book.turn(id, (state, now) => {
    if (state?.kind !== 'dispute') throw refuse('not_found', 'there is no such chargeback')
    if (!isAnswerable(state)) throw refuse('invalid_transition', 'it can not be answered any more')
    return { next: { ...answering(state, evidence), wakeAt: now }, result: null }
  })
  await all.drive(id, { eager: true })
  const doc = await all.book.read(id)
  if (doc?.kind !== 'dispute') throw refuse('not_found', 'there is no such chargeback')
  if (doc.refusal) throw refuse('invalid_transition', doc.refusal.message)
  if (doc.stuck) throw refuse('conflict', doc.stuck.message)
  return shown(doc)
}

const shown = (doc: DisputeDoc): Chargeback => {
  const money = (amount: number) => ({ amount, currency: doc.amount.currency })
  return {
    id: doc.id,
    order: doc.order,
    ...(doc.charge !== undefined && { charge: doc.charge }),
    payment: doc.paymentId,
    // Looked at before it is in any list.
    status: doc.status ?? 'needs_response',
    reason: doc.reason,
    inquiry: doc.inquiry,
    amount: doc.amount,
    taken: money(doc.taken),
    restored: money(doc.restored),
    fee: money(doc.fees),
    openedAt: iso(doc.disputedAt ?? doc.createdAt),
    evidenceDueAt: doc.evidenceDueAt === null ? null : iso(doc.evidenceDueAt),
    canAnswer: isAnswerable(doc),
    sending: doc.goal === 'evidence' || doc.goal === 'accept',
  }
}
