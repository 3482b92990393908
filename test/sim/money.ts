// One seed of the money simulation: orders, ledger, payment operations and payouts in virtual time. Everything decided is
// decided by the product's own code; only time, storage, transport and provider are the simulation's.
import { isDeepStrictEqual } from 'node:util'
import type { Said } from '../../mixins/actor.ts'
import type { Here } from '../../mixins/service.ts'
import { balances, payableOf } from '../../services/ledger/balances.ts'
import { BEGINNING, brokenLink, chained } from '../../services/ledger/chain.ts'
import type { LedgerEntry, Posting } from '../../services/ledger/contract.ts'
import { decideAll } from '../../services/ledger/decision.ts'
import { kindOf as accountKind, mistakeOf } from '../../services/ledger/posting.ts'
import * as moves from '../../services/order/moves.ts'
import { placedOrder } from '../../services/order/placing.ts'
import { brokenHistory } from '../../services/order/process.ts'
import { orders as orderCollection, refundsOf, type OrderDoc } from '../../services/order/state.ts'
import { applied, newDisbursement } from '../../services/payment/disbursement.ts'
import { openOperations, operations } from '../../services/payment/operations.ts'
import { newRefund } from '../../services/payment/refund.ts'
import { openDesk } from '../../services/payout/desk.ts'
import {
  isTooEarly,
  payouts,
  told,
  wake as itemWake,
  type PayoutDoc,
  type PayoutEvent,
} from '../../services/payout/item.ts'
import { MINIMUMS, payoutId, runId } from '../../services/payout/plan.ts'
import { random } from '../chaos/random.ts'
import { provider } from './provider.ts'
import { memory, world, type Harm } from './world.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const START = Date.UTC(2026, 0, 1)
export type Harms = Partial<Harm & { snapshots: boolean }>
export type Result = { seed: number; failure: string | null; steps: string[]; counts: Record<string, number> }
export const ORDERS = 60
export const DAYS = 60
/** Time without faults in which everything must come to rest. */
const DRAIN_DAYS = 40
const SELLERS = 8
const CURRENCY = 'usd'

export const simulate = async (seed: number, harms: Harms = {}): Promise<Result> => {
  const chance = random(seed)
  const here = world(chance, START)
  const mathRandom = Math.random
  // The spread of retries, too, comes from the seed.
  Math.random = chance.stream('spread').next
  let failure: string | null = null
  try {
    await market(here, harms)
  } catch (error) {
    failure = error instanceof Violation ? error.message : `thrown: ${(error as Error).stack ?? String(error)}`
  } finally {
    Math.random = mathRandom
  }
  return { seed, failure, steps: here.steps, counts: here.counts }
}

class Violation extends Error {}
const must = (invariant: string, holds: boolean, about: string) => {
  if (!holds) throw new Violation(`${invariant}: ${about}`)
}

