// What every product behind the documents port must do. Each test has a collection of its own in one store.
import type { ExecutionContext, TestFn } from 'ava'
import { BULK_MAX, DOCUMENT_BYTES_MAX, DocumentsError, FIND_MAX, collection } from './index.ts'
import type { Collection, Doc, Documents, Found, Index, Query } from './index.ts'

export type Thing = Doc & { kind?: string | null; rank?: string | number | null; mail?: string; note?: unknown }
export type Product = { name: string; documents: () => Documents }
type Declare = (indexes?: Record<string, Index>) => Promise<Collection<Thing>>

export const INDEXES = {
  byKind: { keys: ['kind'] },
  byRank: { keys: ['kind', 'rank'] },
  byMail: { keys: ['mail'], unique: true },
} satisfies Record<string, Index>

export const thing = (id: string, rest: Omit<Thing, 'id' | 'version'> = {}): Thing => ({ id, version: 1, ...rest })

let collections = 0
export const declareThings = async (documents: Documents, indexes: Record<string, Index> = INDEXES): Promise<Collection<Thing>> => {
  const things = collection<Thing>(`things-${(collections += 1)}`, indexes)
  await documents.declare([things])
  return things
}

/** All pages of a query, by its cursors. */
export const readAll = async (documents: Documents, of: Collection<Thing>, query: Query): Promise<Thing[]> => {
  const all: Thing[] = []
  let cursor: string | null = query.cursor ?? null
  do {
    const page: Found<Thing> = await documents.find(of, { ...query, cursor })
    all.push(...page.docs)
    cursor = page.next
  } while (cursor !== null)
  return all
}

