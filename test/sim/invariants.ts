// What must hold, named as in the list it comes from: I1–I17. Some of it is looked at with every entry and every write, the
// rest when everything has come to rest. Sums are worked out here anew, not with the rules that are judged.
import { createHash } from 'node:crypto'
import { balances } from '../../services/ledger/balances.ts'
import { BEGINNING, brokenLink } from '../../services/ledger/chain.ts'
import type { LedgerEntry } from '../../services/ledger/contract.ts'
import { kindOf } from '../../services/ledger/posting.ts'
import { brokenHistory } from '../../services/order/process.ts'
import { isTip, purchasesOf, type OrderDoc, type TimelineEvent } from '../../services/order/state.ts'
import { MINIMUMS } from '../../services/payout/plan.ts'
import { CURRENCY, type Ledger, type Market } from './market.ts'
import type { World } from './world.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
/** Kinds of entry that may leave a seller owing us: what was paid out to them goes back to the buyer. */
const MAY_OVERDRAW: ReadonlySet<string> = new Set(['refund', 'chargeback', 'chargeback_lost'])
const ASSETS: ReadonlySet<string> = new Set(['psp', 'connected', 'transit', 'dispute'])
const OWED: ReadonlySet<string> = new Set([
  'escrow',
  'clearing',
  'available',
  'in_payout',
  'held',
  'refund_pending',
  'buyer_credit',
])
/** Between two snapshots of all balances. */
const SNAPSHOT_EVERY = 97

export const invariants = (here: World) => {
  const { must } = here
  const paid = new Map<string, number>()
  const back = new Map<string, number>()
  const snapshots: { seq: number; print: string }[] = []

  const entered = (entry: LedgerEntry, ledger: Ledger) => {
    const { sums } = ledger
    here.note(() => `entry ${entry.id}: ${entry.legs.map(({ account, amount }) => `${account} ${amount}`).join(', ')}`)
    for (const { account, amount } of entry.legs) {
      const kind = kindOf(account)
      const sum = sums.of(account, CURRENCY)
      if (kind === 'available' && amount > 0 && sum > 0)
        must(
          entry.kind === 'reserve' ? 'I12 no reserve overdraws' : 'I5 nothing is overdrawn',
          MAY_OVERDRAW.has(entry.kind),
          () => `${account} is ${sum} after ${entry.id}`,
        )
      if (kind === 'in_payout')
        must('I12 no reserve overdraws', sum <= 0, () => `${account} is ${sum} after ${entry.id}`)
      if (ASSETS.has(kind) && kind !== 'psp')
        must('I5 nothing is overdrawn', sum >= 0, () => `${account} is ${sum} after ${entry.id}`)
      if (OWED.has(kind) && kind !== 'available')
        must('I5 nothing is overdrawn', sum <= 0, () => `${account} is ${sum} after ${entry.id}`)
    }
    givenBack(entry)
    if (ownMeans(sums) < 0) here.count('entries while expenses are above income')
    if (entry.seq % SNAPSHOT_EVERY === 0) snapshots.push({ seq: entry.seq, print: printOf(sums) })
  }
  const givenBack = ({ id, kind, about, legs }: LedgerEntry) => {
    const order = about.order ?? ''
    const credit = (account: string) =>
      legs.reduce((sum, leg) => sum - (kindOf(leg.account) === account ? leg.amount : 0), 0)
    if (kind === 'charge') paid.set(order, (paid.get(order) ?? 0) + credit('escrow'))
    if (kind !== 'refund') return
    const all = (back.get(order) ?? 0) + credit('refund_pending')
    back.set(order, all)
    must(
      'I3 no more goes back than came',
      all <= (paid.get(order) ?? 0),
      () => `${id}: ${all} of ${paid.get(order) ?? 0}`,
    )
  }

  const ordered = (order: OrderDoc) => {
    const { type, at, data } = order.timeline.at(-1)!
    here.note(() => `${order.id} ${type}: ${order.status} ${JSON.stringify(data)}`)
    const rule = TIMED[type]
    if (!rule) return
    const since = order.timeline.findLastIndex(rule.since)
    const first = rule.first ? order.timeline.findIndex(rule.since) : since
    const needed = rule.ms(order)
    const ran = runningMs(order.timeline, first, at)
    if (type === 'cleared' || type === 'tip_cleared')
      for (const { type: other, at: warnedAt } of order.timeline)
        must(
          'I15 nothing before its time',
          other !== 'fraud_warned' || at >= warnedAt + WARNING_MS,
          () => `${order.id} ${type} ${at - warnedAt} ms after a warning`,
        )
    must(
      'I15 nothing before its time',
      first >= 0 && ran >= needed,
      () => `${order.id} ${type} after ${ran} of ${needed} ms`,
    )
  }
  return { entered, ordered, snapshots }
}

