import test from 'ava'
import fc from 'fast-check'
import { isRefused } from '../errors.ts'
import { mistakeOf, overdrawn } from '../ledger/posting.ts'
import { difference, givenUp, NOTHING, sharesOf, tipShares, type Shares } from './allocation.ts'
import { checked, FIRST_POLICY, frozen } from './fees.ts'
import * as moves from './moves.ts'
import { placedOrder } from './placing.ts'
import type { MarketPolicy } from './policy.ts'
import { FEE_POLICY, priceOf, type FeePolicy } from './price.ts'
import type { OrderDoc } from './state.ts'
import { buyer, delivery, entries, parties, quote, seller, START, usd } from './testing.ts'

const NOW = START + 10_000
const market = (changes: Partial<MarketPolicy> = {}): MarketPolicy => ({ ...FIRST_POLICY, version: 2, ...changes })
const vat = { jurisdiction: 'de', serviceFeeBasisPoints: 1900, commissionBasisPoints: 1900 }
const rules = [
  { category: 'design', level: 'top_rated' as const, basisPoints: 1000, fixed: 0 },
  { category: 'design', basisPoints: 1500, fixed: 100 },
  { level: 'level_two' as const, basisPoints: 1800, fixed: 0 },
]
const commission = { ...FIRST_POLICY.commission, rules }

test('what holds at first is what orders have always been placed under', (t) => {
  t.deepEqual(frozen(FIRST_POLICY, { category: 'design', level: 'new' }), FEE_POLICY)
})

test('the first rule that fits category and level counts, else the common commission', (t) => {
  const of = (category: string | undefined, level: string) => {
    const { commissionBasisPoints, commissionFixed = 0, version } = frozen(market({ commission }), { category, level })
    return [version, commissionBasisPoints, commissionFixed]
  }
  t.deepEqual(of('design', 'top_rated'), [2, 1000, 0])
  t.deepEqual(of('design', 'new'), [2, 1500, 100])
  t.deepEqual(of('music', 'level_two'), [2, 1800, 0])
  t.deepEqual(of('music', 'new'), [2, 2000, 0])
  t.deepEqual(of(undefined, 'top_rated'), [2, 2000, 0])
})

test('a rule that is never reached, and a commission of more than everything, are refused', (t) => {
  const set = (changes: object) => () => checked(market({ commission: { ...commission, ...changes } }))
  t.notThrows(set({}))
  const refused = (ask: () => unknown) => isRefused(t.throws(ask), 'validation_failed')
  t.true(refused(set({ rules: [rules[1], rules[0]] })))
  t.true(refused(set({ rules: [{ basisPoints: 1, fixed: 0 }, ...rules] })))
  t.true(refused(() => checked(market({ tax: vat, commission: { ...commission, basisPoints: 9000 } }))))
})

test("the buyer's fee has its tax inside, the seller's commission has it on top", (t) => {
  const policy = frozen(market({ tax: vat, commission: { ...commission, basisPoints: 2000, rules: [] } }), {
    level: 'new',
  })
  const price = priceOf({ price: usd(10_000) } as never, [], 1, policy)
  t.deepEqual([price.subtotal, price.serviceFee, price.total, price.commission], [10_000, 550, 10_550, 2000])
  // 550 = 462 + 19 % of it; 2000 + 380.
  t.deepEqual(sharesOf(price, policy, 0), { seller: 7620, commission: 2000, serviceFee: 462, tax: 88 + 380 })
})

test('a fixed commission is taken once, in proportion of what is left, and never more than there is', (t) => {
  const policy: FeePolicy = { ...FEE_POLICY, commissionBasisPoints: 1000, commissionFixed: 500 }
  const price = priceOf({ price: usd(10_000) } as never, [], 1, policy)
  t.is(sharesOf(price, policy, 0).commission, 1500)
  t.is(sharesOf(price, policy, 5275).commission, 750)
  const small = priceOf({ price: usd(300) } as never, [], 1, policy)
  t.deepEqual([sharesOf(small, policy, 0).seller, sharesOf(small, policy, 0).commission], [0, 300])
})

// ---- to the cent

const rate = fc.integer({ min: 0, max: 6000 })
const anyPolicy: fc.Arbitrary<FeePolicy> = fc.record({
  version: fc.constant(2),
  serviceFeeBasisPoints: rate,
  smallOrderFee: fc.integer({ min: 0, max: 500 }),
  smallOrderBelow: fc.constant(10_000),
  commissionBasisPoints: rate,
  commissionFixed: fc.integer({ min: 0, max: 2000 }),
  tipCommissionBasisPoints: rate,
  tax: fc.record({ jurisdiction: fc.constant('de'), serviceFeeBasisPoints: rate, commissionBasisPoints: rate }),
})
const total = ({ seller: mine, commission: kept, serviceFee, tax }: Shares) => mine + kept + serviceFee + tax
const add = (one: Shares, other: Shares): Shares => difference(one, difference(NOTHING, other))
const isWhole = (shares: Shares) => Object.values(shares).every((part) => Number.isSafeInteger(part) && part >= 0)

