// The Grafana dashboard of money: what is owed and there, what waits at the provider, runs, books and statement beside each
// other. `node deploy/dashboards/money.ts` writes money.json beside it; a test holds the two, and the metrics, together.
import { dashboardOf, rate, write, type Rows } from './dashboard.ts'

/** Every node that looks says the same. */
const most = (metric: string, by: string): string => `max by (${by}) (${metric})`

const ROWS: Rows = {
  'Is it all there': [
    {
      title: 'Coverage',
      says: 'What the platform has at the provider for each unit it owes to people. Below 1 is an alarm.',
      draws: { '{{currency}}': most('gigwire_money_coverage_ratio', 'currency') },
    },
    {
      title: 'There and owed',
      says: 'Minor units.',
      draws: {
        'there, {{currency}}': most('gigwire_money_platform', 'currency'),
        'owed, {{currency}}': most('gigwire_money_owed', 'currency'),
      },
    },
    {
      title: 'In suspense',
      says: 'Changes that have no other side for longer than they may be, by reason.',
      draws: { '{{reason}}': most('gigwire_reconciliation_suspense', 'reason') },
    },
    {
      title: 'Unexplained',
      says: 'What books and provider differ by besides what is in suspense, minor units.',
      draws: { '{{currency}}': most('gigwire_reconciliation_unexplained', 'currency') },
    },
  ],
  'At the provider': [
    {
      title: 'Calls',
      says: 'By outcome: taken, or the class of the failure.',
      unit: 'ops',
      draws: { '{{outcome}}': rate('gigwire_payment_calls_total', 'outcome') },
    },
    {
      title: 'Open operations',
      says: 'unknown: may have moved money. stuck: for people to free.',
      draws: { '{{standing}}': most('gigwire_payment_operations', 'standing') },
    },
    {
      title: 'Oldest open operation',
      says: 'An unknown one older than an hour is an alarm.',
      unit: 's',
      draws: { '{{standing}}': most('gigwire_payment_oldest_seconds', 'standing') },
    },
    {
      title: 'Webhooks not worked on',
      says: 'How many, and how long the oldest is overdue.',
      draws: {
        open: 'max(gigwire_payment_webhooks_open)',
        'oldest, seconds': 'max(gigwire_payment_webhooks_oldest_seconds)',
      },
    },
  ],
  Payouts: [
    {
      title: 'Runs begun',
      says: 'By how: a late one makes up for one that was missed.',
      unit: 'ops',
      draws: { '{{how}}': rate('gigwire_payout_runs_total', 'how') },
    },
    {
      title: 'Open runs',
      says: 'By phase.',
      draws: { '{{phase}}': most('gigwire_payout_runs_open', 'phase') },
    },
    {
      title: 'Oldest open run',
      says: 'By phase.',
      unit: 's',
      draws: { '{{phase}}': most('gigwire_payout_run_age_seconds', 'phase') },
    },
    { title: 'Freezes', says: 'In force.', draws: { freezes: 'max(gigwire_payout_freezes)' } },
  ],
  'The books': [
    {
      title: 'Entries',
      says: 'A second.',
      unit: 'ops',
      draws: { entries: 'max(deriv(gigwire_ledger_entries[5m]))' },
    },
    {
      title: 'Owed, by kind',
      says: 'Sums of accounts, minor units; debit positive, so what is owed is negative.',
      draws: { '{{account}} {{currency}}': most('gigwire_ledger_balance', 'account, currency') },
    },
    {
      title: 'Sellers below zero',
      says: 'What sellers owe the market, minor units.',
      draws: { '{{currency}}': most('gigwire_money_sellers_negative', 'currency') },
    },
    {
      title: 'Since the last pass',
      says: 'Of reconciliation: hourly, and full once a day.',
      unit: 's',
      draws: { '{{kind}}': 'time() - max by (kind) (gigwire_reconciliation_finished_seconds)' },
    },
  ],
}

export const dashboard = dashboardOf('gigwire-money', 'Gigwire: money', ROWS)
export const DASHBOARD_FILE = new URL('./money.json', import.meta.url)

if (import.meta.main) write(DASHBOARD_FILE, dashboard)
