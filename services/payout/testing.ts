// What the tests of payouts share: a node with ledger, payments and payouts, and sellers who earn.
import type { ExecutionContext } from 'ava'
import type { ServiceSchema } from 'moleculer'
import { isMovable } from '../../adapters/clock/index.ts'
import type { Sandbox } from '../../adapters/payments/sandbox.ts'
import { startNode, type TestNode } from '../../test/node.ts'
import { charged, cleared, completed } from '../ledger/contract.ts'
import ledger from '../ledger/ledger.service.ts'
import payment from '../payment/payment.service.ts'
import type { Caller } from '../shapes.ts'
import payout from './payout.service.ts'

export const HOUR_MS = 3_600_000
export const DAY_MS = 24 * HOUR_MS
export const usd = (amount: number) => ({ amount, currency: 'usd' })
export const person = (id: string, ...roles: Caller['roles']): { meta: { caller: Caller } } => ({
  meta: { caller: { id, username: id, roles: ['buyer', ...roles], sessionId: 'ses' } },
})
export const admin = person('usr_admin', 'admin')
export const seller = (id: string) => person(id, 'seller')
/** Stands where orders are: takes what payments say. */
const orders: ServiceSchema = { name: 'order', actions: { hear: () => true } }

export type World = { node: TestNode; provider: Sandbox }
export const start = async (t: ExecutionContext, env: Record<string, string> = {}): Promise<World> => {
  const node = await startNode({ services: [ledger, payment, payout, orders], env })
  t.teardown(() => node.stop())
  return { node, provider: (await node.open('payments')) as Sandbox }
}

/** An order paid at the provider, completed and cleared: `amount` is the seller's to take. */
export const earn = async ({ node }: World, order: string, of: string, amount: number) => {
  await node.call('payment.begin', { order, buyer: 'usr_b', amount: usd(amount * 2), description: 'A logo' })
  await node.call('payment.confirm', { order, paymentMethod: 'pm_card_visa' }, { timeoutMs: 30_000 })
  const at = node.clock.now()
  const entries = [
    charged({ order, payment: 'pi', amount: usd(amount * 2), fee: usd(0), at }),
    completed({ order, seller: of, currency: 'usd', subtotal: amount * 2, serviceFee: 0, commission: amount, at }),
    cleared({ order, seller: of, amount: usd(amount), at }),
  ]
  await node.call('ledger.post', { entries })
}
export const onboard = ({ node }: World, user: string) =>
  node.call('payment.onboard', { user, email: `${user}@example.test`, country: 'US' })
export const balance = (node: TestNode, of: string) => node.call('payout.balance', {}, seller(of))
export const list = async (node: TestNode, of: string) => (await node.call('payout.list', {}, seller(of))).data
export const advance = async ({ node }: World, ms: number) => {
  if (isMovable(node.clock)) node.clock.moveTo(node.clock.offsetMs() + ms)
  for (const name of ['payout', 'payment']) await node.broker.call(`${name}.wakeDue`, {}, { timeout: 60_000 })
}
export const booksAreTrue = async (t: ExecutionContext, { node }: World) => {
  const { totals } = await node.call('ledger.trialBalance', {}, admin)
  t.true(
    totals.every(({ amount }) => amount === 0),
    JSON.stringify(totals),
  )
  t.deepEqual((await node.call('ledger.verify', {})).problems, [])
}
export const sums = async ({ node }: World, ...accounts: string[]) => {
  const found = await node.call('ledger.balances', { accounts })
  return accounts.map((account) => found[account]?.usd ?? 0)
}
export const runNow = (node: TestNode, date?: string) =>
  node.call('payout.run', date ? { date } : {}, { ...admin, timeoutMs: 30_000 })
