import ava, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import { Meilisearch } from 'meilisearch'
import { setTimeout as sleep } from 'node:timers/promises'
import { openEmbeddedEngine } from './embedded.ts'
import {
  EngineError,
  FILTER_VALUES_MAX,
  RANKING_USUAL,
  type Engine,
  type IndexedGig,
  type SearchQuery,
  type SearchResult,
  type Tuning,
} from './index.ts'
import { openMeilisearchEngine } from './meilisearch.ts'
import { marksOf } from './marks.ts'
import { answerByHand, compareBy } from './oracle.ts'
import { found, gig, idsOf, newDir, quiet, randomGig, randomQuery, randomSynonyms, walk } from './sample.ts'

/** Promises of the port that a product keeps in a way of its own; see docs/decisions/0024. */
type Own = 'forms' | 'text'
type Product = {
  /** Makes an engine that is closed with the test. */
  make: (t: ExecutionContext) => Promise<Engine>
  own: readonly Own[]
  /** Its changes wait for one server: tests one after the other, and properties tried less often. */
  isSlow: boolean
}

const { TEST_MEILI_URL: meiliUrl, TEST_MEILI_KEY: meiliKey = '' } = process.env
let numbered = 0

const until = async (isSo: () => Promise<boolean>) => {
  for (const deadline = Date.now() + 60_000; !(await isSo()) && Date.now() < deadline; await sleep(50));
}

const products: Record<string, Product> = {
  embedded: {
    make: async (t) => {
      const engine = await openEmbeddedEngine({ dir: await newDir(t), log: quiet })
      t.teardown(() => engine.close())
      return engine
    },
    own: [],
    isSlow: false,
  },
  ...(meiliUrl && {
    meilisearch: {
      make: async (t) => {
        t.timeout(280_000)
        const index = `suite_${process.pid}_${++numbered}`
        const engine = await openMeilisearchEngine({ url: meiliUrl, key: meiliKey, index, log: quiet })
        await until(() => engine.stats().then(Boolean, () => false))
        t.teardown(async () => {
          await engine.close()
          const client = new Meilisearch({ host: meiliUrl, ...(meiliKey && { apiKey: meiliKey }) })
          for (const uid of [index, `${index}_gone`]) await client.deleteIndex(uid)
        })
        return engine
      },
      own: ['forms', 'text'],
      isSlow: true,
    } satisfies Product,
  }),
}

