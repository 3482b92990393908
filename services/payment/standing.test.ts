// Operations as those see them who look after them.
import test from 'ava'
import type { Sandbox } from '../../adapters/payments/sandbox.ts'
import { isMovable } from '../../adapters/clock/index.ts'
import { eventually, startNode } from '../../test/node.ts'
import { isRefused } from '../errors.ts'
import { newDisbursement } from './disbursement.ts'
import { begun, failedCall } from './operation.ts'
import payment from './payment.service.ts'
import { standing, standingOf } from './standing.ts'

const usd = (amount: number) => ({ amount, currency: 'usd' })
const admin = {
  meta: { caller: { id: 'usr_a', username: 'a', roles: ['buyer' as const, 'admin' as const], sessionId: 'ses' } },
}
const unknown = { kind: 'unknown' as const, code: 'no_answer', message: 'lost' }

test('an operation is unknown from the first lost answer until it is known, however often it is sent meanwhile', (t) => {
  const doc = newDisbursement('po_1', { seller: 's', account: 'a', amount: usd(1) }, 1)
  const sent = begun(doc, 'transfer', { now: 1, by: 'here' })
  t.is(standingOf(sent), 'under_way')
  const lost = failedCall(sent, unknown, 2, 1).next
  t.is(standingOf(lost), 'unknown')
  const again = begun(lost, 'transfer', { now: 3, by: 'here' })
  t.is(standingOf(again), 'unknown')
  t.is(standingOf(failedCall(again, { ...unknown, kind: 'rate' }, 4, 1).next), 'unknown')
  t.is(standingOf(failedCall(sent, { ...unknown, kind: 'rate' }, 2, 1).next), 'waiting')
  t.is(standingOf(failedCall(sent, { ...unknown, kind: 'bug' }, 2, 1).next), 'stuck')
  // Since when is kept while it stands the same.
  const kept = standing<typeof doc, null>(() => ({ next: again, result: null }))
  t.deepEqual(
    [kept({ ...lost, standing: 'unknown', standingAt: 2 }, 9).next?.standingAt, kept(doc, 9).next?.standingAt],
    [2, 9],
  )
})

test('what may have moved money and what is stuck is listed with its key and reason, and freed by people', async (t) => {
  const node = await startNode({ services: [payment, { name: 'payout', actions: { hear: () => true } }] })
  t.teardown(() => node.stop())
  const provider = (await node.open('payments')) as Sandbox
  await node.call('payment.onboard', { user: 'usr_s', email: 's@example.test', country: 'US' })
  const { account } = await node.call('payment.payee', { user: 'usr_s' })
  await node.call('payment.begin', { order: 'ord_1', buyer: 'b', amount: usd(20_000), description: 'x' })
  await node.call('payment.confirm', { order: 'ord_1', paymentMethod: 'pm_card_visa' }, { timeoutMs: 30_000 })
  const reserved = (payout: string) =>
    node.broker.call('payment.hear', {
      event: {
        id: payout,
        name: 'payout.reserved',
        data: { payout, seller: 'usr_s', account: account!, amount: usd(2000) },
        at: 1,
      },
    })
  provider.server.faults.add({ kind: 'answer_lost', on: 'transfers.create' })
  await reserved('po_lost')
  const [lost] = (await node.call('payment.operations', {}, admin)).data
  t.deepEqual(
    [lost?.id, lost?.standing, lost?.call?.key, lost?.call?.lastError?.kind, lost?.seller],
    ['po_lost', 'unknown', 'po_lost:transfer:1', 'unknown', 'usr_s'],
  )
  await eventually(
    async () => {
      if (isMovable(node.clock)) node.clock.moveTo(node.clock.offsetMs() + 5000)
      await node.broker.call('payment.wakeDue', {})
      return (await node.call('payment.operations', {}, admin)).data
    },
    (open) => open.length === 0,
  )
  t.regex((await node.call('payment.operation', { id: 'po_lost' }, admin)).provider.transferId!, /^tr_/)
  // A request of ours that is wrong: only people go on with it.
  const documents = await node.open('documents')
  const { operations } = await import('./operations.ts')
  const doc = (await documents.get(operations, 'po_lost'))!
  await documents.insert(operations, {
    ...newDisbursement('po_stuck', { seller: 'usr_s', account: account!, amount: usd(2000) }, node.clock.now()),
    version: 1,
    wakeAt: null,
    stuck: { code: 'parameter_unknown', message: 'no such thing', at: 1 },
    standing: 'stuck',
    standingAt: 1,
  } as typeof doc)
  const [stuck] = (await node.call('payment.operations', { standing: 'stuck' }, admin)).data
  t.deepEqual([stuck?.id, stuck?.stuck?.code], ['po_stuck', 'parameter_unknown'])
  t.true(isRefused(await t.throwsAsync(node.call('payment.retry', { id: 'po_lost' }, admin)), 'invalid_transition'))
  const freed = await node.call('payment.retry', { id: 'po_stuck' }, admin)
  t.deepEqual([freed.stuck, Boolean(freed.provider.transferId)], [undefined, true])
  t.deepEqual((await node.call('payment.operations', { standing: 'stuck' }, admin)).data, [])
  t.true(isRefused(await t.throwsAsync(node.call('payment.operation', { id: 'po_none' }, admin)), 'not_found'))
})
