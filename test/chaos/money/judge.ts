// Judges a run: what the provider really did, as its own store says, against what people were promised and against our books.
import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { openStore, type Fleet } from './fleet.ts'
import type { Deal, Trade } from './trade.ts'

export const BAD = [
  'doubled',
  'lost',
  'out of balance',
  'differs from the provider',
  'left hanging',
  'not verified',
] as const
export type Verdict = {
  counts: Record<(typeof BAD)[number], number>
  problems: string[]
  figures: Record<string, number>
}
export const isClean = ({ counts }: Verdict): boolean => BAD.every((what) => counts[what] === 0)

/** Of the subtotal, and the least that is paid out; minor units. */
const COMMISSION = 0.2
const MINIMUM = 2000

type Thing = { id: string; object: string; account: string } & Record<string, any>
type Balance = { available: { amount: number }[]; pending: { amount: number }[] }

export const judge = async (fleet: Fleet, { admin, sellers, get }: Trade, deals: readonly Deal[]): Promise<Verdict> => {
  const verdict: Verdict = {
    counts: Object.fromEntries(BAD.map((what) => [what, 0])) as Verdict['counts'],
    problems: [],
    figures: {},
  }
  const bad = (what: (typeof BAD)[number], problem: string) => {
    verdict.counts[what] += 1
    verdict.problems.push(`${what}: ${problem}`)
  }
  const is = (what: (typeof BAD)[number], ours: number, theirs: number, about: string) => {
    if (ours !== theirs) bad(what, `${about}: ${ours} instead of ${theirs}`)
  }

  // ---- what must be asked while everybody is there
  const trial = await get(admin.token, '/v1/admin/ledger/trial-balance')
  const sumOf = (rows: { account: string; balance: { amount: number } }[], kind: string) =>
    rows.filter(({ account }) => account === kind).reduce((sum, { balance }) => sum + balance.amount, 0)
  for (const { amount, currency } of trial.totals) is('out of balance', amount, 0, `the books in ${currency}`)
  for (const kind of ['in_payout', 'transit', 'refund_pending', 'held', 'escrow'])
    is('left hanging', 0 - sumOf(trial.data, kind), 0, kind)
  is('differs from the provider', sumOf(trial.data, 'psp'), await providerBalance(fleet), 'the balance')
  const balances = new Map<string, number>()
  for (const seller of sellers) {
    const own = await get(admin.token, `/v1/admin/ledger/trial-balance?account=connected:${seller.id}`)
    const theirs = await providerBalance(fleet, seller.account)
    is('differs from the provider', sumOf(own.data, `connected:${seller.id}`), theirs, `the account of ${seller.id}`)
    const { clearing, available, inPayout, held } = await get(seller.token, '/v1/me/balance')
    balances.set(seller.id, clearing.amount + available.amount + inPayout.amount + held.amount)
    if (available.amount >= MINIMUM) bad('lost', `${seller.id} still has ${available.amount} to be paid`)
  }
  const verified = await fetch(`http://127.0.0.1:${fleet.opsPort}/verify`)
  for (const { what, problems } of ((await verified.json()) as { checks: { what: string; problems: string[] }[] })
    .checks)
    for (const problem of problems) bad('not verified', `${what}: ${problem}`)

  // ---- what the stores say when they are left alone
  await fleet.stopAll()
  const things = readProvider(fleet.dataDir)
  const of = (object: string) => things.filter((thing) => thing.object === object)
  for (const [object, key] of [
    ['payment_intent', 'op'],
    ['refund', 'op'],
    ['transfer', 'op'],
    ['payout', 'op'],
  ] as const)
    for (const [op, found] of grouped(of(object), (thing) => thing.metadata?.[key] ?? '')) {
      if (op !== '' && found.length > 1) bad('doubled', `${object} of ${op}: ${found.map(({ id }) => id).join(', ')}`)
      verdict.figures[`${object}s`] = (verdict.figures[`${object}s`] ?? 0) + found.length
    }
  for (const transfer of of('transfer'))
    if (transfer.amount_reversed > transfer.amount) bad('doubled', `${transfer.id} was reversed twice`)

  const earned = new Map<string, number>()
  for (const deal of deals) {
    const paid = of('payment_intent').filter((one) => one.metadata?.op === deal.order && one.status === 'succeeded')
    is(
      'lost',
      paid.reduce((sum, one) => sum + one.amount, 0),
      deal.total,
      `paid for ${deal.name}`,
    )
    const back = of('refund').filter((one) => one.payment_intent === paid[0]?.id && one.status === 'succeeded')
    is(
      back.length > 1 ? 'doubled' : 'lost',
      back.reduce((sum, one) => sum + one.amount, 0),
      deal.back,
      `given back for ${deal.name}`,
    )
    earned.set(deal.seller.id, (earned.get(deal.seller.id) ?? 0) + shareOf(deal) + deal.tip)
  }
  for (const { id, account } of sellers) {
    const payouts = of('payout').filter((one) => one.account === account && one.status === 'paid')
    const paid = payouts.reduce((sum, one) => sum + one.amount, 0)
    const [has, should] = [paid + (balances.get(id) ?? 0), earned.get(id) ?? 0]
    if (has !== should) bad(has > should ? 'doubled' : 'lost', `${id} earned ${should}, has or got ${has}`)
  }
  hanging(fleet.dataDir).forEach((what) => bad('left hanging', what))
  return verdict
}