/** After a warning of fraud nothing clears for so long. */
const WARNING_MS = 30 * DAY

type Timed = { since(event: TimelineEvent): boolean; first?: true; ms(order: OrderDoc): number }
const is =
  (...types: string[]) =>
  ({ type }: TimelineEvent) =>
    types.includes(type)
const COMPLETING = ['accepted', 'auto_completed', 'dispute_won_by_seller', 'dispute_split']
/** What the clock does by itself, and how long it must have waited while nothing was disputed. */
const TIMED: Record<string, Timed> = {
  expired: { since: is('placed'), ms: () => HOUR / 2 },
  requirements_timed_out: { since: is('paid'), ms: () => 14 * DAY },
  auto_completed: { since: is('delivered'), ms: () => 3 * DAY },
  cancelled_by_silence: { since: is('cancel_proposed'), ms: () => 2 * DAY },
  extension_withdrawn: { since: is('extension_proposed'), ms: () => 4 * DAY },
  refund_offer_withdrawn: { since: is('refund_offered'), ms: () => 4 * DAY },
  stuck_cancelled: { since: is('paid', 'paid_and_started'), ms: () => 75 * DAY },
  cleared: { since: is(...COMPLETING), first: true, ms: ({ clearingMs }) => clearingMs },
  tip_cleared: { since: is('tipped'), first: true, ms: ({ clearingMs }) => clearingMs },
}
const FREEZES = is('disputed', 'disputed_while_clearing')
const THAWS = is('dispute_withdrawn', 'dispute_won_by_buyer', 'dispute_won_by_seller', 'dispute_split')
const TAKEN = is('charged_back')
const GIVEN = is('chargeback_won', 'chargeback_lost', 'cancelled_by_chargeback')

/** The time since an event less that of disputes and chargebacks; while one is open none has passed. */
const runningMs = (timeline: readonly TimelineEvent[], from: number, until: number): number => {
  const open = new Set<unknown>()
  const since = timeline[from]!.at
  let frozenMs = 0
  for (const [index, event] of timeline.entries()) {
    const frozen = open.size > 0
    if (FREEZES(event)) open.add('dispute')
    if (THAWS(event)) open.delete('dispute')
    if (TAKEN(event)) open.add(event.data.chargeback)
    if (GIVEN(event)) open.delete(event.data.chargeback)
    const before = timeline[index - 1]?.at ?? since
    if (frozen && event.at > since) frozenMs += event.at - Math.max(before, since)
  }
  return open.size > 0 ? -1 : until - since - frozenMs
}

/** What is the platform's own: above zero it could pay everybody at once. */
const ownMeans = (sums: Ledger['sums']) => {
  let own = 0
  for (const kind of ['rev', 'exp']) for (const [, { [CURRENCY]: sum = 0 }] of sums.kind(kind)) own -= sum
  return own
}
const printOf = (sums: Ledger['sums']) =>
  JSON.stringify(
    sums
      .all()
      .map(([account, one]) => [account, one[CURRENCY]])
      .sort(([one], [other]) => (one! < other! ? -1 : 1)),
  )

/** All that may not change when everything is told again. */
export const fingerprint = ({ ledger, orders, items, bank }: Market): string =>
  createHash('sha256')
    .update(ledger.entries.at(-1)?.hash ?? '')
    .update(printOf(ledger.sums))
    .update(JSON.stringify([...orders.docs.values()].map(({ version: _v, outbox: _o, ...order }) => order)))
    .update(JSON.stringify([...items.docs.values()].map(({ version: _v, outbox: _o, ...item }) => item)))
    .update(JSON.stringify([bank.psp(), bank.objects(), ...bank.connected]))
    .digest('hex')

const TIP_ENDED: ReadonlySet<string> = new Set(['dropped', 'cleared', 'returned'])
const ENDED: ReadonlySet<string> = new Set(['completed', 'cancelled', 'expired'])

