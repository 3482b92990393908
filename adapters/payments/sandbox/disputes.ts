// Disputes: a cardholder's bank takes the money back at once, the platform may answer with evidence before a deadline,
// and the bank decides. An inquiry only asks, and moves no money.
import { post } from './balance.ts'
import { emit } from './events.ts'
import { invalid } from './problem.ts'
import type { Json, Stored, StripeObject } from './store.ts'
import { noLongerActionable } from './warnings.ts'
import { change, find, list, LIST_FIELDS, moneyOf, newId, seconds, type Call, type Route, type World } from './world.ts'

const KIND = 'dispute'

/** Words of the provider's own test mode: evidence that says them decides the dispute, or makes one of an inquiry. */
export const WINNING_WORDS = 'winning_evidence'
export const ESCALATING_WORDS = 'escalate_inquiry_evidence'

const EVIDENCE = [
  'access_activity_log',
  'billing_address',
  'cancellation_policy',
  'cancellation_policy_disclosure',
  'cancellation_rebuttal',
  'customer_communication',
  'customer_email_address',
  'customer_name',
  'customer_purchase_ip',
  'customer_signature',
  'duplicate_charge_documentation',
  'duplicate_charge_explanation',
  'duplicate_charge_id',
  'product_description',
  'receipt',
  'refund_policy',
  'refund_policy_disclosure',
  'refund_refusal_explanation',
  'service_date',
  'service_documentation',
  'shipping_address',
  'shipping_carrier',
  'shipping_date',
  'shipping_documentation',
  'shipping_tracking_number',
  'uncategorized_file',
  'uncategorized_text',
] as const

export const routes: Route[] = [
  {
    method: 'GET',
    path: '/v1/disputes',
    name: 'disputes.list',
    fields: { ...LIST_FIELDS, payment_intent: 'text', charge: 'text' },
    handle: (world, call) => {
      const { payment_intent: parent, charge } = call.parameters as { payment_intent?: string; charge?: string }
      return list(
        world,
        call,
        { kind: KIND, ...(parent && { parent }), ...(charge && { is: { charge } }) },
        '/v1/disputes',
      )
    },
  },
  {
    method: 'GET',
    path: '/v1/disputes/:id',
    name: 'disputes.retrieve',
    fields: {},
    handle: (world, call) => dispute(world, call).body,
  },
  {
    method: 'POST',
    path: '/v1/disputes/:id',
    name: 'disputes.update',
    fields: {
      evidence: Object.fromEntries(EVIDENCE.map((name) => [name, 'text' as const])),
      metadata: 'metadata?',
      submit: 'boolean',
    },
    handle: (world, call) => update(world, dispute(world, call), call),
  },
  {
    method: 'POST',
    path: '/v1/disputes/:id/close',
    name: 'disputes.close',
    fields: {},
    handle: (world, call) => concede(world, dispute(world, call)),
  },
]

const dispute = (world: World, call: Call): Stored =>
  find(world, { kind: KIND, id: call.ids[0] ?? '', account: call.account })

export type DisputeTold = { reason: string; inquiry: boolean }

/** The cardholder's bank tells of a dispute over what is left of the charge. */
export const openDispute = (world: World, paid: Stored, { reason, inquiry }: DisputeTold): StripeObject => {
  const amount = Number(paid.body.amount) - Number(paid.body.amount_refunded)
  if (paid.body.status !== 'succeeded' || amount < 1 || openOver(world, paid))
    throw invalid(`Charge ${paid.body.id} has nothing that could be disputed.`)
  const dueAt = world.now() + world.settings.disputeEvidenceMs
  const stored: Stored = {
    account: paid.account,
    parent: String(paid.body.payment_intent),
    dueAt,
    body: newDispute(world, paid.body, { amount, reason, inquiry, dueAt }),
  }
  change(world, paid, { disputed: true })
  if (!inquiry) take(world, stored, -amount, world.settings.disputeFee)
  world.store.put(stored)
  emit(world, 'charge.dispute.created', stored.body, stored.account)
  if (!inquiry) emit(world, 'charge.dispute.funds_withdrawn', stored.body, stored.account)
  noLongerActionable(world, stored.account, String(stored.parent))
  return stored.body
}

const newDispute = (
  world: World,
  paid: StripeObject,
  told: DisputeTold & { amount: number; dueAt: number },
): StripeObject => ({
  id: newId('dp'),
  object: KIND,
  amount: told.amount,
  balance_transactions: [],
  charge: paid.id,
  created: seconds(world.now()),
  currency: paid.currency as string,
  enhanced_eligibility_types: [],
  evidence: Object.fromEntries(EVIDENCE.map((name) => [name, null])),
  evidence_details: {
    due_by: seconds(told.dueAt),
    enhanced_eligibility: {},
    has_evidence: false,
    past_due: false,
    submission_count: 0,
  },
  is_charge_refundable: told.inquiry,
  livemode: false,
  metadata: {},
  payment_intent: paid.payment_intent as string,
  reason: told.reason,
  status: told.inquiry ? 'warning_needs_response' : 'needs_response',
})

/** Money that the bank takes back or gives back, with the provider's fee for it. */
const take = (world: World, stored: Stored, amount: number, fee: number): void => {
  const transaction = post(world, {
    account: stored.account,
    type: 'adjustment',
    category: amount < 0 ? 'dispute' : 'dispute_reversal',
    amount,
    fee,
    currency: String(stored.body.currency),
    source: stored.body.id,
  })
  stored.body.balance_transactions = [...(stored.body.balance_transactions as Json[]), transaction]
}