const shareOf = ({ total, serviceFee, back }: Deal): number => {
  const left = total - back
  const fee = Math.floor((2 * serviceFee * left + total) / (2 * total))
  return left - fee - Math.floor((left - fee) * COMMISSION + 0.5)
}

const grouped = <T>(things: readonly T[], by: (thing: T) => string): Map<string, T[]> => {
  const groups = new Map<string, T[]>()
  for (const thing of things) groups.set(by(thing), [...(groups.get(by(thing)) ?? []), thing])
  return groups
}

const providerBalance = async ({ provider }: Fleet, account?: string): Promise<number> => {
  const response = await fetch(`http://127.0.0.1:${provider.port}/v1/balance`, {
    headers: { authorization: `Bearer ${provider.secretKey}`, ...(account && { 'stripe-account': account }) },
  })
  const { available, pending } = (await response.json()) as Balance
  return [...available, ...pending].reduce((sum, { amount }) => sum + amount, 0)
}

const readProvider = (dataDir: string): Thing[] => {
  const db = new DatabaseSync(join(dataDir, 'provider.sqlite'))
  try {
    return db
      .prepare('SELECT account, body FROM objects')
      .all()
      .map(({ account, body }) => ({ ...JSON.parse(String(body)), account: String(account) }) as Thing)
  } finally {
    db.close()
  }
}

/** Operations that wait for people or were never answered, runs that did not end, events that nobody could take. */
export const hanging = (dataDir: string): string[] => {
  const db = openStore(dataDir)
  try {
    const docs = (table: string) =>
      db
        .prepare(`SELECT doc FROM "${table}"`)
        .all()
        .map(({ doc }) => JSON.parse(String(doc)))
    return [
      ...docs('payment_operations')
        .filter(({ stuck, call }) => stuck || (call && call.state !== 'settled'))
        .map(({ id, stuck, call }) => `${id}: ${JSON.stringify(stuck ?? call)}`),
      ...docs('payment_operations')
        .filter(({ kind, state }) => ['reserved', 'transferred', 'sent', 'asked'].includes(state) && kind !== 'charge')
        .map(({ id, state, call, wakeAt }) => `${id} is ${state}, to be woken at ${wakeAt}: ${JSON.stringify(call)}`),
      ...docs('payouts')
        .filter(({ status }) => ['asked', 'scheduled', 'in_progress'].includes(status))
        .map(({ id, status, steps, wakeAt }) => `${id} is ${status} after ${steps}, to be woken at ${wakeAt}`),
      ...docs('payout_runs')
        .filter(({ status }) => status !== 'done')
        .map(({ id, status }) => `${id} is ${status}`),
      ...docs('parked_events').map(({ id, error }) => `${id} was parked: ${error}`),
    ]
  } finally {
    db.close()
  }
}
