// Reconciliation of many transactions with differences planted on either side: all of them found, none false, by the service
// as it runs. The provider is a statement in memory, everything else is the product's.
import type { BalanceTransaction, Payments } from '../adapters/payments/index.ts'
import { startNode } from '../test/node.ts'
import { charged, type Posting } from '../services/ledger/contract.ts'
import ledger from '../services/ledger/ledger.service.ts'
import payment from '../services/payment/payment.service.ts'
import reconciliation from '../services/reconciliation/reconciliation.service.ts'
import { table } from './harness.ts'

const AT = Date.UTC(2030, 0, 1)
const AMOUNT = 10_550
const FEE = 336
/** Of each kind, so many. */
const PLANTED = 20
const KINDS = ['missing_entry', 'missing_transaction', 'amount', 'currency', 'duplicate'] as const
type Kind = (typeof KINDS)[number]

const POST = 100
const POSTS_AT_ONCE = 16

/** Every so many transactions one is planted, the kinds in turn. */
const plantedAt = (number: number, every: number): Kind | null =>
  number % every === every - 1 && number / every < PLANTED * KINDS.length
    ? KINDS[Math.floor(number / every) % KINDS.length]!
    : null

const transactionOf = (number: number, more: Partial<BalanceTransaction> = {}): BalanceTransaction => ({
  id: `txn_${number}`,
  type: 'charge',
  amount: AMOUNT,
  fee: FEE,
  net: AMOUNT - FEE,
  currency: 'usd',
  sourceId: `ch_${number}`,
  op: `ord_${number}`,
  createdAt: AT + number * 1000,
  availableAt: AT + number * 1000,
  ...more,
})
const entryOf = (number: number, currency = 'usd', amount = AMOUNT): Posting =>
  charged({
    order: `ord_${number}`,
    payment: `pi_${number}`,
    amount: { amount, currency },
    fee: { amount: FEE, currency },
    at: AT + number * 1000,
  })

const sidesOf = (count: number) => {
  const every = Math.floor(count / (PLANTED * KINDS.length))
  const statement: BalanceTransaction[] = []
  const entries: Posting[] = []
  const expected = new Set<string>()
  for (let number = 0; number < count; number++) {
    const kind = plantedAt(number, every)
    if (kind !== 'missing_transaction') statement.push(transactionOf(number))
    if (kind === 'duplicate') statement.push(transactionOf(number, { id: `txn_${number}_again` }))
    if (kind === 'currency') entries.push(entryOf(number, 'eur'))
    else if (kind === 'amount') entries.push(entryOf(number, 'usd', AMOUNT + 1))
    else if (kind !== 'missing_entry') entries.push(entryOf(number))
    // Of two that claim one entry, which is the second is only a matter of reading: they are named by the entry.
    if (kind) expected.add(`${kind} ${kind === 'missing_entry' ? `txn_${number}` : `ord_${number}:paid`}`)
  }
  return { statement: statement.reverse(), entries, expected }
}

/** As much of a provider as reconciliation asks for: newest first, from a place on. */
const providerOf = (statement: readonly BalanceTransaction[]): Payments => {
  const places = new Map(statement.map(({ id }, at) => [id, at]))
  return {
    provider: 'sandbox',
    balanceTransactions: async ({ after, limit, since = 0 }: Parameters<Payments['balanceTransactions']>[0]) => {
      const from = after ? places.get(after)! + 1 : 0
      const data = statement.slice(from, from + limit).filter(({ createdAt }) => createdAt >= since)
      const more = data.length === limit && from + limit < statement.length
      return { data, next: more ? data.at(-1)!.id : null }
    },
    balance: async () => {
      const available: Record<string, number> = {}
      for (const { net, currency } of statement) available[currency] = (available[currency] ?? 0) + net
      return { available, pending: {} }
    },
    close: async () => undefined,
  } as unknown as Payments
}

export const reconciled = async (count: number) => {
  const { statement, entries, expected } = sidesOf(count)
  const node = await startNode({
    services: [ledger, payment, reconciliation],
    products: { payments: async () => providerOf(statement) },
  })
  const admin = {
    meta: { caller: { id: 'usr_a', username: 'a', roles: ['buyer' as const, 'admin' as const], sessionId: 's' } },
    timeoutMs: 60_000,
  }
  try {
    for (let from = 0; from < entries.length; from += POST * POSTS_AT_ONCE)
      await Promise.all(
        Array.from({ length: POSTS_AT_ONCE }, (_, one) => entries.slice(from + one * POST, from + (one + 1) * POST))
          .filter((some) => some.length > 0)
          .map((some) => node.call('ledger.post', { entries: some }, { timeoutMs: 60_000 })),
      )
    const pass = async (full: boolean) => {
      const began = performance.now()
      const cpu = process.cpuUsage()
      let report = await node.call('reconciliation.run', { full }, admin)
      while (report.running) {
        await new Promise((resolve) => setTimeout(resolve, 100))
        report = await node.call('reconciliation.report', {}, admin)
      }
      const { user, system } = process.cpuUsage(cpu)
      return { report, seconds: (performance.now() - began) / 1000, cpuSeconds: (user + system) / 1e6 }
    }
    const first = await pass(false)
    const again = await pass(true)
    const found = new Set<string>()
    let cursor: string | null = null
    do {
      const page: {
        data: { reason: string; transaction?: string | undefined; entry?: string | undefined }[]
        nextCursor: string | null
      } = await node.call('reconciliation.suspense', { limit: 100, ...(cursor && { cursor }) }, admin)
      for (const { reason, transaction, entry } of page.data) found.add(`${reason} ${entry ?? transaction}`)
      cursor = page.nextCursor
    } while (cursor)
    const lost = [...expected].filter((one) => !found.has(one))
    const wrong = [...found].filter((one) => !expected.has(one))
    if (lost.length + wrong.length > 0)
      throw new Error(`not found: ${lost.slice(0, 5).join(', ')}; false: ${wrong.slice(0, 5).join(', ')}`)
    const unexplained = again.report.balances.filter((one) => one.unexplained !== 0)
    if (unexplained.length > 0) throw new Error(`unexplained: ${JSON.stringify(unexplained)}`)
    const row = (what: string, { seconds, cpuSeconds }: typeof first) => [
      what,
      seconds.toFixed(1),
      cpuSeconds.toFixed(1),
      Math.round(count / seconds).toLocaleString('en'),
    ]
    console.log(
      `\nReconciliation of ${count.toLocaleString('en')} transactions\n\n${table(
        ['Pass', 'seconds', 'CPU seconds', 'transactions/s'],
        [row('the first, everything is new', first), row('a full one over the same', again)],
      )}\n${found.size} differences planted (${KINDS.join(', ')}; ${PLANTED} each), ${found.size} found, none false`,
    )
  } finally {
    await node.stop()
  }
}
