import test from 'ava'
import fc from 'fast-check'
import type { Posting } from './contract.ts'
import {
  charged,
  cleared,
  completed,
  payoutFailed,
  payoutPaid,
  payoutReturned,
  payoutSent,
  refundAccepted,
  refundSettled,
  released,
  reserved,
  transferred,
  transferReversed,
} from './contract.ts'
import { brokenLink, BEGINNING, chained } from './chain.ts'
import { balances, trialRows } from './balances.ts'
import { decideAll } from './decision.ts'
import { isSame, mistakeOf, overdrawn } from './posting.ts'

const usd = (amount: number) => ({ amount, currency: 'usd' })
const at = 1
const ofOrder = { order: 'ord_1', at }
const ofRefund = { ...ofOrder, refund: 'ord_1-refund-1', amount: usd(10_550) }
const ofPayout = { payout: 'po_1', seller: 'usr_s', amount: usd(8000), at }

const built: [string, Posting, Record<string, number>][] = [
  [
    'a charge is held, its fee is ours',
    charged({ ...ofOrder, payment: 'pi_1', amount: usd(10_550), fee: usd(183) }),
    { psp: 10_367, 'exp:psp_fee': 183, 'escrow:ord_1': -10_550 },
  ],
  [
    'a completed order is shared out',
    completed({ ...ofOrder, seller: 'usr_s', currency: 'usd', subtotal: 10_000, serviceFee: 550, commission: 2000 }),
    { 'escrow:ord_1': 10_550, 'clearing:usr_s': -8000, 'rev:commission': -2000, 'rev:service_fee': -550 },
  ],
  [
    'a refund waits for the provider',
    refundAccepted(ofRefund),
    { 'escrow:ord_1': 10_550, 'refund_pending:ord_1-refund-1': -10_550 },
  ],
  ['a refund leaves the provider', refundSettled(ofRefund), { 'refund_pending:ord_1-refund-1': 10_550, psp: -10_550 }],
  [
    'cleared money is available',
    cleared({ ...ofOrder, seller: 'usr_s', amount: usd(8000) }),
    { 'clearing:usr_s': 8000, 'available:usr_s': -8000 },
  ],
  ['a payout is reserved', reserved(ofPayout), { 'available:usr_s': 8000, 'in_payout:usr_s': -8000 }],
  ['a payout that never left is released', released(ofPayout), { 'in_payout:usr_s': 8000, 'available:usr_s': -8000 }],
  ["a transfer is on the seller's account", transferred(ofPayout), { 'connected:usr_s': 8000, psp: -8000 }],
  ['a payout travels to the bank', payoutSent(ofPayout), { 'transit:po_1': 8000, 'connected:usr_s': -8000 }],
  ['a payout has arrived', payoutPaid(ofPayout), { 'in_payout:usr_s': 8000, 'transit:po_1': -8000 }],
  [
    'a failed payout is available again',
    payoutFailed(ofPayout),
    { 'connected:usr_s': 8000, 'in_payout:usr_s': 8000, 'transit:po_1': -8000, 'available:usr_s': -8000 },
  ],
  [
    'a returned payout is available again',
    payoutReturned(ofPayout),
    { 'connected:usr_s': 8000, 'available:usr_s': -8000 },
  ],
  ["a reversed transfer is the platform's again", transferReversed(ofPayout), { psp: 8000, 'connected:usr_s': -8000 }],
]

for (const [title, posting, legs] of built)
  test(`${title}, to the cent`, (t) => {
    t.deepEqual(Object.fromEntries(posting.legs.map(({ account, amount }) => [account, amount])), legs)
    t.is(mistakeOf(posting), null)
  })

test('every path of an order and a payout ends with nothing left between', (t) => {
  const paths = {
    'paid out': [0, 1, 4, 5, 7, 8, 9],
    refunded: [0, 2, 3],
    'transfer refused': [0, 1, 4, 5, 6],
    'bank refused': [0, 1, 4, 5, 7, 8, 10, 12],
    'bank returned': [0, 1, 4, 5, 7, 8, 9, 11, 12],
  }
  for (const [name, path] of Object.entries(paths)) {
    const book = balances()
    for (const step of path) {
      const posting = built[step]![1]
      t.is(overdrawn(posting, book.of), null, `${name}: ${posting.kind}`)
      book.apply(posting.legs)
      t.is(
        trialRows(book).reduce((sum, { balance }) => sum + balance.amount, 0),
        0,
      )
    }
    const open = book
      .all()
      .map(([account]) => account)
      .filter((account) => !/^(psp|exp:|rev:|available:)/.test(account))
    t.deepEqual(open, [], name)
  }
})