for (const [product, { make, own, isSlow }] of Object.entries(products)) {
  const test = isSlow ? ava.serial : ava
  const keeps = (promise: Own) => !own.includes(promise)

  test(`${product}: a gig is found by words of its title, tags, category, seller and description`, async (t) => {
    const engine = await make(t)
    await engine.upsert([
      gig('a', {
        title: 'I will paint your portrait',
        tags: ['oil colours'],
        category: 'graphics-design',
        sellerName: 'Mirabel',
        description: 'On canvas.',
      }),
      gig('b', { title: 'I will sing your song', category: 'music' }),
    ])
    for (const q of ['portrait', 'colours', 'graphics', 'mirabel', 'canvas', 'PORTRAIT on canvas', 'the portrait']) {
      t.deepEqual(await found(engine, { q }), ['a'], q)
    }
    t.deepEqual(await found(engine, { q: 'will' }), ['a', 'b'])
    t.deepEqual(await found(engine, { q: '' }), ['a', 'b'])
  })

  test(`${product}: words are the same whatever their case, accents, width and script`, async (t) => {
    const engine = await make(t)
    await engine.upsert([
      gig('accents', { title: 'Café résumé naïve' }),
      gig('width', { title: 'ＬＯＧＯ ﬁnish' }),
      gig('german', { title: 'Straße' }),
      gig('chinese', { title: '专业网站设计服务' }),
      gig('japanese', { title: 'ロゴデザインを作ります' }),
      gig('russian', { title: 'Ёлка' }),
      gig('languages', { title: 'C++ and C# lessons' }),
      gig('emoji', { title: '🚀 rocket🚀ship' }),
    ])
    const expected = {
      cafe: 'accents',
      CAFÉ: 'accents',
      'cafe\u0301': 'accents',
      resume: 'accents',
      logo: 'width',
      finish: 'width',
      strasse: 'german',
      STRASSE: 'german',
      设计: 'chinese',
      网站设计: 'chinese',
      站: 'chinese',
      务: 'chinese',
      デザイン: 'japanese',
      елка: 'russian',
      'c++': 'languages',
      'c#': 'languages',
      ship: 'emoji',
    }
    for (const [q, id] of Object.entries(expected)) t.deepEqual(await found(engine, { q }), [id], q)
  })

  test(`${product}: half a word at the end finds, half a word before the end does not`, async (t) => {
    const engine = await make(t)
    await engine.upsert([gig('a', { title: 'professional photography' }), gig('b', { title: 'prose writing' })])
    t.deepEqual(await found(engine, { q: 'photogr' }), ['a'])
    t.deepEqual(await found(engine, { q: 'professional ph' }), ['a'])
    t.deepEqual(await found(engine, { q: 'pro' }), ['a', 'b'])
    t.deepEqual(await found(engine, { q: 'profess wri' }), ['b'])
  })

  const formsTest = keeps('forms') ? test : test.skip
  formsTest(`${product}: a word finds its other forms in four languages, itself first`, async (t) => {
    const engine = await make(t)
    const titles = {
      designs: 'I will make three designs for you',
      design: 'I will do your design with care for you',
      diseno: 'Voy a hacer un diseño para los que lo quieran',
      ubersetzung: 'Ich mache eine Übersetzung und das für dich',
      redaction: 'Je vais faire la rédaction de votre site pour vous',
    }
    await engine.upsert(Object.entries(titles).map(([id, title]) => gig(id, { title, category: 'x' })))
    t.deepEqual(await idsOf(engine, { q: 'designs ' }), ['designs', 'design'])
    t.deepEqual(await idsOf(engine, { q: 'design ' }), ['design', 'designs'])
    t.deepEqual(await found(engine, { q: 'designing ' }), ['design', 'designs'])
    t.deepEqual(await found(engine, { q: 'diseños ' }), ['diseno'])
    t.deepEqual(await found(engine, { q: 'Übersetzungen ' }), ['ubersetzung'])
    t.deepEqual(await found(engine, { q: 'rédactions ' }), ['redaction'])
  })

  formsTest(`${product}: a form counts only in texts of its language`, async (t) => {
    const engine = await make(t)
    await engine.upsert([
      gig('german', { title: 'Ich mache eine Post für dich und die anderen' }),
      gig('english', { title: 'I will write the post for you and your friends' }),
    ])
    // In German a Poster and a Post would be forms of one word; in English they are not.
    t.deepEqual(await found(engine, { q: 'poster ', loosen: 'no' }), ['german'])
  })

  test(`${product}: words that tell nothing are passed over in each language, and never all of them`, async (t) => {
    const engine = await make(t)
    await engine.upsert([gig('a', { title: 'logo' }), gig('b', { title: 'der die das' })])
    for (const q of ['the logo ', 'un logo para mi ', 'ein Logo für mich ', 'le logo avec vous '])
      t.deepEqual(await found(engine, { q, loosen: 'no' }), ['a'], q)
    t.deepEqual(await found(engine, { q: 'der das ' }), ['b'])
  })

  test(`${product}: words written together or apart find each other`, async (t) => {
    const engine = await make(t)
    await engine.upsert([gig('together', { title: 'voiceover' }), gig('apart', { title: 'webby sound design' })])
    t.deepEqual(await found(engine, { q: 'voice over ' }), ['together'])
    const split = await engine.search({ q: 'sounddesign' })
    t.deepEqual([split.hits.map(({ id }) => id), split.corrected], [['apart'], 'sound design'])
    await engine.upsert([gig('joined', { title: 'sounddesign' })])
    t.deepEqual(await found(engine, { q: 'sound design ' }), ['apart', 'joined'])
  })

  test(`${product}: synonyms, also of several words, find each other as soon as they are set`, async (t) => {
    const engine = await make(t)
    await engine.upsert([
      gig('short', { title: 'seo audit' }),
      gig('long', { title: 'search engine optimization' }),
      gig('part', { title: 'engine repair' }),
      gig('cv', { title: 'cv check' }),
      gig('resume', { title: 'résumé writing' }),
    ])
    t.deepEqual(await found(engine, { q: 'seo ' }), ['short'])
    await engine.setSynonyms([
      ['SEO', 'search engine optimization'],
      ['résumé', 'CV'],
    ])
    t.deepEqual(await idsOf(engine, { q: 'seo ' }), ['short', 'long'])
    t.deepEqual(await idsOf(engine, { q: 'Search Engine Optimizations' }), ['long'])
    t.deepEqual(await found(engine, { q: 'search engine optimization' }), ['long', 'short'])
    t.deepEqual(await idsOf(engine, { q: 'cv' }), ['cv', 'resume'])
    if (keeps('forms')) t.deepEqual(await found(engine, { q: 'resumes ' }), ['cv', 'resume'])
    await engine.setSynonyms([])
    t.deepEqual(await found(engine, { q: 'seo ' }), ['short'])
  })

  test(`${product}: ranking follows its weights without indexing again, and lists under way keep theirs`, async (t) => {
    const engine = await make(t)
    const all = Array.from({ length: 9 }, (_, at) => {
      return gig(`g${at}`, { title: at < 3 ? 'logo' : 'a long title with a logo', quality: at / 9 })
    })
    await engine.upsert(all)
    await engine.setRanking({ quality: 0, freshness: 0, freshnessDays: 30 })
    const byText = await idsOf(engine, { q: 'logo' })
    t.deepEqual(byText, ['g0', 'g1', 'g2', 'g3', 'g4', 'g5', 'g6', 'g7', 'g8'])
    const first = await engine.search({ q: 'logo', limit: 4 })
    await engine.setRanking({ quality: 1, freshness: 0, freshnessDays: 30 })
    t.deepEqual((await idsOf(engine, { q: 'logo' }))[0], 'g8')
    const rest = await engine.search({ q: 'logo', limit: 5, cursor: first.nextCursor })
    t.deepEqual(
      [...first.hits, ...rest.hits].map(({ id }) => id),
      byText,
    )
  })

  test(`${product}: pinned gigs stand first for their text, whatever its case, if the filters let them`, async (t) => {
    const engine = await make(t)
    const all = Array.from({ length: 6 }, (_, at) => gig(`g${at}`, { title: 'logo', quality: at / 6, price: at }))
    await engine.upsert([...all, gig('other', { title: 'poem', price: 99 })])
    await engine.setPins([{ q: 'Logo', ids: ['other', 'g1', 'gone'] }])
    const expected = ['other', 'g1', 'g5', 'g4', 'g3', 'g2', 'g0']
    t.deepEqual(await idsOf(engine, { q: 'LOGO' }), expected)
    t.deepEqual(await walk(engine, { q: 'logo', limit: 1 }), expected)
    t.deepEqual((await idsOf(engine, { q: 'logo', filter: { maxPrice: 3 } }))[0], 'g1')
    t.is((await idsOf(engine, { q: 'logo', sort: '-price' }))[0], 'g5')
    t.deepEqual(await found(engine, { q: 'logos' }), ['g0', 'g1', 'g2', 'g3', 'g4', 'g5'])
    const first = await engine.search({ q: 'logo', limit: 2 })
    await engine.setPins([])
    t.is((await engine.search({ q: 'logo', limit: 2, cursor: first.nextCursor })).hits[0]?.id, 'g5')
    t.is((await idsOf(engine, { q: 'logo' }))[0], 'g5')
  })

  test(`${product}: settings can be tried for one search and change nothing`, async (t) => {
    const engine = await make(t)
    await engine.upsert([
      gig('a', { title: 'logo', quality: 1 }),
      gig('b', { title: 'logo', quality: 0 }),
      gig('c', { title: 'emblem' }),
    ])
    const asked = async (q: string, trial?: Partial<Tuning>) =>
      idsOf(engine, {
        q,
        ...(trial && { trial: { synonyms: [], pins: [], ranking: RANKING_USUAL, ...trial } }),
      })
    t.deepEqual(await asked('logo', { pins: [{ q: 'logo', ids: ['b'] }] }), ['b', 'a'])
    const synonyms = [['logo', 'emblem']]
    const trial = { synonyms, pins: [], ranking: RANKING_USUAL }
    const { untried = [] } = await engine.search({ q: 'emblem', trial })
    const expected = untried.includes('synonyms') ? ['c'] : ['a', 'b', 'c']
    t.deepEqual((await asked('emblem', { synonyms })).toSorted(), expected)
    t.deepEqual([await asked('logo'), await asked('emblem')], [['a', 'b'], ['c']])
    await engine.setPins([{ q: 'logo', ids: ['b'] }])
    t.deepEqual(
      [await asked('logo'), await asked('logo', {})],
      [
        ['b', 'a'],
        ['a', 'b'],
      ],
    )
  })

  test(`${product}: filters are left out only when asked, as few as will do, and never another seller's`, async (t) => {
    const engine = await make(t)
    await engine.upsert([
      gig('a', { title: 'logo', price: 5000, category: 'design', sellerId: 'ann' }),
      gig('b', { title: 'logo', price: 9000, category: 'music', sellerId: 'bob' }),
      gig('c', { title: 'song', price: 100, category: 'music', sellerId: 'bob' }),
    ])
    const filter = { category: 'music', maxPrice: 6000, deliveryDays: 5 }
    const asked = async (query: SearchQuery) => {
      const { hits, total, loosened } = await engine.search(query)
      return [hits.map(({ id }) => id).sort(), total, loosened]
    }
    const without = (...filters: string[]) => filters.map((one) => ({ kind: 'filter', filter: one }))
    t.deepEqual(await asked({ q: 'logo', filter }), [[], 0, undefined])
    t.deepEqual(await asked({ q: 'logo', filter, loosen: 'filters' }), [['b'], 1, without('price')])
    t.deepEqual(await asked({ q: 'logo zzzz', filter: { category: 'writing' }, loosen: 'filters' }), [
      ['a', 'b'],
      2,
      [{ kind: 'word', word: 'zzzz' }, ...without('category')],
    ])
    t.deepEqual(await asked({ q: 'song', filter: { sellerId: 'ann' }, loosen: 'filters' }), [[], 0, undefined])
    t.deepEqual(await asked({ filter: { sellerId: 'ann', category: 'x', minPrice: 1e6 }, loosen: 'filters' }), [
      ['a'],
      1,
      without('category', 'price'),
    ])
    const { nextCursor } = await engine.search({ q: 'logo zzzz', limit: 1 })
    const next = await engine.search({ q: 'logo zzzz', limit: 1, cursor: nextCursor })
    t.deepEqual([next.total, next.hits.length, next.loosened], [2, 1, [{ kind: 'word', word: 'zzzz' }]])
  })

  test(`${product}: an answer says by which words it was found`, async (t) => {
    const engine = await make(t)
    await engine.upsert([gig('a', { title: 'logo designs' }), gig('b', { title: 'emblem design' })])
    await engine.setSynonyms([['logo', 'emblem']])
    const marked = async (q: string, title: string) => {
      const { matched } = await engine.search({ q, highlight: true })
      return marksOf(title, matched!).map(([from, to]) => title.slice(from, to))
    }
    t.deepEqual(await marked('lgoo desi', 'My Logo, a Design'), ['Logo', 'Desi'])
    if (keeps('forms')) t.deepEqual(await marked('logos design ', 'Emblem DESIGNS, not signs'), ['Emblem', 'DESIGNS'])
    t.deepEqual(await marked('design unicorn', 'designs of unicorns'), ['designs'])
    t.is((await engine.search({ q: 'logo' })).matched, undefined)
  })

  test(`${product}: a typing error is forgiven, and the answer says what was looked for instead`, async (t) => {
    const engine = await make(t)
    await engine.upsert([gig('a', { title: 'logo illustration 2024' }), gig('b', { title: 'voice over cat' })])
    const typed = {
      lgoo: 'logo',
      logoo: 'logo',
      lobo: 'logo',
      ilustratoin: 'illustration',
      illlustratiom: 'illustration',
      ilustrat: 'illustration',
    }
    for (const [q, corrected] of Object.entries(typed)) {
      const result = await engine.search({ q })
      t.deepEqual([result.hits.map((hit) => hit.id), result.corrected], [['a'], corrected], q)
    }
    t.is((await engine.search({ q: 'Lgoo illustration' })).corrected, 'logo illustration')
    for (const q of ['2025', 'cit', 'illxxxration', 'zzzzzz']) t.is((await engine.search({ q })).total, 0, q)
    t.is((await engine.search({ q: 'logo' })).corrected, undefined)
  })

  test(`${product}: a word only removed gigs had is corrected like any unknown word`, async (t) => {
    const engine = await make(t)
    const others = Array.from({ length: 10 }, (_, at) => gig(`other${at}`))
    await engine.upsert([gig('a', { title: 'logo' }), gig('b', { title: 'lobo' }), ...others])
    await engine.remove([{ id: 'b', version: 2 }])
    const result = await engine.search({ q: 'lobo' })
    t.deepEqual([result.hits.map((hit) => hit.id), result.corrected], [['a'], 'logo'])
  })

  test(`${product}: all words are wanted; only when no gig has them all are some left out, and named`, async (t) => {
    const engine = await make(t)
    const titles = { a: 'red apple', b: 'green pear', c: 'red pear tart' }
    await engine.upsert(Object.entries(titles).map(([id, title]) => gig(id, { title })))
    t.deepEqual(await found(engine, { q: 'red pear' }), ['c'])
    const result = await engine.search({ q: 'green pear apple zzzz' })
    t.deepEqual(
      [result.hits.map(({ id }) => id), result.loosened],
      [['b'], ['apple', 'zzzz'].map((word) => ({ kind: 'word', word }))],
    )
    t.deepEqual(await found(engine, { q: 'apple pear', filter: { maxPrice: 1 } }), [])
  })

  test(`${product}: an older version never overwrites a newer one, in whatever order they arrive`, async (t) => {
    const engine = await make(t)
    await engine.upsert([gig('a', { version: 2, title: 'second' })])
    await engine.upsert([gig('a', { version: 1, title: 'first' })])
    await engine.upsert([gig('b', { version: 3, title: 'third' }), gig('b', { version: 2, title: 'second' })])
    t.deepEqual(await found(engine, { q: 'second' }), ['a'])
    t.deepEqual(await found(engine, { q: 'first' }), [])
    await Promise.all([5, 3, 6, 4].map((version) => engine.upsert([gig('a', { version, title: `number${version}x` })])))
    t.deepEqual(await found(engine, { q: 'number6x' }), ['a'])
    t.is((await engine.search({})).total, 2)
  })

  test(`${product}: a removed gig stays away when an older delivery comes late, and returns with a newer one`, async (t) => {
    const engine = await make(t)
    await engine.upsert([gig('a', { version: 3 }), gig('b', { version: 3 })])
    await engine.remove([
      { id: 'a', version: 2 },
      { id: 'b', version: 4 },
      { id: 'c', version: 4 },
    ])
    await engine.upsert([gig('b', { version: 3 }), gig('c', { version: 4 })])
    t.deepEqual(await found(engine, {}), ['a'])
    await engine.upsert([gig('b', { version: 5 }), gig('c', { version: 5 })])
    t.deepEqual(await found(engine, {}), ['a', 'b', 'c'])
  })

  test(`${product}: versions lists every indexed gig once, by id, in pages`, async (t) => {
    const engine = await make(t)
    const all = Array.from({ length: 57 }, (_, at) => gig(`g${at}`, { version: at + 1 }))
    for (const one of all) await engine.upsert([one])
    await engine.remove([{ id: 'g7', version: 100 }])
    const listed: { id: string; version: number }[] = []
    for (let after: string | null = null, page = 0; page === 0 || after; page++) {
      const { versions, next } = await engine.versions({ after, limit: 10 })
      listed.push(...versions)
      after = next
    }
    const expected = all.filter(({ id }) => id !== 'g7').map(({ id, version }) => ({ id, version }))
    t.deepEqual(
      listed,
      expected.sort((left, right) => (left.id < right.id ? -1 : 1)),
    )
    t.is((await engine.stats()).gigs, 56)
  })

  test(`${product}: an index made anew answers all the while, keeps what changed meanwhile and drops what is gone`, async (t) => {
    const engine = await make(t)
    await engine.setSynonyms([['logo', 'emblem']])
    const all = Array.from({ length: 30 }, (_, at) => gig(`g${at}`, { title: 'logo', version: 5 }))
    await engine.upsert([...all, gig('dead', { title: 'logo', version: 5 })])
    await engine.remove([{ id: 'late', version: 4 }])
    await engine.rebuild(async (next) => {
      t.is((await engine.search({ q: 'emblem ' })).total, 31)
      await engine.remove([{ id: 'g0', version: 6 }])
      await engine.upsert([gig('g1', { title: 'song', version: 6 }), gig('new', { title: 'song', version: 1 })])
      t.deepEqual(await found(engine, { q: 'song' }), ['g1', 'new'])
      await next.upsert([...all, gig('late', { title: 'logo', version: 4 })])
      await next.remove([{ id: 'g2', version: 7 }])
      t.is((await engine.search({ q: 'logo' })).total, 29)
      t.deepEqual((await next.versions({ limit: 3 })).versions, [
        { id: 'g1', version: 6 },
        { id: 'g10', version: 5 },
        { id: 'g11', version: 5 },
      ])
    })
    t.deepEqual(await found(engine, { q: 'song' }), ['g1', 'new'])
    t.is((await engine.search({ q: 'emblem ' })).total, 27)
    t.is((await engine.stats()).gigs, 29)
    await engine.upsert([gig('g2', { version: 6 }), gig('g0', { version: 5 })])
    t.is((await engine.stats()).gigs, 29)
    await engine.upsert([gig('g2', { version: 8, title: 'poem' })])
    t.deepEqual(await found(engine, { q: 'poem' }), ['g2'])
  })

  test(`${product}: an index that could not be made anew stays as it was, and can be tried again`, async (t) => {
    const engine = await make(t)
    await engine.upsert([gig('a', { title: 'logo' })])
    const refused = await t.throwsAsync(
      engine.rebuild(async (next) => {
        await next.upsert([gig('b', { title: 'song' })])
        const second = await t.throwsAsync(
          engine.rebuild(async () => {}),
          { instanceOf: EngineError },
        )
        t.is((second as EngineError).code, 'engine_busy')
        throw new Error('no more gigs')
      }),
    )
    t.is(refused?.message, 'no more gigs')
    t.deepEqual(await found(engine, {}), ['a'])
    await engine.rebuild((next) => next.upsert([gig('b', { title: 'song' })]))
    t.deepEqual(await found(engine, {}), ['b'])
  })

  test(`${product}: the better match of a dozen gigs stands first`, async (t) => {
    const engine = await make(t)
    await engine.upsert([
      gig('logo-title', { title: 'I will design a modern logo', tags: ['logo'] }),
      gig('logo-poor', { title: 'I will design a modern logo', tags: ['logo'], quality: 0 }),
      gig('logo-excellent', { title: 'I will design a modern logo', tags: ['logo'], quality: 1 }),
      gig('logo-tag', { title: 'I will design brand identity', tags: ['logo', 'brand'] }),
      gig('logo-prose', { title: 'I will design a business card', description: 'Send me your logo and your address.' }),
      gig('web', { title: 'I will build a website', tags: ['website', 'html'] }),
      gig('web-new', { title: 'I will build a website', tags: ['website', 'html'], createdAt: Date.now() }),
      gig('shop', { title: 'I will build a shop', description: 'A website that sells.' }),
      gig('voice', { title: 'I will record a german voice over' }),
      gig('video', { title: 'I will edit your video', tags: ['video', 'voice'] }),
      gig('essay', { title: 'I will proofread your essay' }),
      gig('essays', { title: 'I will write essays and stories for children in three languages' }),
    ])
    t.deepEqual(await idsOf(engine, { q: 'logo' }), [
      'logo-excellent',
      'logo-title',
      'logo-tag',
      'logo-poor',
      'logo-prose',
    ])
    t.deepEqual(await idsOf(engine, { q: 'modern logo design' }), ['logo-excellent', 'logo-title', 'logo-poor'])
    t.deepEqual(await idsOf(engine, { q: 'website' }), ['web-new', 'web', 'shop'])
    t.deepEqual(await idsOf(engine, { q: 'essay' }), ['essay', 'essays'])
    t.is((await idsOf(engine, { q: 'voice' }))[0], 'voice')
    t.is((await idsOf(engine, {}))[0], 'logo-excellent')
  })

  test(`${product}: pages of a list go on where they were while gigs come and change`, async (t) => {
    const engine = await make(t)
    const varied = (at: number) => ({ title: 'steady gig', createdAt: 1000 * (at % 7), quality: (at % 5) / 5 })
    const all = Array.from({ length: 60 }, (_, at) => gig(`g${at}`, varied(at)))
    await engine.upsert(all)
    for (const query of [{ sort: 'newest' }, { q: 'steady gig' }] satisfies SearchQuery[]) {
      const seen: string[] = []
      for (let cursor: string | null = null, page = 0; page === 0 || cursor; page++) {
        const result = await engine.search({ ...query, limit: 7, cursor })
        seen.push(...result.hits.map((hit) => hit.id))
        cursor = result.nextCursor
        await engine.upsert([gig(`other-${query.sort}-${page}`, { title: 'steady noise', createdAt: 3500 })])
      }
      t.deepEqual(seen.filter((id) => id.startsWith('g')).sort(), all.map(({ id }) => id).sort())
      t.is(new Set(seen).size, seen.length)
    }
  })

  test(`${product}: whatever happens in between, a list gives every gig that stayed once, in order`, async (t) => {
    const engine = await make(t)
    const query = fc.record({
      q: fc.constantFrom('', 'logo', 'design web', 'song ', 'paint logo zzzz', 'logo des'),
      sort: fc.constantFrom('relevance', 'newest', 'price', 'bestselling' as const),
      limit: fc.integer({ min: isSlow ? 15 : 3, max: 20 }),
    })
    const gigs = fc.array(randomGig(), { minLength: 40, maxLength: 80 })
    const property = fc.asyncProperty(gigs, gigs, query, async (made, others, asked) => {
      await engine.clear()
      const stay = made.map((one, at) => ({ ...one, id: `stay${at}` }))
      await engine.upsert([...stay, ...others.map((one, at) => ({ ...one, id: `go${at}` }))])
      const before = (await walk(engine, { ...(asked as SearchQuery), limit: 100 })).filter((id) =>
        id.startsWith('stay'),
      )
      const seen: string[] = []
      for (let cursor: string | null = null, page = 0; page === 0 || cursor; page++) {
        const result = await engine.search({ ...(asked as SearchQuery), cursor })
        seen.push(...result.hits.map(({ id }) => id))
        cursor = result.nextCursor
        await engine.remove([{ id: `go${page}`, version: 2 }])
        await engine.upsert([{ ...others[page % others.length]!, id: `new${page}` }])
      }
      t.deepEqual(
        seen.filter((id) => id.startsWith('stay')),
        before,
      )
      t.is(new Set(seen).size, seen.length)
    })
    await fc.assert(property, { numRuns: isSlow ? 1 : 15, endOnFailure: true })
  })

  test(`${product}: the counts beside a category follow every change, also after somebody looked around in it`, async (t) => {
    const engine = await make(t)
    const all = Array.from({ length: 8 }, (_, at) => gig(`g${at}`, { category: at < 5 ? 'design' : 'music' }))
    await engine.upsert(all)
    const look = async () => {
      const { total, facets } = await engine.search({ filter: { category: 'design' }, facets: ['category'] })
      return [total, facets.category]
    }
    t.deepEqual(await look(), [5, { design: 5, music: 3 }])
    await engine.remove([{ id: 'g7', version: 2 }])
    await engine.upsert([gig('g0', { version: 2, category: 'music' })])
    t.deepEqual(await look(), [4, { design: 4, music: 3 }])
  })

  test(`${product}: long filters are refused, as many values as are allowed are not`, async (t) => {
    const engine = await make(t)
    await engine.upsert([gig('a', { title: 'logo' })])
    const many = Array.from({ length: FILTER_VALUES_MAX }, (_, at) => `value${at}`)
    for (const name of ['tags', 'sellerLevel', 'languages']) {
      t.is((await engine.search({ filter: { [name]: many } })).total, 0)
      const filter = { [name]: [...many, ...many.map((one) => `${one}b`)] }
      const error = await t.throwsAsync(engine.search({ filter }), { instanceOf: EngineError })
      t.is(error?.code, 'bad_query')
    }
  })

  test(`${product}: any text is a legal query`, async (t) => {
    const engine = await make(t)
    await engine.upsert([gig('a', { title: 'plain gig', tags: ['constructor', '__proto__'] })])
    const texts = [
      'x'.repeat(10_240),
      'word '.repeat(2048),
      '🙂🙂🙂',
      '\u202eolleh שלום مرحبا',
      '\0\u0001\u0007\u001b[31m',
      'a AND (b OR NOT c)',
      '"unclosed',
      '.*(+?^${}[]|\\',
      'title:plain',
      "'; drop table gigs; --",
      '%00%ff',
      '\ud800',
      '\ud83d \udc00',
      'constructor',
      '__proto__',
      'toString',
      '-',
      '*',
      '  ',
      '\u0301\u0301',
      '設'.repeat(300),
      'ﷺ'.repeat(200),
      'İıẞ',
      'a\u0300'.repeat(90),
      '1'.repeat(200),
      '+++ ###',
    ]
    for (const q of texts) {
      const result = await engine.search({ q, facets: ['category', 'price'] })
      t.true(Number.isInteger(result.total), q.slice(0, 40))
      t.true(Array.isArray(await engine.suggest(q, 5)), q.slice(0, 40))
    }
    t.is((await engine.search({ q: '__proto__' })).total, 1)
    const anything = fc.string({ unit: 'binary', maxLength: 300 })
    await fc.assert(fc.asyncProperty(anything, async (q) => (await engine.search({ q })).total >= 0))
  })

  test(`${product}: a cursor made up, bent or taken from another search is refused as such`, async (t) => {
    const engine = await make(t)
    await engine.upsert(Array.from({ length: 5 }, (_, at) => gig(`g${at}`)))
    const cursor = (await engine.search({ q: 'do', limit: 2 })).nextCursor!
    t.is((await engine.search({ q: 'do', limit: 2, cursor })).hits.length, 2)
    const refuses = async (query: SearchQuery) => {
      const refusal = await t.throwsAsync(engine.search(query), { instanceOf: EngineError })
      t.is(refusal?.code, 'bad_cursor', JSON.stringify(query).slice(0, 80))
    }
    const others: SearchQuery[] = [{ q: 'gig' }, { q: 'do', sort: 'newest' }, { q: 'do', filter: { minRating: 1 } }]
    for (const query of others) await refuses({ ...query, cursor })
    const made = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const parts = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[]
    const bent = [
      null,
      {},
      [],
      parts.slice(0, 3),
      parts.with(1, 7),
      parts.with(2, ['x', 7]),
      parts.with(2, Array(11).fill('x')),
      parts.with(3, 'x'),
      parts.with(3, null),
      parts.with(6, 2 ** 12),
      parts.with(6, 0.5),
      parts.with(7, 512),
      parts.with(7, -1),
      [...parts, ...Array(50).fill(1)],
    ]
    for (const value of bent) await refuses({ q: 'do', cursor: made(value) })
    const broken = ['', 'x', '!!', cursor.slice(0, -4), `${cursor}=`, 'A'.repeat(100_000), '\0']
    for (const text of broken) await refuses({ q: 'do', cursor: text })
  })

  test(`${product}: what is typed so far is completed from titles, tags and categories`, async (t) => {
    const engine = await make(t)
    await engine.upsert([
      gig('a', { title: 'logo design', tags: ['Logo Animation'], category: 'graphics-design' }),
      gig('b', { title: 'logo design', tags: ['logo maker'] }),
      gig('c', { title: 'desert tours', category: 'travel' }),
      gig('d', { title: 'location scouting', description: 'loquacious' }),
    ])
    const texts = async (prefix: string, limit = 10) => (await engine.suggest(prefix, limit)).map(({ text }) => text)
    t.deepEqual(await texts('lo'), ['logo', 'location', 'logo animation', 'logo maker'])
    t.deepEqual(await texts('Logo des'), ['logo design'])
    t.deepEqual(await engine.suggest('graph', 5), [{ text: 'graphics-design', kind: 'category' }])
    t.deepEqual((await texts('l', 2)).length, 2)
    t.deepEqual(await texts('zzz'), [])
    await engine.remove(['a', 'b'].map((id) => ({ id, version: 2 })))
    t.false((await texts('logo')).includes('logo maker'))
  })

  test(`${product}: everything found, counted and sorted is what reading every gig by hand gives`, async (t) => {
    const engine = await make(t)
    const gigs = fc.array(randomGig(), { minLength: 50, maxLength: 200 })
    // Which gigs have a text is the product's own: then the rest is compared.
    const query = keeps('text') ? randomQuery() : randomQuery().map((one) => ({ ...one, q: '' }))
    const queries = fc.array(query, { minLength: 20, maxLength: 20 })
    await fc.assert(
      fc.asyncProperty(
        gigs,
        queries,
        randomSynonyms(),
        fc.nat(40).map((at) => (isSlow ? at + 100 : at)),
        async (made, asked, groups, step) => {
          await engine.clear()
          await engine.setSynonyms(groups)
          const named = made.map((one, at) => ({ ...one, id: `g${(at * 7919) % 1009}` }))
          const living = await indexInPieces(engine, named, step + 1)
          for (const query of asked) await compareWithHand(t, { engine, living, query, groups })
        },
      ),
      { numRuns: isSlow ? 2 : 8, endOnFailure: true },
    )
  })
}

