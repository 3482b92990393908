import test from 'ava'
import fc from 'fast-check'
import { isRefused } from '../errors.ts'
import type { Agreement } from '../order/contract.ts'
import { EXPIRES_AFTER_MS, EXPIRES_AFTER_MS_MAX, type OfferStatus } from './contract.ts'
import { accepted, ended, expired, made, publicOffer, statusAt, type OfferDoc, type Turn } from './offer.ts'
import { actionsOf, leadsTo, steps, type StepName } from './process.ts'
import { termsOf, type Given } from './terms.ts'

const START = 1_800_000_000_000
const usd = (amount: number) => ({ amount, currency: 'usd' })
const person = (name: string) => ({ id: `usr_${name}`, username: name, displayName: name })
const [seller, buyer] = [person('s'), person('b')]
const given: Given = { title: 'Ten maps', price: usd(40_000), deliveryDays: 9, revisions: 2 }
const basic = { title: 'One', description: 'One', price: usd(5000), deliveryDays: 2, revisions: 1, features: [] }
const terms = (changes: Partial<Given> = {}) => termsOf({ ...given, ...changes }, { packages: { basic } }, START)
const making = { id: 'off_1', conversation: 'cnv_1', gig: { id: 'gig_1', title: 'Maps' }, seller, buyer }
const open = (): OfferDoc => made(null, making, terms(), 0, START).next!
const agreed = { order: 'ord_1', offer: 'off_1' } as Agreement
const STATUSES: readonly OfferStatus[] = ['open', 'accepted', 'declined', 'withdrawn', 'expired']

test('an offer is open until one thing happens to it, and nothing happens to it afterwards', (t) => {
  for (const [name, { from, to }] of Object.entries(steps)) {
    t.is(leadsTo(name as StepName, null), from === null ? to : null, `${name} from nothing`)
    for (const status of STATUSES)
      t.is(leadsTo(name as StepName, status), from === status ? to : null, `${name} from ${status}`)
  }
  for (const status of STATUSES.filter((one) => one !== 'open'))
    t.true(
      Object.values(steps).every(({ from }) => (from as string | null) !== status),
      status,
    )
  t.deepEqual(actionsOf('buyer', 'open'), ['accept', 'decline'])
  t.deepEqual(actionsOf('seller', 'open'), ['withdraw'])
  t.deepEqual(actionsOf('buyer', 'expired'), [])
})

test('whatever is asked in whatever order, an offer ends once, and says each of its statuses once', (t) => {
  const asks: ((offer: OfferDoc, now: number) => Turn)[] = [
    (offer, now) => accepted(offer, buyer.id, agreed, now),
    (offer, now) => ended(offer, buyer.id, 'declined', now),
    (offer, now) => ended(offer, seller.id, 'withdrawn', now),
    // The clock asks only whom it has a timer with.
    (offer, now) => (offer.wakeAt !== null && now >= offer.wakeAt! ? expired(offer) : { result: offer }),
  ]
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(asks.length - 1), fc.nat(6)), { maxLength: 12 }), (script) => {
      let offer = open()
      let now = START
      const said = ['open']
      for (const [which, days] of script) {
        now += days * 86_400_000
        const turn = attempt(() => asks[which]!(offer, now))
        if (!turn?.next) continue
        t.is(offer.status, 'open')
        t.true(now < offer.expiresAt || turn.next.status === 'expired')
        said.push(...(turn.say ?? []).flatMap((one) => (one.name === 'offer.changed' ? [one.data.card.status] : [])))
        offer = turn.next
      }
      t.deepEqual(said, offer.status === 'open' ? ['open'] : ['open', offer.status])
      t.is(offer.slot === null, offer.status !== 'open')
      t.is(offer.wakeAt === null, offer.status !== 'open')
      t.is(offer.agreed !== null, offer.status === 'accepted')
    }),
  )
})