export const documentsSuite = (test: TestFn, product: Product): void => {
  const scene = (title: string, act: (t: ExecutionContext, documents: Documents, declare: Declare) => Promise<void>) =>
    test(`${product.name}: ${title}`, (t) => act(t, product.documents(), (indexes) => declareThings(product.documents(), indexes)))
  const refused = async (t: ExecutionContext, code: DocumentsError['code'], act: () => Promise<unknown>) => {
    const error = await t.throwsAsync(act, { instanceOf: DocumentsError })
    t.is(error?.code, code)
  }

  scene('a document comes back as it was stored, and only then', async (t, documents, declare) => {
    const things = await declare()
    const doc = thing('a', { kind: 'cup', rank: 1, note: { deep: [1, null, true, { x: 'y' }] } })
    t.is(await documents.get(things, 'a'), null)
    t.deepEqual(await documents.insert(things, doc), { ok: true })
    t.deepEqual(await documents.get(things, 'a'), doc)
    t.deepEqual(await documents.getMany(things, ['b', 'a', 'a']), [null, doc, doc])
  })

  scene('of 50 inserts of one id at once exactly one is stored', async (t, documents, declare) => {
    const things = await declare()
    const outcomes = await Promise.all(Array.from({ length: 50 }, (_, i) => documents.insert(things, thing('a', { note: i }))))
    const winner = outcomes.findIndex(({ ok }) => ok)
    t.deepEqual(outcomes.filter(({ ok }) => !ok), Array.from({ length: 49 }, () => ({ ok: false, conflict: 'id' })))
    t.is((await documents.get(things, 'a'))?.note, winner)
  })

  scene('a unique index that is in the way is named, and a taken id comes first', async (t, documents, declare) => {
    const things = await declare()
    await documents.insertMany(things, [thing('a', { mail: 'a@x' }), thing('b', { mail: 'b@x' })])
    t.deepEqual(await documents.insert(things, thing('c', { mail: 'a@x' })), { ok: false, conflict: 'byMail' })
    t.deepEqual(await documents.insert(things, thing('a', { mail: 'a@x' })), { ok: false, conflict: 'id' })
    t.deepEqual(await documents.replace(things, { ...thing('b', { mail: 'a@x' }), version: 2 }, 1), { ok: false, conflict: 'byMail' })
    t.is((await documents.get(things, 'b'))?.mail, 'b@x')
  })

  scene('a bulk insert tells each outcome in order and stores the others', async (t, documents, declare) => {
    const things = await declare()
    await documents.insert(things, thing('taken', { mail: 'old@x' }))
    const outcomes = await documents.insertMany(things, [
      thing('a', { mail: 'a@x' }), thing('taken'), thing('b', { mail: 'old@x' }), thing('a'), thing('c'),
    ])
    const conflicts = outcomes.map((outcome) => (outcome.ok ? 'stored' : outcome.conflict))
    t.deepEqual(conflicts, ['stored', 'id', 'byMail', 'id', 'stored'])
    t.deepEqual((await documents.scan(things)).docs.map(({ id }) => id), ['a', 'c', 'taken'])
    t.deepEqual(await documents.insertMany(things, []), [])
  })

  scene('of 20 replacements of one version at once exactly one wins, round after round', async (t, documents, declare) => {
    const things = await declare()
    await documents.insert(things, thing('a'))
    for (const version of [1, 2, 3]) {
      const outcomes = await Promise.all(
        Array.from({ length: 20 }, (_, i) => documents.replace(things, { ...thing('a', { note: i }), version: version + 1 }, version)),
      )
      t.is(outcomes.filter(({ ok }) => ok).length, 1)
      t.deepEqual(await documents.get(things, 'a'), { id: 'a', version: version + 1, note: outcomes.findIndex(({ ok }) => ok) })
    }
    t.deepEqual(await documents.replace(things, { ...thing('gone'), version: 2 }, 1), { ok: false, conflict: 'stale' })
  })

  scene('a bulk replacement tells each outcome in order', async (t, documents, declare) => {
    const things = await declare()
    await documents.insertMany(things, [thing('a'), thing('b', { mail: 'b@x' }), thing('c')])
    const to = (id: string, version: number, mail?: string) => ({
      doc: { ...thing(id, mail === undefined ? {} : { mail }), version: version + 1 }, ifVersion: version,
    })
    const outcomes = await documents.replaceMany(things, [to('a', 1), to('b', 7), to('c', 1, 'b@x'), to('gone', 1)])
    t.deepEqual(outcomes.map((outcome) => (outcome.ok ? 'replaced' : outcome.conflict)), ['replaced', 'stale', 'byMail', 'stale'])
  })

  scene('a document goes away once, and only at the version named', async (t, documents, declare) => {
    const things = await declare()
    await documents.insertMany(things, [thing('a'), thing('b')])
    t.deepEqual([await documents.remove(things, 'a', 2), await documents.remove(things, 'a', 1), await documents.remove(things, 'a')], [false, true, false])
    t.true(await documents.remove(things, 'b'))
    t.deepEqual((await documents.scan(things)).docs, [])
  })

  scene('a document that lacks a key, or has null there, is not in the index', async (t, documents, declare) => {
    const things = await declare()
    await documents.insertMany(things, [
      thing('a', { kind: 'cup', rank: 1 }), thing('b', { kind: 'cup', rank: null }), thing('c', { kind: 'cup' }), thing('d', { rank: 2 }), thing('e'),
    ])
    const ids = async (query: Query) => (await documents.find(things, query)).docs.map(({ id }) => id)
    t.deepEqual([await ids({ index: 'byRank' }), await ids({ index: 'byKind' }), await ids({ index: 'byMail' })], [['a'], ['a', 'b', 'c'], []])
    t.is(await documents.count(things, { index: 'byRank', equals: { kind: 'cup' } }), 1)
    await documents.replace(things, { id: 'a', version: 2, kind: 'cup' }, 1)
    t.deepEqual(await ids({ index: 'byRank' }), [])
  })

  scene('over a thousand documents with ties come in order, page by page, both ways', async (t, documents, declare) => {
    const things = await declare({ byRank: { keys: ['kind', 'rank'] } })
    const docs = Array.from({ length: 1_100 }, (_, i) => thing(`t${String((i * 7) % 1_100).padStart(4, '0')}`, { kind: i % 11 ? 'cup' : 'mug', rank: i % 5 }))
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
  })

  scene('a page goes on where it stopped although documents are added and removed meanwhile', async (t, documents, declare) => {
    const things = await declare()
    await documents.insertMany(things, Array.from({ length: 30 }, (_, i) => thing(`m${String(i).padStart(2, '0')}`, { kind: 'cup', rank: i * 10 })))
    const query: Query = { index: 'byRank', equals: { kind: 'cup' }, limit: 10 }
    const first = await documents.find(things, query)
    await documents.insertMany(things, [thing('early', { kind: 'cup', rank: 5 }), thing('late', { kind: 'cup', rank: 105 })])
    await documents.remove(things, (first.docs.at(-1) as Thing).id)
    const rest = await readAll(documents, things, { ...query, cursor: first.next })
    t.is(first.docs.length, 10)
    t.deepEqual(rest.map(({ rank }) => rank), [100, 105, ...Array.from({ length: 19 }, (_, i) => 110 + i * 10)])
  })

  scene('numbers come before strings, strings by code point, and a range may cross', async (t, documents, declare) => {
    const things = await declare()
    const ranks = [-1.5, 0, 2, 10, '', '10', '2', 'Z', 'a', 'a\0b', 'é', '\uffee', '😀']
    await documents.insertMany(things, ranks.map((rank, i) => thing(`x${(i * 5) % 13}`, { kind: 'k', rank })))
    const seen = async (query: Partial<Query>) =>
      (await readAll(documents, things, { index: 'byRank', equals: { kind: 'k' }, limit: 2, ...query })).map(({ rank }) => rank)
    t.deepEqual(await seen({}), ranks)
    t.deepEqual(await seen({ order: 'desc' }), ranks.toReversed())
    t.deepEqual(await seen({ from: 2, to: '2' }), [2, 10, '', '10', '2'])
    t.deepEqual(await seen({ from: 10, order: 'desc' }), ranks.slice(3).toReversed())
    t.deepEqual(await seen({ to: '' }), ranks.slice(0, 5))
    t.deepEqual(await seen({ from: 'a', to: 1 }), [])
    t.deepEqual(await documents.find(things, { index: 'byRank', equals: { kind: 'k', rank: 'a\0b' } }).then(({ docs }) => docs.length), 1)
  })

  scene('a scan walks every document in the order of ids', async (t, documents, declare) => {
    const things = await declare()
    await documents.insertMany(things, ['b', 'a', 'é', 'Z', '😀'].map((id) => thing(id)))
    const first = await documents.scan(things, { limit: 3 })
    const second = await documents.scan(things, { after: first.next, limit: 3 })
    t.deepEqual([first.docs.map(({ id }) => id), second.docs.map(({ id }) => id), second.next], [['Z', 'a', 'b'], ['é', '😀'], null])
  })

  scene('what no index serves is refused', async (t, documents, declare) => {
    const things = await declare()
    const queries: Query[] = [
      { index: 'byColour' }, { index: 'toString' }, { index: 'byRank', equals: { rank: 1 } }, { index: 'byKind', equals: { kind: 'a', rank: 1 } },
      { index: 'byKind', equals: { kind: 'a' }, from: 1 },
    ]
    for (const query of queries) {
      await refused(t, 'no_index', () => documents.find(things, query))
      await refused(t, 'no_index', () => documents.count(things, query))
    }
  })

  scene('a query that makes no sense is refused', async (t, documents, declare) => {
    const things = await declare()
    const odd = [{ limit: 0 }, { limit: FIND_MAX + 1 }, { limit: 1.5 }, { order: 'up' }, { from: NaN }, { from: { $gt: '' } }, { equals: { kind: null } }, { to: '\ud800' }]
    for (const part of odd) await refused(t, 'bad_query', () => documents.find(things, { index: 'byKind', ...part } as Query))
    await refused(t, 'bad_query', () => documents.get(collection<Thing>('never-declared'), 'a'))
    await refused(t, 'bad_query', () => documents.getMany(things, Array.from({ length: BULK_MAX + 1 }, () => 'a')))
    await refused(t, 'bad_query', () => documents.scan(things, { limit: 0 }))
  })

  scene('a cursor that is malformed or of another query is refused', async (t, documents, declare) => {
    const things = await declare()
    await documents.insertMany(things, ['a', 'b', 'c'].map((id, rank) => thing(id, { kind: 'cup', rank })))
    const query: Query = { index: 'byRank', equals: { kind: 'cup' }, from: 1, limit: 1 }
    const cursor = (await documents.find(things, query)).next as string
    t.is((await documents.find(things, { ...query, limit: 5, cursor })).docs.length, 1)
    const [fingerprint] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as [string]
    const forged = (parts: unknown) => Buffer.from(JSON.stringify(parts)).toString('base64url')
    const bad = ['', 'x', `${cursor}A`, `${cursor}=`, forged({}), forged([fingerprint, 1]), forged([fingerprint, null, 'a']), forged([fingerprint, 0, 'a']), 'A'.repeat(70_000)]
    for (const wrong of bad) await refused(t, 'bad_cursor', () => documents.find(things, { ...query, cursor: wrong }))
    for (const other of [{ from: 0 }, { order: 'desc' }, { equals: { kind: 'mug' } }, { index: 'byKind', from: undefined }] as Partial<Query>[]) {
      await refused(t, 'bad_cursor', () => documents.find(things, { ...query, ...other, cursor } as Query))
    }
  })

  scene('a document that can not be stored is refused and nothing of its bulk is written', async (t, documents, declare) => {
    const things = await declare()
    const large = (chars: number, text = 'x') => thing('a', { note: text.repeat(chars) })
    const overhead = Buffer.byteLength(JSON.stringify(large(0)))
    await refused(t, 'document_too_large', () => documents.insertMany(things, [thing('b'), large(DOCUMENT_BYTES_MAX - overhead + 1)]))
    await refused(t, 'document_too_large', () => documents.insert(things, large(DOCUMENT_BYTES_MAX / 2, 'é')))
    const odd = [{ id: '' }, { id: 7 }, { id: 'x'.repeat(5_000) }, { id: '\udc00' }, { version: 0 }, { version: 1.5 }, { kind: true }, { rank: NaN }, { rank: 2 ** 60 }, { kind: ['a'] }, { kind: '\ud800' }]
    for (const part of odd) await refused(t, 'bad_document', () => documents.insertMany(things, [thing('b'), { ...thing('c'), ...part } as Thing]))
    await refused(t, 'bad_document', () => documents.replace(things, { ...thing('a'), version: 3 }, 1))
    t.deepEqual((await documents.scan(things)).docs, [])
    t.deepEqual(await documents.insert(things, large(DOCUMENT_BYTES_MAX - overhead)), { ok: true })
    t.deepEqual(await documents.get(things, 'a'), large(DOCUMENT_BYTES_MAX - overhead))
  })

  scene('odd text in names and values is data and nothing else', async (t, documents, declare) => {
    const things = await declare()
    const notes = [
      '"quoted" \'and\' `ticked`; DROP TABLE things', '\0', 'a\0b', '😀 é \uffff', '\ud800 alone', '$where', '\\u0000', '\u2028\n\r\t',
      { $set: { version: 9 } }, { 'a.b': 1, '': 2, $: 3 }, { 'nul\0name': 1 }, { _id: 1, __v: 2, id: 3, _bsontype: 'ObjectId' }, { $ref: 'a', $id: 'b' },
      JSON.parse('{"__proto__": {"admin": true}, "constructor": 1, "toString": null}'), [[], {}, [null]], 1e300, -1e-7, 2 ** 53 + 2, true, null,
      Array.from({ length: 150 }).reduce((inner: unknown) => [inner], 'deep'),
    ]
    const docs = notes.map((note, i) => thing(`odd\0'"$.${i}😀`, { note, kind: 'odd', rank: i }))
    t.true((await documents.insertMany(things, docs)).every(({ ok }) => ok))
    t.deepEqual(await documents.getMany(things, docs.map(({ id }) => id)), docs)
    const found = await documents.find(things, { index: 'byRank', equals: { kind: 'odd' }, limit: 100 })
    t.deepEqual(found.docs.map((doc) => JSON.stringify(doc.note)), notes.map((note) => JSON.stringify(note)))
    t.is(({} as { admin?: boolean }).admin, undefined)
  })

  scene('odd names at the top of a document are data too, and it can still be replaced', async (t, documents, declare) => {
    const things = await declare()
    const doc = { ...thing('a', { kind: '$gt', rank: '' }), _id: 'other', __v: 3, _text: 'x', $set: { kind: 'no' }, 'a.b': 1, '': 0 }
    await documents.insert(things, doc)
    t.deepEqual(await documents.get<Doc>(things, 'a'), doc)
    t.deepEqual(await documents.replace(things, { ...doc, version: 2 }, 1), { ok: true })
    t.deepEqual((await documents.find<Doc>(things, { index: 'byRank', equals: { kind: '$gt' } })).docs, [{ ...doc, version: 2 }])
  })

  scene('declaring again changes nothing, and an index added later covers what was there', async (t, documents, declare) => {
    const things = await declare({ byKind: { keys: ['kind'] } })
    await documents.insertMany(things, [thing('a', { kind: 'cup', mail: 'a@x' }), thing('b', { kind: 'cup' })])
    await documents.declare([things, things])
    const more = collection<Thing>(things.name, { ...things.indexes, byMail: { keys: ['mail'], unique: true } })
    await documents.declare([more])
    t.is((await documents.find(more, { index: 'byMail', equals: { mail: 'a@x' } })).docs[0]?.id, 'a')
    t.deepEqual(await documents.insert(more, thing('c', { mail: 'a@x' })), { ok: false, conflict: 'byMail' })
    await refused(t, 'bad_query', () => documents.declare([collection(things.name, { byKind: { keys: ['rank'] } })]))
    await refused(t, 'bad_query', () => documents.declare([collection('Bad Name')]))
    t.is((await documents.find(things, { index: 'byKind' })).docs.length, 2)
  })

  scene('the store says that it is up', async (t, documents) => {
    await t.notThrowsAsync(() => documents.ping())
  })
}