const market = async (here: ReturnType<typeof world>, harms: Harms) => {
  const { random: lot } = here
  const harm: Harm = { unversioned: harms.unversioned ?? false }
  // ---- the ledger
  const sums = balances()
  const known = new Map<string, LedgerEntry>()
  const entries: LedgerEntry[] = []
  let unchecked: LedgerEntry[] = []
  const post = (wanted: readonly Posting[]) => {
    for (const one of wanted) must('I1 entries balance', mistakeOf(one) === null, `${one.id}: ${mistakeOf(one)}`)
    const { verdicts, accepted } = decideAll([wanted], sums, known)
    const verdict = verdicts[0]!
    if ('error' in verdict) throw new Violation(`I2 one entry, one meaning: ${verdict.error.message}`)
    const chain = chained(entries.at(-1) ?? BEGINNING, accepted)
    for (const entry of chain) {
      known.set(entry.id, entry)
      entries.push(entry)
      unchecked.push(entry)
      sums.apply(entry.legs)
    }
    // What the product parks for an operator is money out of place.
    if (wanted[0]!.kind !== 'reserve')
      must('I5 nothing overdrawn', !verdict.outcomes.includes('insufficient'), `${wanted[0]!.id} was refused`)
    return verdict.outcomes
  }
  const owed = (account: string) => 0 - sums.of(account, CURRENCY)

  // ---- the actors
  const hear = async ({ name, data }: Said, id: string): Promise<void> => {
    const about = data as never as { entries: Posting[]; operation: string; key: string; payout: string }
    if (name === 'order.posted' || name === 'payout.posted') post(about.entries)
    else if (name === 'order.refund.requested') {
      const { order, refund, amount } = data as {
        order: string
        refund: string
        amount: { amount: number; currency: string }
      }
      await all.book.turn(refund, (state, now) =>
        state
          ? { result: null }
          : { next: newRefund(refund, { order, amount, paymentId: `pi_${order}` }, now), result: null },
      )
      await all.drive(refund)
    } else if (name === 'payment.refunded') {
      const { order, refund, amount } = data as {
        order: string
        refund: string
        amount: { amount: number; currency: string }
      }
      await orders.turn(order, (state, now) => decided(moves.refunded(state!, refund, amount, now)))
    } else if (name === 'payout.reserved') {
      const { payout, ...asked } = data as {
        payout: string
        seller: string
        account: string
        amount: { amount: number; currency: string }
      }
      await all.book.turn(payout, (state, now) =>
        state ? { result: null } : { next: newDisbursement(payout, asked, now), result: null },
      )
      await all.drive(payout)
    } else if (name === 'payment.due') await all.drive(about.operation)
    else if (name === 'payout.due') await desk.carryOn((await items.read(about.key))!)
    else if (/^payment\.(transferred|payout\.|transfer\.reversed)/.test(name)) {
      const event = name as PayoutEvent
      await items.turn(about.payout, (state, now) => {
        if (isTooEarly(state!, event)) throw Object.assign(new Error(id), { type: 'unavailable' })
        return told(state!, event, data as never, now)
      })
    } else if (name === 'payment.refund.failed') must('I11 refunds arrive', false, JSON.stringify(data))
  }
  const decided = (moved: moves.Moved | null) => (moved ? { ...moved, result: null } : { result: null })
  const orders = memory<OrderDoc>(here, orderCollection, (state, now) => decided(moves.wake(state!, now)), hear, harm)
  const items = memory<PayoutDoc>(here, payouts, (state, now) => itemWake(state!, now), hear, harm)
  const bank = provider(here, (op, snapshot) => {
    let worked = false
    // Kept, so worked on until it was: the provider's refusals and our own deaths only delay it.
    const work = async () => {
      here.later(2000, `sweep ${op}`, async () => (worked ? undefined : work()))
      await all.sync(op).then(
        () => (worked = true),
        () => here.count('webhooks tried again'),
      )
    }
    here.later(0, `sync ${op}`, async () => {
      if (!harms.snapshots || !snapshot) return work()
      await all.book.turn(op, (state, now) => ({ ...applied(state as never, snapshot, now), result: null }) as never)
    })
  })
  const quiet = { warn: () => undefined, error: () => undefined, info: () => undefined, debug: () => undefined }
  let book: ReturnType<typeof memory<never>>
  const inside = {
    log: quiet,
    get instanceId() {
      return here.instance()
    },
    isRunning: (instance: string) => instance === here.instance(),
    clock: { now: here.now },
    actor: async ({ wake }: { wake: never }) => (book = memory<never>(here, operations as never, wake, hear, harm)),
  } as unknown as Here
  const all = await openOperations(inside, {
    payments: bank.port,
    returnUrl: '',
    accountMetadata: {},
    refundsOfOthers: async () => new Set<string>(),
  })
  const desk = openDesk(inside, {
    items,
    minimums: MINIMUMS,
    call: (async (_action: string, { entries: wanted }: { entries: Posting[] }) => ({
      outcomes: post(wanted),
    })) as never,
  } as never)

  // ---- what people and the clock do
  const reserve = (id: string, seller: string, amount: number, run: string | null) => async () => {
    await desk
      .make({ id, seller, account: `acct_${seller}`, amount: { amount, currency: CURRENCY }, run })
      .catch((error: { taken?: true }) => {
        if (!error.taken) throw error
      })
  }
  const startRun = (day: number) => async () => {
    const run = runId(new Date(START + day * DAY).toISOString().slice(0, 10))
    const read = payableOf(sums, { currency: CURRENCY, minimum: MINIMUMS[CURRENCY]!, limit: 100 }).data
    for (const { seller, amount } of read) {
      // Two runners, both with what they read at the start; and the seller asks for all of it at the same time.
      for (let runner = 0; runner < (here.faulty ? 2 : 1); runner++)
        here.later(
          lot.whole(0, 5000),
          `run ${run} pays ${seller}`,
          reserve(payoutId(run, seller, CURRENCY), seller, amount, run),
        )
      if (here.faulty && lot.chance(0.2))
        here.later(
          lot.whole(0, 5000),
          `${seller} withdraws`,
          reserve(`po_${day}_${seller}_asked`, seller, amount, null),
        )
    }
  }
  for (let day = 0; day < DAYS + DRAIN_DAYS; day++) here.later(day * DAY + HOUR, `run of day ${day}`, startRun(day))

  const act = (id: string, name: string, move: (order: OrderDoc, now: number) => moves.Moved | null) => async () => {
    try {
      await orders.turn(id, (state, now) => decided(move(state!, now)))
      here.count(name)
    } catch (error) {
      // The table says no: people ask for what is not possible all the time.
      if (!['invalid_transition', 'forbidden'].includes((error as { type?: string }).type ?? '')) throw error
    }
  }
  const earned = (order: OrderDoc) => order.price.subtotal - order.price.commission
  for (let number = 1; number <= ORDERS; number++) {
    const id = `ord_${number}`
    const seller = `s${lot.whole(1, SELLERS)}`
    const amount = { amount: lot.whole(500, 60_000), currency: CURRENCY }
    const party = (name: string) => ({ id: name, username: name, displayName: name })
    const quote = {
      gig: 'gig_1',
      title: 'A gig',
      version: 1,
      image: null,
      extras: [],
      packages: {
        basic: { title: 'b', description: 'b', price: amount, deliveryDays: lot.whole(1, 10), revisions: 1 },
      },
      requirements: lot.chance(0.5) ? [{ id: 'q', question: 'q', type: 'text', required: true }] : [],
    }
    const buyer = { role: 'buyer' as const, id: 'b' }
    const from = { role: 'seller' as const, id: seller }
    const any = { gig: quote, choice: { package: 'basic' as const, extras: [], quantity: 1 } }
    const at = lot.whole(0, (DAYS - 15) * DAY)
    here.later(at, `${id} is placed`, async () => {
      await orders.turn(id, (_state, now) => ({
        next: placedOrder(
          id,
          any.gig as never,
          any.choice,
          { buyer: party('b'), seller: party(seller), sellerLevel: 'new' },
          now,
        ),
        result: null,
      }))
    })
    if (lot.chance(0.95))
      here.later(at + lot.whole(0, 40 * 60_000), `${id} is charged`, async () => {
        const total = orders.docs.get(id)!.price.total
        const fee = Math.round(total * 0.029) + 30
        bank.charge(total, fee)
        const paid = {
          payment: `pi_${id}`,
          amount: { amount: total, currency: CURRENCY },
          fee: { amount: fee, currency: CURRENCY },
        }
        for (let again = lot.chance(0.25) ? 2 : 1; again > 0; again--)
          here.later(
            lot.chance(0.06) ? lot.whole(0, 3 * DAY) : lot.whole(0, 5000),
            `${id} is paid`,
            act(id, 'paid', (order, now) => moves.paid(order, paid, now)),
          )
      })
    const work = at + HOUR
    here.later(
      work,
      `${id} is answered`,
      act(id, 'answered', (order, now) => moves.answer(order, buyer, [{ id: 'q', answer: 'a' }], now)),
    )
    const delivered = work + lot.whole(HOUR, 12 * DAY)
    here.later(
      delivered,
      `${id} is delivered`,
      act(id, 'delivered', (order, now) => moves.deliver(order, from, { message: 'm', files: [] }, now)),
    )
    const ends = delivered + lot.whole(HOUR, 2 * DAY)
    if (lot.chance(0.6))
      here.later(
        ends,
        `${id} is accepted`,
        act(id, 'accepted', (order, now) => moves.accept(order, buyer, now)),
      )
    if (lot.chance(0.2))
      here.later(
        delivered - HOUR,
        `${id}: seller cancels`,
        act(id, 'cancel asked', (order, now) => moves.cancel(order, from, 'r', now)),
      )
    // At the very moment of acceptance: one of the two must lose.
    if (lot.chance(0.3))
      here.later(
        ends,
        `${id}: buyer cancels`,
        act(id, 'cancel asked', (order, now) => moves.cancel(order, buyer, 'r', now)),
      )
    if (lot.chance(0.2))
      here.later(
        delivered + HOUR,
        `${id} is revised`,
        act(id, 'revised', (order, now) => moves.revise(order, buyer, 'm', now)),
      )
  }

  const afterStep = () => {
    for (const { id, legs } of unchecked)
      for (const { account } of legs) {
        const kind = accountKind(account)
        const sum = sums.of(account, CURRENCY)
        // Without chargebacks and refunds after completion nobody may owe us, so here `available` is no exception.
        const isAsset = ['psp', 'connected', 'transit', 'exp'].includes(kind)
        const invariant =
          kind === 'available' || kind === 'in_payout' ? 'I12 no reserve overdraws' : 'I5 nothing overdrawn'
        must(
          invariant,
          isAsset || kind === 'psp' ? kind === 'psp' || sum >= 0 : sum <= 0,
          `${account} is ${sum} after ${id}`,
        )
      }
    unchecked = []
  }
  const atRest = () => {
    let total = 0
    for (const [, one] of sums.all()) total += one[CURRENCY] ?? 0
    must('I1 trial balance', total === 0, `it is ${total}`)
    must('I16 chain', brokenLink(BEGINNING, entries) === null, String(brokenLink(BEGINNING, entries)))
    const sellers = new Map<string, number>()
    for (const order of orders.docs.values()) {
      const broken = brokenHistory(
        order.timeline.map(({ type }) => type),
        order.status,
      )
      must('I17 history', broken === null, `${order.id}: ${broken}`)
      const ended = ['completed', 'cancelled', 'expired'].includes(order.status)
      const held = order.paidAt !== null && !ended ? order.price.total : 0
      must(
        'I2 escrow of an order',
        owed(`escrow:${order.id}`) === held,
        `${order.id} ${order.status} has ${owed(`escrow:${order.id}`)}, not ${held}`,
      )
      must('I3 refunded at most what was paid', refundsOf(order).length === 0 || order.paidAt !== null, order.id)
      for (const { id, settled } of refundsOf(order)) must('I11 a refund ends', settled, `${id} is not settled`)
      if (order.status === 'completed')
        sellers.set(order.seller.id, (sellers.get(order.seller.id) ?? 0) + earned(order))
    }
    for (const doc of book.docs.values() as Iterable<{ id: string; stuck: unknown; call: { state: string } | null }>)
      must(
        'I8 nothing hangs',
        !doc.stuck && (!doc.call || doc.call.state === 'settled'),
        `${doc.id} is ${JSON.stringify(doc.stuck ?? doc.call)}`,
      )
    const made = bank.made()
    must(
      'I9 each operation moved money once',
      new Set(made).size === made.length,
      made.find((one, index) => made.indexOf(one) !== index) ?? '',
    )
    must('I9 reversed once', bank.overReversed().length === 0, 'a transfer was reversed twice')
    must('I13 no refusal is replayed', bank.replayedRefusals() === 0, `${bank.replayedRefusals()} were`)
    must(
      'I6 psp',
      sums.of('psp', CURRENCY) === bank.psp(),
      `ours ${sums.of('psp', CURRENCY)}, the provider's ${bank.psp()}`,
    )
    for (let number = 1; number <= SELLERS; number++) {
      const seller = `s${number}`
      const theirs = bank.connected.get(`acct_${seller}`) ?? 0
      must(
        'I6 connected',
        sums.of(`connected:${seller}`, CURRENCY) === theirs,
        `${seller}: ours ${sums.of(`connected:${seller}`, CURRENCY)}, the provider's ${theirs}`,
      )
      const paid = [...items.docs.values()]
        .filter((one) => one.seller === seller && one.status === 'paid')
        .reduce((sum, one) => sum + one.amount.amount, 0)
      const has = ['available', 'clearing', 'held', 'in_payout'].reduce(
        (sum, kind) => sum + owed(`${kind}:${seller}`),
        0,
      )
      must(
        'I10 earned is paid or there',
        (sellers.get(seller) ?? 0) - paid === has,
        `${seller} earned ${sellers.get(seller) ?? 0}, was paid ${paid}, has ${has}`,
      )
      must(
        'I11 the payable is paid',
        owed(`available:${seller}`) < MINIMUMS[CURRENCY]!,
        `${seller} still has ${owed(`available:${seller}`)}`,
      )
    }
    for (const kind of ['refund_pending', 'in_payout', 'transit'])
      for (const [account, one] of sums.kind(kind))
        must('I7 clearing accounts', isDeepStrictEqual(one, {}), `${account} is ${JSON.stringify(one)}`)
  }

  await here.run(START + DAYS * DAY, afterStep)
  here.faulty = false
  await here.run(START + (DAYS + DRAIN_DAYS) * DAY, afterStep)
  here.counts.entries = entries.length
  here.counts.payouts = [...items.docs.values()].filter(({ status }) => status === 'paid').length
  atRest()
}