const attempt = (ask: () => Turn): Turn | null => {
  try {
    return ask()
  } catch (error) {
    if (isRefused(error, 'invalid_transition')) return null
    throw error
  }
}
const codeOf = (ask: () => unknown) => {
  try {
    ask()
    return 'no refusal'
  } catch (error) {
    return (error as { type: string }).type
  }
}

test('strangers find no offer, the wrong party is told whose it is to do, and too late is too late', (t) => {
  const now = START + 1000
  t.is(
    codeOf(() => accepted(open(), 'usr_eve', agreed, now)),
    'not_found',
  )
  t.is(
    codeOf(() => ended(null, buyer.id, 'declined', now)),
    'not_found',
  )
  t.is(
    codeOf(() => accepted(open(), seller.id, agreed, now)),
    'forbidden',
  )
  t.is(
    codeOf(() => ended(open(), seller.id, 'declined', now)),
    'forbidden',
  )
  t.is(
    codeOf(() => ended(open(), buyer.id, 'withdrawn', now)),
    'forbidden',
  )
  t.is(
    codeOf(() => accepted(open(), buyer.id, agreed, START + EXPIRES_AFTER_MS - 1)),
    'no refusal',
  )
  t.is(
    codeOf(() => accepted(open(), buyer.id, agreed, START + EXPIRES_AFTER_MS)),
    'invalid_transition',
  )
  t.is(statusAt(open(), START + EXPIRES_AFTER_MS), 'expired')
  t.deepEqual(publicOffer(open(), buyer.id, START + EXPIRES_AFTER_MS).allowedActions, [])
})

test('an offer accepted twice keeps the order of the first time, and a command asked again changes nothing', (t) => {
  const once = accepted(open(), buyer.id, agreed, START, 'first').next!
  const again = accepted(once, buyer.id, { ...agreed, order: 'ord_2' }, START + 1, 'second')
  t.is(again.next, undefined)
  t.is(again.result.agreed!.order, 'ord_1')
  const gone = ended(open(), seller.id, 'withdrawn', START, 'first').next!
  t.is(ended(gone, seller.id, 'withdrawn', START, 'first').next, undefined)
  t.is(
    codeOf(() => ended(gone, seller.id, 'withdrawn', START, 'second')),
    'invalid_transition',
  )
})

test("an offer has words, the gig's currency and an end that is still to come", (t) => {
  const at = (ms: number) => new Date(START + ms).toISOString()
  t.is(terms().expiresAt, START + EXPIRES_AFTER_MS)
  t.is(terms({ expiresAt: at(1) }).expiresAt, START + 1)
  t.is(terms({ title: '  Ten maps ' }).title, 'Ten maps')
  t.is(terms({ expiresAt: at(EXPIRES_AFTER_MS_MAX) }).expiresAt, START + EXPIRES_AFTER_MS_MAX)
  const wrong: [Partial<Given>, string][] = [
    [{ title: '   ' }, 'title'],
    [{ title: 'two\nlines' }, 'title'],
    [{ title: 'turned \u202e around' }, 'title'],
    [{ description: ' ' }, 'description'],
    [{ description: 'Write to sam@maps.example instead.' }, 'description'],
    [{ price: { amount: 5000, currency: 'eur' } }, 'price.currency'],
    [{ expiresAt: at(0) }, 'expiresAt'],
    [{ expiresAt: at(EXPIRES_AFTER_MS_MAX + 1) }, 'expiresAt'],
    [{ expiresAt: 'tomorrow' }, 'expiresAt'],
    [{ expiresAt: '2027-99-99T00:00:00Z' }, 'expiresAt'],
  ]
  for (const [changes, path] of wrong) {
    const error = t.throws(() => terms(changes)) as Error & { data: { errors: { path: string }[] } }
    t.deepEqual(
      error.data.errors.map((one) => one.path),
      [path],
      JSON.stringify(changes),
    )
  }
})
