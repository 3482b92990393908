// What comes back after a payment: disputes, answered, won, lost and accepted, and warnings of fraud.
import test, { type ExecutionContext } from 'ava'
import { ask, confirm, DAY_MS, HOUR_MS, MINUTE_MS, open, paid, refusal, usd, type Opened } from './fixture.ts'
import type { Dispute } from './index.ts'

const AFTER_FEE = 10_000 - 320
const DISPUTE_FEE = 1_500
/** So much that nothing here waits for money. */
const FLOAT = 50_000 - 1_480

/** A payment that its card's holder disputes as soon as anybody looks. */
const disputed = async (
  t: ExecutionContext,
  card = 'pm_card_createDispute',
): Promise<Opened & { dispute: Dispute }> => {
  const opened = await open(t)
  const { payments } = opened
  await paid(payments, 50_000, 'float')
  const { id } = await ask(payments, 10_000)
  await confirm(payments, id, card, 'c')
  const [dispute] = await payments.findDisputes(id)
  if (!dispute) throw new Error('the card did not dispute')
  return { ...opened, dispute }
}
const available = async ({ payments }: Opened) => (await payments.balance()).available.usd
const evidence = (text: string) => ({ evidence: { text, customerName: 'A Buyer' }, metadata: { op: 'answer' } })
const typesOf = async ({ payments }: Opened) =>
  (await payments.listEvents({ since: 0, limit: 100 })).data
    .filter(({ type }) => type.startsWith('charge.dispute'))
    .map(({ type }) => type.replace('charge.dispute.', ''))
    .toReversed()

test('a dispute takes the money and a fee at once, and names what it is over', async (t) => {
  const world = await disputed(t)
  const { dispute, payments } = world
  t.like(dispute, {
    status: 'needs_response',
    amount: usd(10_000),
    inquiry: false,
    reason: 'fraudulent',
    taken: 10_000,
    restored: 0,
    fees: DISPUTE_FEE,
  })
  t.is(dispute.evidenceDueAt! - dispute.createdAt, 7 * DAY_MS)
  t.is(await available(world), FLOAT + AFTER_FEE - 10_000 - DISPUTE_FEE)
  t.deepEqual(await payments.retrieveDispute(dispute.id), dispute)
  const [told] = (await payments.listEvents({ since: 0, limit: 100 })).data.filter(
    ({ type }) => type === 'charge.dispute.created',
  )
  t.like(told, { objectId: dispute.id, objectType: 'dispute', paymentId: dispute.paymentId })
})

test('a dispute answered well is won: the money comes back, the fee does not', async (t) => {
  const world = await disputed(t, 'pm_card_createDisputeProductNotReceived')
  const { payments, clock, dispute } = world
  t.is(dispute.reason, 'product_not_received')
  const sent = await payments.submitEvidence(dispute.id, evidence('winning_evidence'), 'e')
  t.is(sent.status, 'under_review')
  t.is(sent.evidenceDueAt, null)
  t.deepEqual(await payments.submitEvidence(dispute.id, evidence('winning_evidence'), 'e'), sent)
  clock.moveTo(2 * MINUTE_MS)
  t.like(await payments.retrieveDispute(dispute.id), {
    status: 'won',
    taken: 10_000,
    restored: 10_000,
    fees: DISPUTE_FEE,
  })
  t.is(await available(world), FLOAT + AFTER_FEE - DISPUTE_FEE)
  t.deepEqual(await typesOf(world), ['created', 'funds_withdrawn', 'updated', 'funds_reinstated', 'closed'])
})

test('a dispute answered badly, or never, is lost', async (t) => {
  const answered = await disputed(t)
  await answered.payments.submitEvidence(answered.dispute.id, evidence('losing_evidence'), 'e')
  answered.clock.moveTo(2 * MINUTE_MS)
  t.is((await answered.payments.retrieveDispute(answered.dispute.id)).status, 'lost')
  const ignored = await disputed(t)
  ignored.clock.moveTo(6 * DAY_MS)
  t.is((await ignored.payments.retrieveDispute(ignored.dispute.id)).status, 'needs_response')
  ignored.clock.moveTo(7 * DAY_MS + HOUR_MS)
  t.like(await ignored.payments.retrieveDispute(ignored.dispute.id), { status: 'lost', taken: 10_000, restored: 0 })
  t.deepEqual(await typesOf(ignored), ['created', 'funds_withdrawn', 'closed'])
})

test('a dispute is accepted once, and is then past all evidence', async (t) => {
  const { payments, dispute } = await disputed(t)
  t.is((await payments.acceptDispute(dispute.id, 'a')).status, 'lost')
  t.is((await payments.acceptDispute(dispute.id, 'a')).status, 'lost')
  const late = { kind: 'definitive', code: 'dispute_unexpected_state' }
  t.deepEqual(await refusal(payments.acceptDispute(dispute.id, 'b')), late)
  t.deepEqual(await refusal(payments.submitEvidence(dispute.id, evidence('late'), 'e')), late)
})

