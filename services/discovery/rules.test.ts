import test from 'ava'
import fc from 'fast-check'
import { refusal } from '../errors.ts'
import { DAYS_MAX, SAVED_MAX, type Told } from './contract.ts'
import { funnelOf, withFare, withOrder, type FunnelDoc } from './funnel.ts'
import { answered, changed, kept, nameOf, OVERLAP_MS, removed, TOLD_MAX, wake, type SavedDoc } from './saved.ts'
import { GIGS_COUNTED_MAX, tally } from './tally.ts'
import { countable, counted, dayBucket, daysBefore, report, shown, TEXTS_MAX, type TextsDoc } from './texts.ts'

const HOUR = 3_600_000
const NOW = Date.parse('2026-03-10T12:00:00.000Z')
const keeping = (id: string, q: string, alert: 'off' | 'hourly' | 'daily' = 'hourly') => ({
  id,
  name: q,
  query: { q },
  alert,
})
const one = (alert: 'off' | 'hourly' | 'daily' = 'hourly'): SavedDoc =>
  kept(null, 'usr_1', keeping('svs_1', 'owl', alert), NOW).next!
const gig = (id: string, listedAt: number) => ({ id, title: id, listedAt })
const tellings = (say: readonly unknown[] | undefined) =>
  (say as { data: { gigs: { id: string }[]; total: number } }[] | undefined)?.map(({ data }) => [
    data.total,
    data.gigs.map(({ id }) => id),
  ])

test('a saved search is asked when its time has come, and told of what was listed since, once', (t) => {
  const saved = one()
  t.is(saved.wakeAt, NOW + HOUR)
  const woken = wake(saved, NOW + HOUR)
  t.deepEqual(woken.say, [{ name: 'discovery.due', data: { user: 'usr_1', saved: 'svs_1' } }])
  const found = [gig('new', NOW + HOUR / 2), gig('old', NOW - 1)]
  const first = answered(woken.next!, 'svs_1', found, NOW + HOUR)
  t.deepEqual(tellings(first.say), [[1, ['new']]])
  t.is(first.next!.wakeAt, NOW + 2 * HOUR)
  const again = answered(first.next!, 'svs_1', found, NOW + HOUR)
  t.deepEqual([again.say, again.result], [[], 0])
})

test('a gig that the index showed late is told of in the next look, not left out', (t) => {
  const first = answered(one(), 'svs_1', [gig('a', NOW + 1000)], NOW + HOUR).next!
  const late = gig('late', NOW + HOUR - OVERLAP_MS / 2)
  t.deepEqual(tellings(answered(first, 'svs_1', [late, gig('a', NOW + 1000)], NOW + 2 * HOUR).say), [[1, ['late']]])
})

test('whenever gigs are listed and looks come, each is told of once and none from before it was wanted', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -5, max: 300 }), { maxLength: 40 }),
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 40, maxLength: 40 }),
      (minutes, lags) => {
        let doc = one()
        const told: string[] = []
        const listed = minutes.map((minute, at) => ({
          ...gig(`g${at}`, NOW + minute * 60_000),
          lag: lags[at]! * 60_000,
        }))
        for (let look = 1; look <= 6; look++) {
          const at = NOW + look * HOUR
          const visible = listed.filter((each) => each.listedAt + each.lag <= at)
          const { next, say = [] } = answered(doc, 'svs_1', visible, at)
          doc = next!
          if (say.length > 0) told.push(...doc.searches[0]!.told.slice(-(say[0]!.data as { total: number }).total))
        }
        const wanted = listed.filter((each) => each.listedAt > NOW).map(({ id }) => id)
        return told.length === new Set(told).size && told.toSorted().join() === wanted.toSorted().join()
      },
    ),
    { numRuns: 200 },
  )
  t.true(TOLD_MAX >= 300)
  t.pass()
})

test('a search that tells nothing is never asked; told again, it is news from then on', (t) => {
  const quiet = one('off')
  t.is(quiet.wakeAt, null)
  t.is(answered(quiet, 'svs_1', [gig('x', NOW + 1)], NOW + HOUR).result, 0)
  const loud = changed(quiet, 'svs_1', { alert: 'daily' }, NOW + HOUR).next!
  t.is(loud.wakeAt, NOW + 25 * HOUR)
  t.is(answered(loud, 'svs_1', [gig('x', NOW + 1)], NOW + 25 * HOUR).result, 0)
  t.is(answered(loud, 'svs_1', [gig('y', NOW + 2 * HOUR)], NOW + 25 * HOUR).result, 1)
})