const ANSWERABLE = new Set<Json>(['needs_response', 'warning_needs_response'])
const OPEN = new Set<Json>([...ANSWERABLE, 'under_review', 'warning_under_review'])
const isInquiry = ({ body }: Stored): boolean => String(body.status).startsWith('warning_')

const update = (world: World, stored: Stored, call: Call): Json => {
  const {
    evidence,
    metadata,
    submit = true,
  } = call.parameters as {
    evidence?: Record<string, string>
    metadata?: Record<string, string>
    submit?: boolean
  }
  if (!OPEN.has(stored.body.status as Json)) throw alreadyClosed(stored)
  if (metadata)
    change(world, stored, { metadata: { ...(stored.body.metadata as Record<string, string>), ...metadata } })
  if (evidence) {
    if (!ANSWERABLE.has(stored.body.status as Json))
      throw invalid('This dispute’s evidence has already been submitted.')
    change(world, stored, { evidence: { ...(stored.body.evidence as Record<string, string>), ...evidence } })
    if (submit) sendEvidence(world, stored)
  }
  emit(world, 'charge.dispute.updated', stored.body, stored.account)
  return stored.body
}

const sendEvidence = (world: World, stored: Stored): void => {
  const details = stored.body.evidence_details as Record<string, Json>
  const decidedAt = world.now() + world.settings.disputeDecisionMs
  change(
    world,
    stored,
    {
      evidence_details: { ...details, has_evidence: true, submission_count: Number(details.submission_count) + 1 },
      status: isInquiry(stored) ? 'warning_under_review' : 'under_review',
    },
    { dueAt: decidedAt },
  )
}

/** The platform gives in: the dispute is lost. */
const concede = (world: World, stored: Stored): Json => {
  if (!ANSWERABLE.has(stored.body.status as Json)) throw alreadyClosed(stored)
  decide(world, stored, 'lost')
  return stored.body
}

const alreadyClosed = (stored: Stored) =>
  invalid(`This dispute is already ${String(stored.body.status).replace('warning_', '')}.`)

/** Its time has come: the deadline for evidence has passed, or the bank has read it. */
export const disputeDue = (world: World, stored: Stored): void => {
  const answered = !ANSWERABLE.has(stored.body.status as Json)
  if (!answered)
    change(world, stored, {
      evidence_details: { ...(stored.body.evidence_details as Record<string, Json>), past_due: true },
    })
  const said = JSON.stringify(stored.body.evidence)
  if (isInquiry(stored) && said.includes(ESCALATING_WORDS)) return escalate(world, stored)
  decide(world, stored, answered && said.includes(WINNING_WORDS) ? 'won' : 'lost')
}

/** The bank was only asking, and now takes back what is left of the charge: evidence is asked for once more. */
export const escalate = (world: World, stored: Stored): void => {
  if (!OPEN.has(stored.body.status as Json) || !isInquiry(stored)) throw alreadyClosed(stored)
  const paid = find(world, { kind: 'charge', id: String(stored.body.charge), account: stored.account }).body
  const amount = Number(paid.amount) - Number(paid.amount_refunded)
  if (amount < 1) return decide(world, stored, 'lost')
  const dueAt = world.now() + world.settings.disputeEvidenceMs
  take(world, stored, -amount, world.settings.disputeFee)
  const evidence_details = {
    ...(stored.body.evidence_details as Record<string, Json>),
    due_by: seconds(dueAt),
    has_evidence: false,
    past_due: false,
    submission_count: 0,
  }
  const evidence = Object.fromEntries(EVIDENCE.map((name) => [name, null]))
  const asked = { amount, status: 'needs_response', evidence, evidence_details, is_charge_refundable: false }
  change(world, stored, asked, { dueAt })
  emit(world, 'charge.dispute.funds_withdrawn', stored.body, stored.account)
  emit(world, 'charge.dispute.updated', stored.body, stored.account)
}

export const decide = (world: World, stored: Stored, outcome: 'won' | 'lost'): void => {
  if (!OPEN.has(stored.body.status as Json)) throw alreadyClosed(stored)
  const inquiry = isInquiry(stored)
  if (!inquiry && outcome === 'won') {
    take(world, stored, moneyOf(stored.body).amount, 0)
    stored.body.is_charge_refundable = true
  }
  change(world, stored, { status: inquiry ? 'warning_closed' : outcome }, { dueAt: null })
  if (!inquiry && outcome === 'won') emit(world, 'charge.dispute.funds_reinstated', stored.body, stored.account)
  emit(world, 'charge.dispute.closed', stored.body, stored.account)
}

/** A dispute that holds the charge's money, or has taken it for good. */
export const openOver = (world: World, paid: Stored): boolean =>
  disputesOf(world, paid).some(({ status }) => status !== 'won' && !String(status).startsWith('warning_'))

/** As many as one charge can have: networks allow a few rounds. */
const DISPUTES_PER_CHARGE_MAX = 20
const disputesOf = (world: World, { account, body }: Stored): StripeObject[] =>
  world.store.list({ kind: KIND, account, parent: String(body.payment_intent) }, { limit: DISPUTES_PER_CHARGE_MAX })
    .data

/** A charge whose dispute was only a matter of time. */
export const chargeDue = (world: World, paid: Stored): void => {
  const told = paid.plan as DisputeTold
  change(world, paid, {}, { dueAt: null, plan: null })
  if (Number(paid.body.amount) > Number(paid.body.amount_refunded) && !openOver(world, paid))
    openDispute(world, paid, told)
}
