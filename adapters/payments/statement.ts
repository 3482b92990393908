// What the provider says of the money it holds, for reconciliation.
import type Stripe from 'stripe'
import { ask, askList, type Client } from './answer.ts'
import type { BalanceTransaction, Payments } from './index.ts'

export const statementCalls = (client: Client): Pick<Payments, 'balance' | 'balanceTransactions'> => ({
  balance: async (accountId) => {
    const balance = await ask(client, { object: 'balance' }, (stripe) =>
      stripe.balance.retrieve({}, accountId === undefined ? {} : { stripeAccount: accountId }),
    )
    return { available: byCurrency(balance.available), pending: byCurrency(balance.pending) }
  },
  balanceTransactions: async ({ after, limit, since, sourceId, accountId }) => {
    const { data, hasMore } = await askList(client, { object: 'balance_transaction', prefix: 'txn_' }, (stripe) =>
      stripe.balanceTransactions.list(
        {
          limit,
          expand: ['data.source'],
          ...(after && { starting_after: after }),
          ...(since !== undefined && { created: { gte: Math.floor(since / 1000) } }),
          ...(sourceId !== undefined && { source: sourceId }),
        },
        accountId === undefined ? {} : { stripeAccount: accountId },
      ),
    )
    return { data: data.map(transactionOf), next: hasMore ? (data.at(-1)?.id ?? null) : null }
  },
})

const byCurrency = (amounts: { amount: number; currency: string }[]): Record<string, number> => {
  const sums: Record<string, number> = {}
  for (const { amount, currency } of amounts) sums[currency] = (sums[currency] ?? 0) + amount
  return sums
}

const transactionOf = (transaction: Stripe.BalanceTransaction): BalanceTransaction => ({
  id: transaction.id,
  type: transaction.type,
  amount: transaction.amount,
  fee: transaction.fee,
  net: transaction.net,
  currency: transaction.currency,
  sourceId: typeof transaction.source === 'string' ? transaction.source : (transaction.source?.id ?? ''),
  ...opOf(transaction.source),
  createdAt: transaction.created * 1000,
  availableAt: transaction.available_on * 1000,
})

const opOf = (source: Stripe.BalanceTransaction['source']): { op?: string } => {
  const { metadata } = (source ?? {}) as { metadata?: Record<string, string> | null }
  const op = metadata?.op ?? metadata?.order
  return op === undefined ? {} : { op }
}
