// The embedded engine under a generated corpus: node bench/engine.ts --gigs 100000 [--queries 1000]
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import { openEmbeddedEngine } from '../adapters/engine/embedded.ts'
import type { IndexedGig, SearchQuery } from '../adapters/engine/index.ts'

const { values } = parseArgs({
  options: {
    gigs: { type: 'string', default: '20000' },
    queries: { type: 'string', default: '1000' },
    batch: { type: 'string', default: '1000' },
  },
})
const gigCount = Number(values.gigs)
const queryCount = Number(values.queries)
const CATEGORIES = 12
const SUBCATEGORIES = 10
const TOPICS = (
  'logo website video voice illustration animation translation resume podcast marketing shopify wordpress ' +
  'python react mobile backend database trading fitness nutrition wedding portrait photography editing proofreading ' +
  'ghostwriting copywriting branding packaging architecture interior garden music mixing mastering guitar piano violin lesson'
).split(' ')
const SYLLABLES = 'ba ce di fo gu ka le mi no pu ra se ti vo wu xa ye zi lo ma ne ri so tu va pe'.split(' ')
const LEVELS = ['new', 'one', 'two', 'top']
const LANGUAGES = ['en', 'de', 'fr', 'es', 'pt', 'hi', 'ur', 'zh']
const FACETS = ['category', 'subcategory', 'sellerLevel', 'language', 'price'] as const

const random = seeded(7)
const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!
// The rarer a word the longer its number; about as skewed as prose is.
const word = () => wordOf(Math.floor(40_000 ** random()))
const NOW = Date.now()

const dir = await mkdtemp(join(tmpdir(), 'engine-bench-'))
const log = { info() {}, warn: console.warn, error: console.error }
let engine = await openEmbeddedEngine({ dir, log })
try {
  await build()
  await reopen()
  for (const [name, make] of Object.entries(classes())) await measure(name, make)
  await measureConcurrently()
  await measureUpdates()
} finally {
  await engine.close()
  await rm(dir, { recursive: true })
}

async function build() {
  const startedAt = performance.now()
  const delay = watchDelay()
  let makingMs = 0
  for (let from = 0; from < gigCount; from += Number(values.batch)) {
    const makingSince = performance.now()
    const gigs = Array.from({ length: Math.min(Number(values.batch), gigCount - from) }, (_, at) => gigOf(from + at))
    makingMs += performance.now() - makingSince
    await engine.upsert(gigs)
  }
  const indexedMs = performance.now() - startedAt - makingMs
  await engine.flush()
  const stats = await engine.stats()
  const flushedMs = performance.now() - startedAt - makingMs
  print('build', {
    gigs: stats.gigs,
    seconds: indexedMs / 1000,
    flushedSeconds: flushedMs / 1000,
    indexMb: stats.bytes / 2 ** 20,
    rssMb: rssMb(),
    mainLoopDelayMs: delay(),
  })
}

function rssMb(): number {
  return process.memoryUsage.rss() / 2 ** 20
}

async function reopen() {
  await engine.close()
  const startedAt = performance.now()
  engine = await openEmbeddedEngine({ dir, log })
  print('reopen', { ms: performance.now() - startedAt, gigs: (await engine.stats()).gigs, rssMb: rssMb() })
}

function classes(): Record<string, () => Promise<SearchQuery>> {
  return {
    'text + 2 filters + facets + sort': async () => ({
      q: `${pick(TOPICS)} ${pick(TOPICS)}`,
      filter: { maxPrice: 5000 + Math.floor(random() * 40_000), deliveryDays: 7 },
      facets: FACETS,
      sort: pick(['price', 'rating', 'relevance'] as const),
    }),
    'category browse + facets': async () => ({
      filter: { category: `category-${Math.floor(random() * CATEGORIES)}` },
      facets: FACETS,
    }),
    'everything + facets': async () => ({ facets: FACETS }),
    'typo or prefix': async () => ({ q: random() < 0.5 ? misspelt(pick(TOPICS)) : pick(TOPICS).slice(0, 3) }),
    'two letters': async () => ({ q: pick(TOPICS).slice(0, 2), facets: FACETS }),
    'newest, deep page': deepPage(),
  }
}

/** Continues one walk through everything, newest first, starting over at its end. */
function deepPage(): () => Promise<SearchQuery> {
  let cursor: string | null = null
  return async () => {
    cursor = (await engine.search({ sort: 'newest', limit: 100, cursor })).nextCursor
    return { sort: 'newest', limit: 20, cursor }
  }
}

