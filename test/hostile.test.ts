// Searches that nobody means well with, over public HTTP on both listeners: each is answered or refused as a bad question.
import test from 'ava'
import fc from 'fast-check'
import { headBytesMax } from '../adapters/listener/framing.ts'
import { FACETS } from '../services/search/query.ts'
import { startEverything, type Everything } from './everything.ts'

const TEXTS = [
  'x'.repeat(10_240),
  'word '.repeat(2048),
  '🙂'.repeat(800),
  '\u202eolleh שלום مرحبا',
  '\0\u0001\u0007\u001b[31m',
  'a AND (b OR NOT c) NEAR/3 d*',
  '"unclosed',
  '(a+)+$',
  '.*(+?^${}[]|\\',
  'title:plain id = "x" OR id != "x"',
  "'; drop table gigs; --",
  '{"$ne": null}',
  '<script>alert(1)</script>',
  '%00%ff',
  'constructor',
  '__proto__',
  '-',
  '*',
  '  ',
  '設'.repeat(300),
  'ﷺ'.repeat(200),
  'a\u0300'.repeat(90),
  'logo '.repeat(40),
]
const many = (count: number, value: (at: number) => string) =>
  Array.from({ length: count }, (_, at) => value(at)).join(',')

/** Raw query strings: also what no well-made client can write. */
const QUESTIONS: Readonly<Record<string, string>> = {
  'two hundred tags': `tags=${many(200, (at) => `tag${at}`)}`,
  'two hundred filters of their own': Array.from({ length: 200 }, (_, at) => `filter${at}=x`).join('&'),
  'one filter two hundred times': Array.from({ length: 200 }, (_, at) => `category=c${at}`).join('&'),
  'two hundred languages': `language=${many(200, () => 'en')}`,
  'two hundred facets': `facets=${many(200, () => 'price')}`,
  'a price that is no number': 'minPrice=1e999&maxPrice=NaN',
  'a price beyond all': 'minPrice=9007199254740993&maxPrice=99999999999999999999',
  'a page of everything': 'limit=100000000',
  'a page of less than nothing': 'limit=-1',
  'an unknown sort': 'sort=constructor',
  'half a character': 'q=%ff%fe',
  'a cut escape': 'q=%',
  'a lone surrogate': 'q=%ed%a0%80',
  'a nul': 'q=%00&category=%00',
  'an object': 'q[$gt]=&category[]=x',
  'a cursor of ours, bent': `cursor=${Buffer.from('["x","id",[],1,2,3,4,5,6,7,8]').toString('base64url')}`,
  'a cursor of another kind': `cursor=${Buffer.from('{"__proto__":{"x":1}}').toString('base64url')}`,
  'a cursor without an end': `cursor=${'A'.repeat(5000)}`,
  'an empty cursor': 'cursor=',
}

const PATHS = ['/v1/gigs', '/v1/search/suggest']

/** An address that is too long is refused before it is looked at; ten thousand plain letters are not too long. */
const allowed = (path: string): readonly number[] => (path.length > headBytesMax - 1000 ? [200, 400, 431] : [200, 400])

for (const listener of ['node', 'uws'])
  test.serial(`no question to search breaks it, over the listener ${listener}`, async (t) => {
    t.timeout(120_000)
    const market = await startEverything({ LISTENER: listener })
    t.teardown(market.stop)
    const ask = asking(market)
    for (const path of PATHS) {
      for (const text of TEXTS) {
        const q = `${path}?q=${encodeURIComponent(text.toWellFormed())}`
        for (const asked of [q, `${q}&highlight=true&loosen=filters`, `${q}&facets=${FACETS.join()}`]) {
          const status = await ask(asked)
          t.true(allowed(asked).includes(status), `${status} for ${text.slice(0, 40)}`)
        }
      }
      for (const [what, query] of Object.entries(QUESTIONS)) {
        const status = await ask(`${path}?${query}`)
        t.true(status === 200 || status === 400, `${status} for ${what}`)
      }
    }
    t.is(await ask('/v1/gigs?q=logo'), 200)
    t.is(await ask(`/v1/gigs?q=${'x'.repeat(10_240)}`), 200)
    t.is(await ask(`/v1/gigs?tags=${many(20, (at) => `tag${at}`)}`), 200)
    t.is(await ask(`/v1/gigs?tags=${many(21, (at) => `tag${at}`)}`), 400)
    t.is(await ask('/v1/gigs?cursor=forged'), 400)
  })

test.serial('whatever is written behind the question mark is answered or refused', async (t) => {
  t.timeout(120_000)
  const market = await startEverything()
  t.teardown(market.stop)
  const ask = asking(market)
  const names = fc.constantFrom(
    'q',
    'category',
    'tags',
    'minPrice',
    'maxPrice',
    'minRating',
    'sort',
    'facets',
    'limit',
    'cursor',
    'language',
  )
  const value = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 100 }),
    fc.integer().map(String),
    fc.double().map(String),
  )
  const query = fc.array(fc.tuple(names, value), { maxLength: 6 })
  await fc.assert(
    fc.asyncProperty(query, async (pairs) => {
      const text = pairs.map(([name, given]) => `${name}=${encodeURIComponent(given.toWellFormed())}`).join('&')
      const status = await ask(`/v1/gigs?${text}`)
      t.true(status === 200 || status === 400, `${status} for ${text}`)
    }),
    { numRuns: 300, endOnFailure: true },
  )
})

/** The status; the gateway's own deadline of a request is 15 s, so that what hangs fails here, too. */
const asking =
  ({ url }: Everything) =>
  async (path: string): Promise<number> => {
    const response = await fetch(url + path, { signal: AbortSignal.timeout(20_000) })
    await response.text()
    return response.status
  }
