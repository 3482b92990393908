// Paying sellers: their accounts at the provider, transfers to them, and payouts to their banks.
import type Stripe from 'stripe'
import { ask, askAll, type Client } from './answer.ts'
import type { BankPayout, PayeeAccount, Payments, Transfer } from './index.ts'
import { PaymentsError } from './index.ts'

type ConnectCalls = Pick<
  Payments,
  | 'createAccount'
  | 'retrieveAccount'
  | 'onboardingLink'
  | 'transfer'
  | 'retrieveTransfer'
  | 'reverseTransfer'
  | 'findTransfers'
  | 'payout'
  | 'retrievePayout'
  | 'findPayouts'
>

const ACCOUNT = { object: 'account', prefix: 'acct_' }
const TRANSFER = { object: 'transfer', prefix: 'tr_' }
const REVERSAL = { object: 'transfer_reversal', prefix: 'trr_' }
const PAYOUT = { object: 'payout', prefix: 'po_' }

export const connectCalls = (client: Client): ConnectCalls => ({
  ...accountCalls(client),
  ...transferCalls(client),
  ...payoutCalls(client),
})

const accountCalls = (client: Client): Pick<ConnectCalls, 'createAccount' | 'retrieveAccount' | 'onboardingLink'> => ({
  // The provider collects bank details and identity; the platform bears fees and losses and says when money goes to the
  // bank.
  createAccount: async ({ email, country, metadata }, key) =>
    accountOf(
      await ask(client, ACCOUNT, (stripe) =>
        stripe.accounts.create(
          {
            email,
            country,
            metadata,
            capabilities: { transfers: { requested: true } },
            controller: {
              fees: { payer: 'application' },
              losses: { payments: 'application' },
              stripe_dashboard: { type: 'express' },
            },
            settings: { payouts: { schedule: { interval: 'manual' } } },
          },
          { idempotencyKey: key },
        ),
      ),
    ),
  retrieveAccount: async (id) =>
    accountOf(await ask(client, ACCOUNT, (stripe) => stripe.accounts.retrieve(id, {}, {}))),
  // A second link only replaces the first, so this write alone goes without a key of ours.
  onboardingLink: async (accountId, urls) => {
    const link = await ask(client, { object: 'account_link' }, (stripe) =>
      stripe.accountLinks.create(
        { account: accountId, type: 'account_onboarding', refresh_url: urls.refresh, return_url: urls.return },
        {},
      ),
    )
    return link.url
  },
})

const transferCalls = (
  client: Client,
): Pick<ConnectCalls, 'transfer' | 'retrieveTransfer' | 'reverseTransfer' | 'findTransfers'> => ({
  transfer: async ({ accountId, amount, group, metadata }, key) =>
    transferOf(
      await ask(client, TRANSFER, (stripe) =>
        stripe.transfers.create(
          { destination: accountId, amount: amount.amount, currency: amount.currency, transfer_group: group, metadata },
          { idempotencyKey: key },
        ),
      ),
    ),
  retrieveTransfer: async (id) =>
    transferOf(await ask(client, TRANSFER, (stripe) => stripe.transfers.retrieve(id, {}, {}))),
  // The transfer comes with the reversal: a second call could fail and say nothing true about the first.
  reverseTransfer: async (id, { amount, metadata }, key) => {
    const reversal = await ask(client, REVERSAL, (stripe) =>
      stripe.transfers.createReversal(
        id,
        { amount: amount.amount, metadata, expand: ['transfer'] },
        { idempotencyKey: key },
      ),
    )
    if (typeof reversal.transfer === 'string')
      throw new PaymentsError('unknown', 'unexpected_answer', 'The reversal came without its transfer.')
    return transferOf(reversal.transfer)
  },
  findTransfers: async (group) =>
    (
      await askAll(client, TRANSFER, (stripe, page) => stripe.transfers.list({ transfer_group: group, ...page }, {}))
    ).map(transferOf),
})

const payoutCalls = (client: Client): Pick<ConnectCalls, 'payout' | 'retrievePayout' | 'findPayouts'> => ({
  payout: async ({ accountId, amount, metadata }, key) =>
    payoutOf(
      await ask(client, PAYOUT, (stripe) =>
        stripe.payouts.create(
          { amount: amount.amount, currency: amount.currency, metadata },
          { idempotencyKey: key, stripeAccount: accountId },
        ),
      ),
    ),
  retrievePayout: async (accountId, id) =>
    payoutOf(await ask(client, PAYOUT, (stripe) => stripe.payouts.retrieve(id, {}, { stripeAccount: accountId }))),
  findPayouts: async (accountId, op) =>
    (await askAll(client, PAYOUT, (stripe, page) => stripe.payouts.list(page, { stripeAccount: accountId })))
      .filter((payout) => payout.metadata?.op === op)
      .map(payoutOf),
})

const accountOf = (account: Stripe.Account): PayeeAccount => ({
  id: account.id,
  payoutsEnabled: account.payouts_enabled && account.capabilities?.transfers === 'active',
  requirements: account.requirements?.currently_due ?? [],
  requirementsDueAt: account.requirements?.current_deadline ? account.requirements.current_deadline * 1000 : null,
  heldFor: account.requirements?.disabled_reason ?? null,
})

const transferOf = (transfer: Stripe.Transfer): Transfer => ({
  id: transfer.id,
  amount: { amount: transfer.amount, currency: transfer.currency },
  accountId: typeof transfer.destination === 'string' ? transfer.destination : (transfer.destination?.id ?? ''),
  reversed: transfer.amount_reversed,
  metadata: transfer.metadata,
})

const PAYOUT_STATUSES: Record<string, BankPayout['status']> = {
  pending: 'pending',
  in_transit: 'in_transit',
  paid: 'paid',
  failed: 'failed',
  canceled: 'canceled',
}

const payoutOf = (payout: Stripe.Payout): BankPayout => {
  const status = PAYOUT_STATUSES[payout.status]
  if (!status)
    throw new PaymentsError('unknown', 'unexpected_status', `A payout in the state ${payout.status} is not known.`)
  return {
    id: payout.id,
    status,
    amount: { amount: payout.amount, currency: payout.currency },
    ...(payout.failure_code && {
      failure: { code: payout.failure_code, message: payout.failure_message ?? payout.failure_code },
    }),
  }
}
