// The service where calls have a pace, as with the real provider: the sandbox's server reached as one would reach that.
import test from 'ava'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSandbox } from '../../adapters/payments/sandbox.ts'
import { movableClock } from '../../adapters/clock/index.ts'
import { eventually, startNode } from '../../test/node.ts'
import { newDisbursement } from './disbursement.ts'
import { begun } from './operation.ts'
import { operations } from './operations.ts'
import payment from './payment.service.ts'

const usd = (amount: number) => ({ amount, currency: 'usd' })
const quiet = { warn: () => undefined, error: () => undefined, info: () => undefined }

test('what a dead process left is taken up when another starts, each transfer once, long before its timer', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'gigwire-pace-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const provider = await openSandbox({ file: join(folder, 'provider.sqlite'), clock: movableClock(), log: quiet })
  t.teardown(() => provider.close())
  const { id: account } = await provider.createAccount(
    { email: 's@example.test', country: 'US', metadata: { onboarding: 'auto' } },
    'account',
  )
  const payment1 = await provider.createPayment(
    { amount: usd(90_000), metadata: { op: 'x' }, description: 'x' },
    'create',
  )
  await provider.confirmPayment(
    payment1.id,
    { paymentMethod: 'pm_card_visa', returnUrl: 'http://localhost' },
    'confirm',
  )
  const asStripe = { ...provider, provider: 'stripe' as const, close: async () => undefined }
  const started = () =>
    startNode({
      services: [payment, { name: 'payout', actions: { hear: () => true } }],
      env: { DATA_DIR: folder },
      products: { payments: async () => asStripe },
    })
  const first = await started()
  const documents = await first.open('documents')
  const now = first.clock.now()
  // One was never called, of the other the call had gone out when the process was killed.
  for (const [at, id] of ['po_waiting', 'po_under_way'].entries()) {
    const doc = newDisbursement(id, { seller: 'usr_s', account, amount: usd(2000 + at) }, now)
    const left = at === 0 ? doc : begun(doc, 'transfer', { now, by: 'a dead process' })
    await documents.insert(operations, { ...left, version: 1 } as never)
  }
  await provider.transfer(
    { accountId: account, amount: usd(2001), group: 'po_under_way', metadata: { op: 'po_under_way', seller: 'usr_s' } },
    'po_under_way:transfer:1',
  )
  await first.stop()
  const second = await started()
  t.teardown(() => second.stop())
  const book = await second.open('documents')
  await eventually(
    async () => (await book.getMany(operations, ['po_waiting', 'po_under_way'])) as { state: string }[],
    (docs) => docs.every(({ state }) => state === 'sent'),
  )
  t.true(second.clock.now() < now + 29_000)
  const sent = (await provider.balanceTransactions({ limit: 50 })).data.filter(({ type }) => type === 'transfer')
  t.deepEqual(sent.map(({ amount }) => amount).sort(), [-2000, -2001])
})
