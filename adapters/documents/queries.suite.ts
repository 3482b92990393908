// What every product behind the documents port must answer to queries, and which ones it must refuse.
import { BULK_MAX, FIND_MAX, collection } from './index.ts'
import type { Found, Query } from './index.ts'
import { readAll, refused, scenes, thing } from './things.fixture.ts'
import type { Product, Run, Thing } from './things.fixture.ts'

export const queriesSuite = (test: Run, product: Product): void => {
  const scene = scenes(test, product)

  scene('a document that lacks a key, or has null there, is not in the index', async (t, documents, declare) => {
    const things = await declare()
    await documents.insertMany(things, [
      thing('a', { kind: 'cup', rank: 1 }),
      thing('b', { kind: 'cup', rank: null }),
      thing('c', { kind: 'cup' }),
      thing('d', { rank: 2 }),
      thing('e'),
    ])
    const ids = async (query: Query) => (await documents.find(things, query)).docs.map(({ id }) => id)
    t.deepEqual(
      [await ids({ index: 'byRank' }), await ids({ index: 'byKind' }), await ids({ index: 'byMail' })],
      [['a'], ['a', 'b', 'c'], []],
    )
    t.is(await documents.count(things, { index: 'byRank', equals: { kind: 'cup' } }), 1)
    await documents.replace(things, { id: 'a', version: 2, kind: 'cup' }, 1)
    t.deepEqual(await ids({ index: 'byRank' }), [])
  })

  scene('over a thousand documents with ties come in order, page by page, both ways', async (t, documents, declare) => {
    const things = await declare({ byRank: { keys: ['kind', 'rank'] } })
    const docs = Array.from({ length: 1_100 }, (_, i) =>
      thing(`t${String((i * 7) % 1_100).padStart(4, '0')}`, { kind: i % 11 ? 'cup' : 'mug', rank: i % 5 }),
    )
    for (let i = 0; i < docs.length; i += 550) await documents.insertMany(things, docs.slice(i, i + 550))
    const cups = docs.filter(({ kind }) => kind === 'cup')
    const order = cups.toSorted((a, b) => Number(a.rank) - Number(b.rank) || (a.id < b.id ? -1 : 1)).map(({ id }) => id)
    const ids = async (query: Omit<Query, 'index'>) =>
      (await readAll(documents, things, { index: 'byRank', equals: { kind: 'cup' }, ...query })).map(({ id }) => id)
    t.deepEqual(await ids({ limit: 130 }), order)
    t.deepEqual(await ids({ limit: FIND_MAX, order: 'desc' }), order.toReversed())
    const middle = cups.filter(({ rank }) => Number(rank) >= 1 && Number(rank) <= 2).length
    t.is((await ids({ from: 1, to: 2, limit: 150 })).length, middle)
    t.is(await documents.count(things, { index: 'byRank', equals: { kind: 'cup' }, from: 1, to: 2 }), middle)
    t.is((await documents.find(things, { index: 'byRank' })).docs.length, 20)
    const page = { index: 'byRank', equals: { kind: 'cup' }, limit: 130 }
    let cursor: string | null = null
    for (let at = 0; at < 3; at++) {
      const found: Found<Thing> = await documents.find(things, { ...page, cursor })
      const texts = await documents.findTexts(things, { ...page, cursor })
      t.deepEqual({ ...texts, docs: texts.docs.map((text) => JSON.parse(text)) }, found)
      cursor = found.next
    }
  })

  scene(
    'a page goes on where it stopped although documents are added and removed meanwhile',
    async (t, documents, declare) => {
      const things = await declare()
      await documents.insertMany(
        things,
        Array.from({ length: 30 }, (_, i) => thing(`m${String(i).padStart(2, '0')}`, { kind: 'cup', rank: i * 10 })),
      )
      const query: Query = { index: 'byRank', equals: { kind: 'cup' }, limit: 10 }
      const first = await documents.find(things, query)
      await documents.insertMany(things, [
        thing('early', { kind: 'cup', rank: 5 }),
        thing('late', { kind: 'cup', rank: 105 }),
      ])
      await documents.remove(things, (first.docs.at(-1) as Thing).id)
      const rest = await readAll(documents, things, { ...query, cursor: first.next })
      t.is(first.docs.length, 10)
      t.deepEqual(
        rest.map(({ rank }) => rank),
        [100, 105, ...Array.from({ length: 19 }, (_, i) => 110 + i * 10)],
      )
    },
  )

  scene('numbers come before strings, strings by code point, and a range may cross', async (t, documents, declare) => {
    const things = await declare()
    const ranks = [-1.5, 0, 2, 10, '', '10', '2', 'Z', 'a', 'a\0b', 'é', '\uffee', '😀']
    await documents.insertMany(
      things,
      ranks.map((rank, i) => thing(`x${(i * 5) % 13}`, { kind: 'k', rank })),
    )
    const seen = async (query: Partial<Query>) =>
      (await readAll(documents, things, { index: 'byRank', equals: { kind: 'k' }, limit: 2, ...query })).map(
        ({ rank }) => rank,
      )
    t.deepEqual(await seen({}), ranks)
    t.deepEqual(await seen({ order: 'desc' }), ranks.toReversed())
    t.deepEqual(await seen({ from: 2, to: '2' }), [2, 10, '', '10', '2'])
    t.deepEqual(await seen({ from: 10, order: 'desc' }), ranks.slice(3).toReversed())
    t.deepEqual(await seen({ to: '' }), ranks.slice(0, 5))
    t.deepEqual(await seen({ from: 'a', to: 1 }), [])
    t.deepEqual(
      await documents
        .find(things, { index: 'byRank', equals: { kind: 'k', rank: 'a\0b' } })
        .then(({ docs }) => docs.length),
      1,
    )
  })

  scene('a scan walks every document in the order of ids', async (t, documents, declare) => {
    const things = await declare()
    await documents.insertMany(
      things,
      ['b', 'a', 'é', 'Z', '😀'].map((id) => thing(id)),
    )
    const first = await documents.scan(things, { limit: 3 })
    const second = await documents.scan(things, { after: first.next, limit: 3 })
    t.deepEqual(
      [first.docs.map(({ id }) => id), second.docs.map(({ id }) => id), second.next],
      [['Z', 'a', 'b'], ['é', '😀'], null],
    )
  })

  scene('what no index serves is refused', async (t, documents, declare) => {
    const things = await declare()
    const queries: Query[] = [
      { index: 'byColour' },
      { index: 'toString' },
      { index: 'byRank', equals: { rank: 1 } },
      { index: 'byKind', equals: { kind: 'a', rank: 1 } },
      { index: 'byKind', equals: { kind: 'a' }, from: 1 },
    ]
    for (const query of queries) {
      await refused(t, 'no_index', () => documents.find(things, query))
      await refused(t, 'no_index', () => documents.count(things, query))
    }
  })

  scene('a query that makes no sense is refused', async (t, documents, declare) => {
    const things = await declare()
    const odd = [
      { limit: 0 },
      { limit: FIND_MAX + 1 },
      { limit: 1.5 },
      { order: 'up' },
      { from: NaN },
      { from: { $gt: '' } },
      { equals: { kind: null } },
      { to: '\ud800' },
    ]
    for (const part of odd)
      await refused(t, 'bad_query', () => documents.find(things, { index: 'byKind', ...part } as Query))
    await refused(t, 'bad_query', () => documents.get(collection<Thing>('never-declared'), 'a'))
    await refused(t, 'bad_query', () =>
      documents.getMany(
        things,
        Array.from({ length: BULK_MAX + 1 }, () => 'a'),
      ),
    )
    await refused(t, 'bad_query', () => documents.scan(things, { limit: 0 }))
  })

  scene('a cursor that is malformed or of another query is refused', async (t, documents, declare) => {
    const things = await declare()
    await documents.insertMany(
      things,
      ['a', 'b', 'c'].map((id, rank) => thing(id, { kind: 'cup', rank })),
    )
    const query: Query = { index: 'byRank', equals: { kind: 'cup' }, from: 1, limit: 1 }
    const cursor = (await documents.find(things, query)).next as string
    t.is((await documents.find(things, { ...query, limit: 5, cursor })).docs.length, 1)
    const [fingerprint] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as [string]
    const forged = (parts: unknown) => Buffer.from(JSON.stringify(parts)).toString('base64url')
    const bad = [
      '',
      'x',
      `${cursor}A`,
      `${cursor}=`,
      forged({}),
      forged([fingerprint, 1]),
      forged([fingerprint, null, 'a']),
      forged([fingerprint, 0, 'a']),
      'A'.repeat(70_000),
    ]
    for (const wrong of bad) await refused(t, 'bad_cursor', () => documents.find(things, { ...query, cursor: wrong }))
    for (const other of [
      { from: 0 },
      { order: 'desc' },
      { equals: { kind: 'mug' } },
      { index: 'byKind', from: undefined },
    ] as Partial<Query>[]) {
      await refused(t, 'bad_cursor', () => documents.find(things, { ...query, ...other, cursor } as Query))
    }
  })
}