export const atRest = (
  { must, count }: World,
  { ledger, orders, items, runs, book, bank }: Market,
  { sellers, snapshots }: { sellers: readonly string[]; snapshots: readonly { seq: number; print: string }[] },
) => {
  const { sums, entries, owed } = ledger
  const total = (kinds: ReadonlySet<string>) =>
    sums.all().reduce((sum, [account, one]) => sum + (kinds.has(kindOf(account)) ? (one[CURRENCY] ?? 0) : 0), 0)

  const trial = sums.all().reduce((sum, [, one]) => sum + (one[CURRENCY] ?? 0), 0)
  must('I1 trial balance is zero', trial === 0, `it is ${trial}`)
  chain()
  let escrow = 0
  const earned = new Map<string, number>()
  const credited = new Map<string, number>()
  const add = (to: Map<string, number>, who: string, amount: number) => to.set(who, (to.get(who) ?? 0) + amount)
  for (const order of orders.docs.values()) {
    const { id, status, timeline, paidAt, price, seller, refunds = [], tips = [], chargebacks = [] } = order
    const broken = brokenHistory(
      timeline.map(({ type }) => type),
      status,
    )
    must('every history walks the table', broken === null, `${id}: ${broken}`)
    must(
      'I8 nothing hangs',
      ENDED.has(status),
      () => `${id} is still ${status}: ${timeline.map(({ type }) => type).join()}`,
    )
    for (const tip of tips) must('I8 nothing hangs', TIP_ENDED.has(tip.status), `${tip.id} is ${tip.status}`)
    for (const { id: name, status: how } of purchasesOf(order))
      must('I8 nothing hangs', how === 'paid' || how === 'dropped', `${name} is ${how}`)
    must('I8 nothing hangs', order.frozenAt == null, `${id} is frozen`)
    for (const { id: name, status: how } of chargebacks)
      must('I8 nothing hangs', how === 'won' || how === 'lost' || how === 'closed', `${name} is ${how}`)
    const back = refunds.reduce((sum, { amount, outside }) => sum + (outside ? 0 : amount), 0)
    const gone = chargebacks.reduce((sum, one) => sum + (isTip(order, one.charge) ? 0 : one.gone), 0)
    const held = paidAt !== null && !ENDED.has(status) ? price.total - back - gone : 0
    escrow += held
    must(
      'I2 escrow of an order',
      owed(`escrow:${id}`) === held,
      () => `${id} ${status} has ${owed(`escrow:${id}`)}, not ${held}`,
    )
    const most = paidAt === null ? 0 : price.total
    must('I3 no more goes back than came', back + gone <= most, `${id} gave back ${back} and lost ${gone}`)
    if (status === 'cancelled')
      must('I3 a cancelled order gives all back', back + gone === most, `${id} gave back ${back + gone} of ${most}`)
    const twice = hasTwice(order)
    must(
      'I3 nobody is given twice what they can still be denied',
      twice === 0,
      `the buyer of ${id} has ${twice} too much`,
    )
    for (const refund of refunds)
      must('I11 a refund ends', refund.settled || refund.failed === true, `${refund.id} is open`)
    count(`orders ${status}`)
    add(earned, seller.id, sellersPart(order, back + gone))
    add(credited, order.buyer.id, buyersCredit(order))
  }
  const inEscrow = 0 - total(new Set(['escrow']))
  must('I4 all escrow is of open orders', inEscrow === escrow, `${inEscrow} instead of ${escrow}`)
  for (const doc of book.docs.values())
    must(
      'I8 nothing hangs',
      !doc.stuck && (!doc.call || doc.call.state === 'settled'),
      () => `${doc.id} is ${JSON.stringify(doc.stuck ?? doc.call)}`,
    )
  for (const item of items.docs.values())
    must(
      'I8 nothing hangs',
      ['void', 'paid', 'failed', 'returned'].includes(item.status),
      `${item.id} is ${item.status}`,
    )
  for (const run of runs.docs.values()) must('I8 nothing hangs', run.status === 'done', `${run.id} is ${run.status}`)
  must(
    'I6 psp',
    sums.of('psp', CURRENCY) === bank.psp(),
    `ours ${sums.of('psp', CURRENCY)}, the provider's ${bank.psp()}`,
  )
  for (const seller of sellers) ofSeller(seller)
  for (const [buyer, amount] of credited) {
    const has = owed(`buyer_credit:${buyer}`)
    must('I10 what a buyer is owed is there', has === amount, `${buyer} is owed ${amount}, has ${has}`)
  }
  for (const kind of ['refund_pending', 'in_payout', 'transit', 'held', 'dispute'])
    for (const [account, one] of sums.kind(kind))
      must(
        'I7 clearing accounts are empty',
        Object.keys(one).length === 0,
        () => `${account} is ${JSON.stringify(one)}`,
      )
  solvency()

  function ofSeller(seller: string) {
    const theirs = bank.connected.get(`acct_${seller}`) ?? 0
    const ours = sums.of(`connected:${seller}`, CURRENCY)
    must('I6 connected', ours === theirs, `${seller}: ours ${ours}, the provider's ${theirs}`)
    const paid = [...items.docs.values()]
      .filter((one) => one.seller === seller && one.status === 'paid')
      .reduce((sum, one) => sum + one.amount.amount, 0)
    const has = ['available', 'clearing', 'held', 'in_payout'].reduce((sum, kind) => sum + owed(`${kind}:${seller}`), 0)
    const all = earned.get(seller) ?? 0
    must('I10 earned is paid or there', all - paid === has, `${seller} earned ${all}, was paid ${paid}, has ${has}`)
    must(
      'I11 the payable is paid',
      owed(`available:${seller}`) < MINIMUMS[CURRENCY]!,
      `${seller} still has ${owed(`available:${seller}`)}`,
    )
  }

  function chain() {
    const broken = brokenLink(BEGINNING, entries)
    must('I17 the chain holds', broken === null, String(broken))
    const again = balances()
    let at = 0
    for (const { seq, print } of snapshots) {
      for (; at < seq; at++) again.apply(entries[at]!.legs)
      must('I17 balances at a time come out of the entries', printOf(again) === print, `not at entry ${seq}`)
    }
  }

  /** With what the provider really has, and what sellers owe us counted as money that is there. */
  function solvency() {
    const connected = [...bank.connected.values()].reduce((sum, one) => sum + one, 0)
    const owes = 0 - total(OWED)
    const has = bank.psp() + connected + total(new Set(['transit', 'dispute']))
    const own = ownMeans(sums)
    if (own < 0) count('ended with expenses above income')
    must(
      'I16 solvent but for what it spent itself',
      has >= owes + Math.min(0, own),
      `has ${has}, owes ${owes}, of its own ${own}`,
    )
  }
}