test('legs that do not balance, strange accounts and broken amounts are mistakes', (t) => {
  const good = built[0]![1]
  const legs = (change: (leg: Posting['legs'][number]) => Partial<Posting['legs'][number]>) => ({
    ...good,
    legs: good.legs.map((leg) => ({ ...leg, ...change(leg) })),
  })
  t.regex(mistakeOf(legs(({ account, amount }) => (account === 'psp' ? { amount: amount + 1 } : {})))!, /sum to 1/)
  t.regex(mistakeOf(legs(({ account }) => (account === 'psp' ? { currency: 'eur' } : {})))!, /sum to/)
  t.regex(mistakeOf(legs(({ account }) => (account === 'psp' ? { account: 'bank' } : {})))!, /no account/)
  t.regex(mistakeOf(legs(({ account }) => (account === 'psp' ? { account: 'clearing:usr_s' } : {})))!, /does not touch/)
  t.regex(mistakeOf(legs(({ account }) => (account.startsWith('escrow') ? { account: 'escrow' } : {})))!, /owner/)
  t.regex(mistakeOf(legs(({ amount }) => ({ amount: amount + 0.5 })))!, /whole/)
  t.regex(mistakeOf({ ...good, kind: 'gift' })!, /no kind/)
  t.regex(mistakeOf({ ...good, guard: ['available:usr_s'] })!, /guarded/)
})

test('no reserve overdraws, however postings are mixed and repeated', (t) => {
  const seller = fc.constantFrom('usr_a', 'usr_b')
  const amount = fc.integer({ min: 1, max: 5000 })
  const step = fc.record({
    id: fc.integer({ min: 1, max: 30 }),
    kind: fc.constantFrom('earn', 'reserve'),
    seller,
    amount,
  })
  fc.assert(
    fc.property(fc.array(fc.array(step, { minLength: 1, maxLength: 5 }), { maxLength: 20 }), (batches) => {
      const book = balances()
      const known = new Map<string, Posting>()
      for (const batch of batches) {
        const postings = batch.flatMap(({ id, kind, seller, amount }) =>
          kind === 'reserve'
            ? [reserved({ payout: `po_${id}`, seller, amount: usd(amount), at })]
            : [
                charged({ order: `ord_${id}`, payment: 'pi', amount: usd(amount), fee: usd(0), at }),
                completed({
                  order: `ord_${id}`,
                  seller,
                  currency: 'usd',
                  subtotal: amount,
                  serviceFee: 0,
                  commission: 0,
                  at,
                }),
                cleared({ order: `ord_${id}`, seller, amount: usd(amount), at }),
              ],
        )
        const requests = postings.map((posting) => [posting])
        const { accepted } = decideAll(requests, book, known as never)
        for (const posting of accepted) {
          if (known.has(posting.id)) return false
          known.set(posting.id, posting)
          book.apply(posting.legs)
        }
        if (book.all().some(([account, sums]) => /^(available|escrow|clearing)/.test(account) && sums.usd! > 0))
          return false
      }
      return true
    }),
  )
  t.pass()
})

test('a changed, missing or added entry breaks the chain where it is', (t) => {
  const entries = chained(
    BEGINNING,
    built.map(([, posting]) => posting),
  )
  t.is(brokenLink(BEGINNING, entries), null)
  const changed = entries.with(3, { ...entries[3]!, at: 2 })
  t.regex(brokenLink(BEGINNING, changed)!, /entry 4 .* is not what it was/)
  t.regex(brokenLink(BEGINNING, entries.toSpliced(3, 1))!, /entry 4 is missing/)
  const rehashed = chained({ seq: 3, hash: entries[2]!.hash }, [{ ...built[3]![1], at: 2 }])
  t.regex(brokenLink(BEGINNING, entries.with(3, rehashed[0]!))!, /entry 5/)
})

test('the same id with other legs is another posting, made at another time it is the same', (t) => {
  const [, posting] = built[0]!
  t.true(isSame(posting, { ...posting, at: 99 }))
  t.false(isSame(posting, charged({ ...ofOrder, payment: 'pi_1', amount: usd(10_551), fee: usd(183) })))
})