async function measure(name: string, make: () => Promise<SearchQuery>) {
  const waited: number[] = []
  const worked: number[] = []
  let hits = 0
  const delay = watchDelay()
  for (let at = 0; at < queryCount; at++) {
    const query = await make()
    const startedAt = performance.now()
    const result = await engine.search(query)
    waited.push(performance.now() - startedAt)
    worked.push(result.tookMs)
    hits += result.total
  }
  const meanTotal = hits / queryCount
  print(name, { ...quantiles(waited), inWorker: quantiles(worked), meanTotal, mainLoopDelayMs: delay() })
}

async function measureConcurrently() {
  const { 'text + 2 filters + facets + sort': make } = classes()
  const waited: number[] = []
  const delay = watchDelay()
  const startedAt = performance.now()
  await Promise.all(
    Array.from({ length: 16 }, async () => {
      for (let at = 0; at < queryCount / 16; at++) {
        const query = await make!()
        const askedAt = performance.now()
        await engine.search(query)
        waited.push(performance.now() - askedAt)
      }
    }),
  )
  const seconds = (performance.now() - startedAt) / 1000
  print('text, 16 in flight', { ...quantiles(waited), perSecond: waited.length / seconds, mainLoopDelayMs: delay() })
}

async function measureUpdates() {
  const waited: number[] = []
  for (let at = 0; at < 300; at++) {
    const gig = { ...gigOf(Math.floor(random() * gigCount)), version: 2 + at }
    const startedAt = performance.now()
    await engine.upsert([gig])
    waited.push(performance.now() - startedAt)
  }
  const startedAt = performance.now()
  await engine.flush()
  print('one gig updated and visible', { ...quantiles(waited), flushMs: performance.now() - startedAt })
}

function gigOf(number: number): IndexedGig {
  const topic = pick(TOPICS)
  const category = Math.floor(random() * CATEGORIES)
  return {
    id: `gig_${(Math.imul(number, 2654435761) >>> 0).toString(36)}${number.toString(36)}`,
    version: 1,
    title: `I will ${word()} ${topic} ${pick(TOPICS)} ${word()} for your ${word()}`,
    description: Array.from({ length: 60 }, () => (random() < 0.05 ? pick(TOPICS) : word())).join(' '),
    tags: [topic, pick(TOPICS), word(), `${topic} ${pick(TOPICS)}`],
    category: `category-${category}`,
    subcategory: `subcategory-${category}-${Math.floor(random() * SUBCATEGORIES)}`,
    sellerId: `seller_${Math.floor(random() * gigCount * 0.3)}`,
    sellerName: word(),
    sellerLevel: pick(LEVELS),
    languages: [pick(LANGUAGES), pick(LANGUAGES)],
    price: 500 + Math.floor(10 ** (2 + random() * 3)),
    currency: 'USD',
    deliveryDays: 1 + Math.floor(random() * 30),
    rating: random() < 0.3 ? 0 : Math.round((3 + random() * 2) * 10) / 10,
    reviewCount: Math.floor(1000 ** random()) - 1,
    orderCount: Math.floor(3000 ** random()) - 1,
    createdAt: NOW - Math.floor(random() * 1000 * 24 * 3600 * 1000),
    quality: random(),
  }
}

function wordOf(number: number): string {
  let text = ''
  for (let rest = number + SYLLABLES.length; rest > 0; rest = Math.floor(rest / SYLLABLES.length)) {
    text += SYLLABLES[rest % SYLLABLES.length]
  }
  return text
}

function misspelt(text: string): string {
  const at = 1 + Math.floor(random() * (text.length - 2))
  return text.slice(0, at) + text[at + 1] + text[at] + text.slice(at + 2)
}

function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

function watchDelay(): () => { p50: number; p99: number; max: number } {
  const histogram = monitorEventLoopDelay({ resolution: 1 })
  histogram.enable()
  return () => {
    histogram.disable()
    return { p50: histogram.percentile(50) / 1e6, p99: histogram.percentile(99) / 1e6, max: histogram.max / 1e6 }
  }
}

function quantiles(samples: readonly number[]): { p50: number; p99: number } {
  const sorted = samples.toSorted((left, right) => left - right)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
  return { p50: at(0.5), p99: at(0.99) }
}

function print(name: string, figures: object) {
  const round = (value: unknown) => (typeof value === 'number' ? Math.round(value * 100) / 100 : value)
  const rounded = JSON.stringify(figures, (_, value: unknown) => round(value))
  console.log(name.padEnd(36), rounded.replace(/[{}"]/g, '').replace(/,/g, ', '))
}