test('under any policy the parts are the whole, and any number of refunds gives back exactly what each has', (t) => {
  fc.assert(
    fc.property(
      anyPolicy,
      fc.integer({ min: 1, max: 50_000_000 }),
      fc.array(fc.integer({ min: 1, max: 100_000 }), { maxLength: 20 }),
      (policy, amount, refunds) => {
        const price = priceOf({ price: usd(amount) } as never, [], 1, policy)
        t.is(total(sharesOf(price, policy, 0)), price.total)
        let gone = 0
        let back = NOTHING
        for (const asked of [...refunds, price.total]) {
          const refund = Math.min(asked, price.total - gone)
          const given = givenUp(price, policy, gone, refund)
          t.true(isWhole(given), JSON.stringify(given))
          t.is(total(given), refund)
          back = add(back, given)
          gone += refund
        }
        t.deepEqual(back, sharesOf(price, policy, 0))
      },
    ),
    { numRuns: 500 },
  )
})

test('cent by cent nobody ever gets back what they have given', (t) => {
  fc.assert(
    fc.property(anyPolicy, fc.integer({ min: 1, max: 700 }), (policy, amount) => {
      const price = priceOf({ price: usd(amount) } as never, [], 1, policy)
      for (let gone = 0; gone < price.total; gone++) t.true(isWhole(givenUp(price, policy, gone, 1)))
      for (let left = 1; left <= amount; left++) {
        const step = difference(tipShares(left, amount, policy), tipShares(left - 1, amount, policy))
        t.true(isWhole(step) && total(step) === 1)
      }
    }),
    { numRuns: 100 },
  )
})

test('a commission without anything fixed or taxed is the percentage of what is left, rounded half up', (t) => {
  fc.assert(
    fc.property(rate, fc.integer({ min: 0, max: 50_000_000 }), fc.nat(), (basisPoints, amount, some) => {
      const policy = { ...FEE_POLICY, commissionBasisPoints: basisPoints }
      const price = priceOf({ price: usd(amount) } as never, [], 1, policy)
      const shares = sharesOf(price, policy, some % (price.total + 1))
      const subtotal = shares.seller + shares.commission
      t.is(shares.commission, Math.floor((subtotal * basisPoints + 5000) / 10_000))
      t.is(shares.tax, 0)
    }),
  )
})

test('the books take every order under any policy, and an old order keeps the one it has', (t) => {
  fc.assert(
    fc.property(
      anyPolicy,
      fc.array(fc.integer({ min: 1, max: 4000 }), { maxLength: 5 }),
      fc.boolean(),
      (policy, refunds, lost) => {
        const { tax, serviceFeeBasisPoints, smallOrderFee, smallOrderBelow } = policy
        const set = market({
          serviceFee: { basisPoints: serviceFeeBasisPoints, smallOrderFee, smallOrderBelow },
          commission: {
            basisPoints: policy.commissionBasisPoints,
            fixed: policy.commissionFixed!,
            tipBasisPoints: policy.tipCommissionBasisPoints!,
            rules: [],
          },
          tax: tax!,
        })
        const placed = placedOrder(
          'ord_1',
          { ...quote, requirements: [] },
          { package: 'basic', extras: ['fast'], quantity: 1 },
          parties,
          START,
          undefined,
          set,
        )
        let order: OrderDoc = placed
        const balance: Record<string, number> = {}
        const go = (moved: moves.Moved | null) => {
          order = moved!.next
          for (const entry of entries(moved!)) {
            t.is(mistakeOf(entry), null)
            t.is(
              overdrawn(entry, (account) => balance[account] ?? 0),
              null,
              entry.id,
            )
            for (const { account, amount } of entry.legs) balance[account] = (balance[account] ?? 0) + amount
          }
        }
        const paid = { payment: 'pi_1', amount: usd(order.price.total), fee: usd(0) }
        go(moves.paid(order, paid, NOW))
        go(moves.deliver(order, seller, delivery, NOW))
        go(moves.accept(order, buyer, NOW))
        const tip = { id: 'tip_1', amount: usd(777) }
        go(moves.beginTip(order, buyer, tip, NOW))
        go(moves.tipPaid(order, 'tip_1', { ...paid, amount: usd(777) }, NOW))
        for (const amount of refunds)
          go(moves.refundByAdmin(order, { role: 'admin' }, { amount: usd(Math.min(amount, 1000)), reason: 'x' }, NOW))
        if (lost) {
          const left = usd(order.price.total - refunds.reduce((sum, amount) => sum + Math.min(amount, 1000), 0))
          const told = { dispute: 'dp_1', amount: left, taken: left, fee: usd(0) }
          go(moves.chargedBack(order, { ...told, reason: 'x' }, NOW))
          go(moves.chargebackClosed(order, { ...told, outcome: 'lost', restored: usd(0) }, NOW))
        }
        t.is(balance['escrow:ord_1'], 0)
        t.is(
          Object.values(balance).reduce((sum, amount) => sum + amount, 0),
          0,
        )
        const tipped = tipShares(777, 777, order.policy)
        if (lost)
          t.deepEqual([0 - (balance['tax:de'] ?? 0), 0 - (balance['clearing:usr_s'] ?? 0)], [tipped.tax, tipped.seller])
        t.deepEqual(order.policy, frozen(set, { category: 'design', level: 'new' }))
      },
    ),
    { numRuns: 300 },
  )
})