/** What is a seller's of an order and its tips when `less` of its price has gone. */
const sellersPart = (order: OrderDoc, less: number): number => {
  const { completedAt, seller, tips = [], chargebacks = [] } = order
  const ofTips = tips.reduce((sum, { status, amount, commission, lost = 0 }) => {
    return sum + (status === 'dropped' ? 0 : amount - commission - lost)
  }, 0)
  // Lost, and then won after all: what the seller bore they have again.
  const again = chargebacks.reduce((sum, { status, bore = {} }) => {
    const born = ['clearing', 'held', 'available'].reduce((all, kind) => all + (bore[`${kind}:${seller.id}`] ?? 0), 0)
    return sum + (status === 'won' ? born : 0)
  }, 0)
  return ofTips + again + (completedAt === null ? 0 : sellersShare(order, less))
}
/** What a buyer has, or is owed, over the price, but for refunds that had arrived when their bank gave them the same. */
const hasTwice = (order: OrderDoc): number => {
  const { price, paidAt, refunds = [], chargebacks = [], credited = 0 } = order
  // What came too late for anything was paid beside the price.
  const beside = refunds.reduce((sum, { outside, amount }) => sum + (outside ? amount : 0), 0)
  const came = (paidAt === null ? 0 : price.total) + beside
  const arrived = refunds.reduce((sum, one) => sum + (one.settled && !one.failed ? one.amount : 0), 0)
  const byBank = chargebacks.reduce((sum, one) => sum + (isTip(order, one.charge) ? 0 : one.taken - one.restored), 0)
  return Math.max(0, credited + byBank - came, arrived + credited - came)
}
/** Refunds that came back, and held money that a bank gave back after all. */
const buyersCredit = ({ id, credited = 0, chargebacks = [] }: OrderDoc): number =>
  chargebacks.reduce(
    (sum, { status, bore = {} }) => sum + (status === 'won' ? (bore[`escrow:${id}`] ?? 0) : 0),
    credited,
  )

/** Of what was not given back, worked out from the price and the policy alone. */
const sellersShare = ({ price, policy }: OrderDoc, back: number): number => {
  const left = price.total - back
  const fee = Math.floor((2 * price.serviceFee * left + price.total) / (2 * price.total))
  const commission = Math.floor(((left - fee) * policy.commissionBasisPoints) / 10_000 + 0.5)
  return left - fee - commission
}