/** Upserts piece by piece, replaces some, removes some; what lives then. */
const indexInPieces = async (engine: Engine, gigs: IndexedGig[], step: number) => {
  for (let from = 0; from < gigs.length; from += step) await engine.upsert(gigs.slice(from, from + step))
  const replaced = gigs.slice(0, 20).map((one, at) => ({ ...gigs[gigs.length - 1 - at]!, id: one.id, version: 2 }))
  await engine.upsert(replaced)
  await engine.remove(gigs.slice(20, 30).map(({ id }) => ({ id, version: 9 })))
  return [...replaced, ...gigs.slice(30)]
}

type Compared = { engine: Engine; living: IndexedGig[]; query: SearchQuery; groups: string[][] }

const compareWithHand = async (t: ExecutionContext, { engine, living, query, groups }: Compared) => {
  const { hits, total, facets, loosened = [] } = await engine.search({ ...query, limit: 100 })
  const expected = answerByHand(living, query, groups)
  t.deepEqual([total, loosened], [expected.ids.length, expected.loosened], JSON.stringify(query))
  t.deepEqual(facets, { ...expected.facets, ...pricesOf(t, facets, expected.prices) })
  const walked = await walk(engine, { ...query, limit: 17 })
  t.deepEqual(walked.toSorted(), expected.ids.toSorted())
  t.deepEqual(
    walked.slice(0, 100),
    hits.map((hit) => hit.id),
  )
  const byId = new Map(living.map((one) => [one.id, one]))
  const compare = compareBy[query.sort ?? 'relevance']
  if (compare)
    t.deepEqual(
      walked,
      walked
        .map((id) => byId.get(id)!)
        .sort(compare)
        .map(({ id }) => id),
    )
  else
    t.deepEqual(
      hits,
      hits.toSorted((left, right) => right.score - left.score || (left.id < right.id ? -1 : 1)),
    )
}

/** Checks the buckets, then gives the price facet as it is, so that the rest can be compared whole. */
const pricesOf = (t: ExecutionContext, { price }: SearchResult['facets'], prices: number[] | null) => {
  if (!prices || prices.length === 0) return {}
  const { min, max, histogram } = price!
  t.deepEqual([min, max], [Math.min(...prices), Math.max(...prices)])
  t.true(histogram.length <= 12 && histogram[0]!.from <= min && histogram.at(-1)!.to > max)
  histogram.forEach(({ from, to, count }, at) => {
    t.is(count, prices.filter((one) => one >= from && one < to).length)
    if (at > 0) t.is(from, histogram[at - 1]!.to)
  })
  return { price: price! }
}