test('evidence is sent once', async (t) => {
  const { payments, dispute } = await disputed(t)
  await payments.submitEvidence(dispute.id, evidence('first'), 'e1')
  t.is((await refusal(payments.submitEvidence(dispute.id, evidence('second'), 'e2'))).kind, 'definitive')
})

test('an inquiry only asks: no money moves, however it ends', async (t) => {
  const world = await disputed(t, 'pm_card_createDisputeInquiry')
  const { payments, clock, dispute } = world
  t.like(dispute, { inquiry: true, status: 'needs_response', taken: 0, fees: 0 })
  t.is(await available(world), FLOAT + AFTER_FEE)
  clock.moveTo(8 * DAY_MS)
  t.like(await payments.retrieveDispute(dispute.id), { inquiry: true, status: 'closed', taken: 0 })
  t.deepEqual(await typesOf(world), ['created', 'closed'])
})

test('an inquiry that becomes a dispute takes the money then, and is answered once more', async (t) => {
  const world = await disputed(t, 'pm_card_createDisputeInquiry')
  const { payments, clock, dispute } = world
  await payments.submitEvidence(dispute.id, evidence('escalate_inquiry_evidence'), 'e1')
  clock.moveTo(2 * MINUTE_MS)
  t.like(await payments.retrieveDispute(dispute.id), {
    inquiry: false,
    status: 'needs_response',
    taken: 10_000,
    fees: DISPUTE_FEE,
  })
  t.is(await available(world), FLOAT + AFTER_FEE - 10_000 - DISPUTE_FEE)
  await payments.submitEvidence(dispute.id, evidence('winning_evidence'), 'e2')
  clock.moveTo(4 * MINUTE_MS)
  t.like(await payments.retrieveDispute(dispute.id), { status: 'won', restored: 10_000 })
  t.deepEqual(await typesOf(world), [
    'created',
    'updated',
    'funds_withdrawn',
    'updated',
    'updated',
    'funds_reinstated',
    'closed',
  ])
  const other = await disputed(t, 'pm_card_createDisputeInquiry')
  await other.payments.server.outside.escalateInquiry(other.dispute.id)
  t.false((await other.payments.retrieveDispute(other.dispute.id)).inquiry)
  const given = await disputed(t, 'pm_card_createDisputeInquiry')
  const back = { paymentId: given.dispute.paymentId, amount: usd(4_000), metadata: {} }
  await given.payments.refund(back, 'r')
  await given.payments.server.outside.escalateInquiry(given.dispute.id)
  t.like(await given.payments.retrieveDispute(given.dispute.id), { amount: usd(6_000), taken: 6_000 })
  await t.throwsAsync(other.payments.server.outside.escalateInquiry(other.dispute.id))
})

test('a disputed payment is not refunded, a partly refunded one is disputed over the rest', async (t) => {
  const { payments, dispute } = await disputed(t)
  t.deepEqual(await refusal(payments.refund({ paymentId: dispute.paymentId, amount: usd(1), metadata: {} }, 'r')), {
    kind: 'definitive',
    code: 'charge_disputed',
  })
  const other = await paid(payments, 10_000, 'other')
  await payments.refund({ paymentId: other.id, amount: usd(4_000), metadata: {} }, 'r2')
  const id = await payments.server.outside.dispute(other.id, { reason: 'unrecognized' })
  t.like(await payments.retrieveDispute(id), { amount: usd(6_000), reason: 'unrecognized' })
})

test('a bank that decides early is believed', async (t) => {
  const { payments, dispute } = await disputed(t)
  await payments.server.outside.decideDispute(dispute.id, 'won')
  t.is((await payments.retrieveDispute(dispute.id)).status, 'won')
})

test('a warning of fraud names its payment and is for nothing once the payment is refunded', async (t) => {
  const { payments } = await open(t)
  await paid(payments, 50_000, 'float')
  const { id } = await ask(payments, 10_000)
  await confirm(payments, id, 'pm_card_createIssuerFraudRecord', 'c')
  const { data } = await payments.listEvents({ since: 0, limit: 100 })
  const told = data.find(({ type }) => type === 'radar.early_fraud_warning.created')
  t.like(told, { objectType: 'radar.early_fraud_warning', paymentId: id })
  const warning = await payments.retrieveFraudWarning(told!.objectId)
  t.like(warning, { paymentId: id, actionable: true, reason: 'made_with_stolen_card' })
  await payments.refund({ paymentId: id, amount: usd(10_000), metadata: {} }, 'r')
  t.false((await payments.retrieveFraudWarning(warning.id)).actionable)
})