test('the same search is kept once, a person keeps so many, and what is removed is gone', (t) => {
  const same = kept(one(), 'usr_1', keeping('svs_2', 'owl'), NOW)
  t.deepEqual([same.next, same.result.id], [undefined, 'svs_1'])
  let doc: SavedDoc | null = null
  for (let at = 0; at < SAVED_MAX; at++) doc = kept(doc, 'usr_1', keeping(`s${at}`, `q${at}`), NOW).next!
  t.is(refusal(t.throws(() => kept(doc, 'usr_1', keeping('more', 'more'), NOW)))?.code, 'conflict')
  const without = removed(doc, 's3').next!
  t.is(without.searches.length, SAVED_MAX - 1)
  t.is(refusal(t.throws(() => removed(without, 's3')))?.code, 'not_found')
  t.is(nameOf({ q: ' owl ', category: 'design', maxPrice: 900 }), 'owl, design, 900')
  t.is(nameOf({}), 'All gigs')
})

const told = (text: string, asked: number, nothing = 0, loosened = 0): Told => ({ text, asked, nothing, loosened })
const bucket = (id: string, ...texts: Told[]): TextsDoc => counted(null, { id, until: NOW }, texts)

test('what is asked today far more than usually is rising; what many ask all week is popular', (t) => {
  const usual = daysBefore(NOW, 7).map((day) => bucket(day, told('logo', 100), told('voice over', 40)))
  const today = bucket('2026-03-10T11', told('logo', 100), told('mother day card', 30), told('once', 1))
  t.deepEqual(shown([today], usual), [
    { text: 'logo', kind: 'popular' },
    { text: 'voice over', kind: 'popular' },
    { text: 'mother day card', kind: 'trending' },
  ])
})

test('nothing that finds nothing, or that few asked, is shown to people', (t) => {
  const day = bucket('2026-03-10', told('flying pigs', 50, 50), told('my secret', 4))
  t.deepEqual(shown([day], [day]), [])
})

test('the report has what found nothing first, and the day it was last asked', (t) => {
  const days = [
    bucket('2026-03-09', told('flying pigs', 5, 5), told('logo', 9)),
    bucket('2026-03-10', told('flying pigs', 2, 2), told('owl drawn by bears', 9, 0, 9)),
  ]
  t.deepEqual(report(days), {
    data: [
      { text: 'flying pigs', asked: 7, nothing: 7, loosened: 0, lastDay: '2026-03-10' },
      { text: 'owl drawn by bears', asked: 9, nothing: 0, loosened: 9, lastDay: '2026-03-10' },
    ],
    total: { asked: 25, nothing: 7, loosened: 9 },
  })
})

test('addresses and numbers of people are not kept as searches', (t) => {
  t.is(countable('  Logo  Design '), 'logo design')
  for (const text of ['ann@example.com', 'call +1 555 010 9999', 'x', 'y'.repeat(61)]) t.is(countable(text), null)
})

test('a bucket stays within its bound and keeps what is asked most', (t) => {
  const many = Array.from({ length: TEXTS_MAX }, (_, at) => told(`text ${at}`, 1))
  const full = counted(null, dayBucket(NOW), [...many, told('often', 10)])
  t.true(Object.keys(full.texts).length <= TEXTS_MAX)
  t.is(full.texts.often!.asked, 10)
})

test('a gig’s days are counted by the day, orders once, and old days leave', (t) => {
  let doc: FunnelDoc | null = withFare(null, 'g', { impressions: 3, clicks: 1 }, NOW)
  doc = withOrder(doc, 'g', 'ord_1', NOW)
  t.is(withOrder(doc, 'g', 'ord_1', NOW), null)
  doc = withFare(doc, 'g', { impressions: 1 }, NOW + 24 * HOUR)
  const { data, total } = funnelOf(doc, 2, NOW + 24 * HOUR)
  t.deepEqual(data, [
    { day: '2026-03-10', impressions: 3, clicks: 1, orders: 1 },
    { day: '2026-03-11', impressions: 1, clicks: 0, orders: 0 },
  ])
  t.deepEqual(total, { impressions: 4, clicks: 1, orders: 1 })
  const later = withFare(doc, 'g', { clicks: 1 }, NOW + (DAYS_MAX + 5) * 24 * HOUR)
  t.is(Object.keys(later.days).length, 1)
})

test('a visitor counts once an hour, and counts that were put back are not lost', (t) => {
  const seen = tally()
  const click = [{ kind: 'click' as const, gig: 'g' }]
  t.is(seen.add([...click, ...click, { kind: 'impression', gig: 'g' }], 'v:1', NOW), 2)
  t.is(seen.add(click, 'v:1', NOW + 1000), 0)
  t.is(seen.add(click, 'v:2', NOW), 1)
  t.is(seen.add(click, 'v:1', NOW + HOUR), 1)
  const taken = seen.take()
  t.deepEqual([...taken], [['g', { impressions: 1, clicks: 3 }]])
  t.is(seen.take().size, 0)
  for (const [id, fare] of taken) seen.putBack(id, fare)
  t.deepEqual([...seen.take()], [['g', { impressions: 1, clicks: 3 }]])
})

test('sightings of more gigs than can be counted are left out, not kept', (t) => {
  const seen = tally()
  const many = Array.from({ length: GIGS_COUNTED_MAX + 10 }, (_, at) => ({ kind: 'click' as const, gig: `g${at}` }))
  t.is(seen.add(many, null, NOW), GIGS_COUNTED_MAX)
})
