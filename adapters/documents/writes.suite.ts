// What every product behind the documents port must do with writes, and with whatever data people write.
import { DOCUMENT_BYTES_MAX, collection } from './index.ts'
import type { Doc } from './index.ts'
import { patient, refused, scenes, thing } from './things.fixture.ts'
import type { Product, Run, Thing } from './things.fixture.ts'

export const writesSuite = (test: Run, product: Product): void => {
  const scene = scenes(test, product)

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
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, (_, i) => patient(() => documents.insert(things, thing('a', { note: i })))),
    )
    const winner = outcomes.findIndex(({ ok }) => ok)
    t.deepEqual(
      outcomes.filter(({ ok }) => !ok),
      Array.from({ length: 49 }, () => ({ ok: false, conflict: 'id' })),
    )
    t.is((await documents.get(things, 'a'))?.note, winner)
  })

  scene('a unique index that is in the way is named, and a taken id comes first', async (t, documents, declare) => {
    const things = await declare()
    await documents.insertMany(things, [thing('a', { mail: 'a@x' }), thing('b', { mail: 'b@x' })])
    t.deepEqual(await documents.insert(things, thing('c', { mail: 'a@x' })), { ok: false, conflict: 'byMail' })
    t.deepEqual(await documents.insert(things, thing('a', { mail: 'a@x' })), { ok: false, conflict: 'id' })
    t.deepEqual(await documents.replace(things, { ...thing('b', { mail: 'a@x' }), version: 2 }, 1), {
      ok: false,
      conflict: 'byMail',
    })
    t.is((await documents.get(things, 'b'))?.mail, 'b@x')
  })

  scene('a bulk insert tells each outcome in order and stores the others', async (t, documents, declare) => {
    const things = await declare()
    await documents.insert(things, thing('taken', { mail: 'old@x' }))
    const outcomes = await documents.insertMany(things, [
      thing('a', { mail: 'a@x' }),
      thing('taken'),
      thing('b', { mail: 'old@x' }),
      thing('a'),
      thing('c'),
    ])
    const conflicts = outcomes.map((outcome) => (outcome.ok ? 'stored' : outcome.conflict))
    t.deepEqual(conflicts, ['stored', 'id', 'byMail', 'id', 'stored'])
    t.deepEqual(
      (await documents.scan(things)).docs.map(({ id }) => id),
      ['a', 'c', 'taken'],
    )
    t.deepEqual(await documents.insertMany(things, []), [])
  })

  scene(
    'inserts in order end at the first that conflicts, and begin anew with the next',
    async (t, documents, declare) => {
      const things = await declare()
      await documents.insert(things, thing('taken', { mail: 'old@x' }))
      const outcomesOf = async (docs: Thing[]) =>
        (await documents.insertInOrder(things, docs)).map((outcome) => (outcome.ok ? 'stored' : outcome.conflict))
      const [first, others] = await Promise.all([
        outcomesOf([thing('a'), thing('b'), thing('c', { mail: 'old@x' }), thing('d'), thing('e')]),
        documents.insertMany(things, [thing('f', { mail: 'old@x' }), thing('g')]),
      ])
      t.deepEqual(first, ['stored', 'stored', 'byMail'])
      t.deepEqual(
        others.map(({ ok }) => ok),
        [false, true],
      )
      t.deepEqual(await outcomesOf([thing('taken'), thing('h')]), ['id'])
      t.deepEqual(await outcomesOf([thing('h'), thing('i')]), ['stored', 'stored'])
      t.deepEqual(await outcomesOf([]), [])
      t.deepEqual(
        (await documents.scan(things)).docs.map(({ id }) => id),
        ['a', 'b', 'g', 'h', 'i', 'taken'],
      )
    },
  )

  scene(
    'of 20 replacements of one version at once exactly one wins, round after round',
    async (t, documents, declare) => {
      const things = await declare()
      await documents.insert(things, thing('a'))
      for (const version of [1, 2, 3]) {
        const outcomes = await Promise.all(
          Array.from({ length: 20 }, (_, i) =>
            patient(() => documents.replace(things, { ...thing('a', { note: i }), version: version + 1 }, version)),
          ),
        )
        t.is(outcomes.filter(({ ok }) => ok).length, 1)
        t.deepEqual(await documents.get(things, 'a'), {
          id: 'a',
          version: version + 1,
          note: outcomes.findIndex(({ ok }) => ok),
        })
      }
      t.deepEqual(await documents.replace(things, { ...thing('gone'), version: 2 }, 1), {
        ok: false,
        conflict: 'stale',
      })
    },
  )

  scene('a bulk replacement tells each outcome in order', async (t, documents, declare) => {
    const things = await declare()
    await documents.insertMany(things, [thing('a'), thing('b', { mail: 'b@x' }), thing('c')])
    const to = (id: string, version: number, mail?: string) => ({
      doc: { ...thing(id, mail === undefined ? {} : { mail }), version: version + 1 },
      ifVersion: version,
    })
    const outcomes = await documents.replaceMany(things, [to('a', 1), to('b', 7), to('c', 1, 'b@x'), to('gone', 1)])
    t.deepEqual(
      outcomes.map((outcome) => (outcome.ok ? 'replaced' : outcome.conflict)),
      ['replaced', 'stale', 'byMail', 'stale'],
    )
  })

  scene('a document goes away once, and only at the version named', async (t, documents, declare) => {
    const things = await declare()
    await documents.insertMany(things, [thing('a'), thing('b')])
    t.deepEqual(
      [
        await documents.remove(things, 'a', 2),
        await documents.remove(things, 'a', 1),
        await documents.remove(things, 'a'),
      ],
      [false, true, false],
    )
    t.true(await documents.remove(things, 'b'))
    t.deepEqual((await documents.scan(things)).docs, [])
  })

  scene(
    'a document that can not be stored is refused and nothing of its bulk is written',
    async (t, documents, declare) => {
      const things = await declare()
      const large = (chars: number, text = 'x') => thing('a', { note: text.repeat(chars) })
      const overhead = Buffer.byteLength(JSON.stringify(large(0)))
      await refused(t, 'document_too_large', () =>
        documents.insertMany(things, [thing('b'), large(DOCUMENT_BYTES_MAX - overhead + 1)]),
      )
      await refused(t, 'document_too_large', () => documents.insert(things, large(DOCUMENT_BYTES_MAX / 2, 'é')))
      const odd = [
        { id: '' },
        { id: 7 },
        { id: 'x'.repeat(5_000) },
        { id: '\udc00' },
        { version: 0 },
        { version: 1.5 },
        { kind: true },
        { rank: NaN },
        { rank: 2 ** 60 },
        { kind: ['a'] },
        { kind: '\ud800' },
      ]
      for (const part of odd)
        await refused(t, 'bad_document', () =>
          documents.insertMany(things, [thing('b'), { ...thing('c'), ...part } as Thing]),
        )
      await refused(t, 'bad_document', () => documents.replace(things, { ...thing('a'), version: 3 }, 1))
      t.deepEqual((await documents.scan(things)).docs, [])
      t.deepEqual(await documents.insert(things, large(DOCUMENT_BYTES_MAX - overhead)), { ok: true })
      t.deepEqual(await documents.get(things, 'a'), large(DOCUMENT_BYTES_MAX - overhead))
    },
  )

  scene('odd text in names and values is data and nothing else', async (t, documents, declare) => {
    const things = await declare()
    const notes = [
      '"quoted" \'and\' `ticked`; DROP TABLE things',
      '\0',
      'a\0b',
      '😀 é \uffff',
      '\ud800 alone',
      '$where',
      '\\u0000',
      '\u2028\n\r\t',
      { $set: { version: 9 } },
      { 'a.b': 1, '': 2, $: 3 },
      { 'nul\0name': 1 },
      { _id: 1, __v: 2, id: 3, _bsontype: 'ObjectId' },
      { $ref: 'a', $id: 'b' },
      JSON.parse('{"__proto__": {"admin": true}, "constructor": 1, "toString": null}'),
      [[], {}, [null]],
      1e300,
      -1e-7,
      2 ** 53 + 2,
      true,
      null,
      Array.from({ length: 150 }).reduce((inner: unknown) => [inner], 'deep'),
    ]
    const docs = notes.map((note, i) => thing(`odd\0'"$.${i}😀`, { note, kind: 'odd', rank: i }))
    t.true((await documents.insertMany(things, docs)).every(({ ok }) => ok))
    t.deepEqual(
      await documents.getMany(
        things,
        docs.map(({ id }) => id),
      ),
      docs,
    )
    const found = await documents.find(things, { index: 'byRank', equals: { kind: 'odd' }, limit: 100 })
    t.deepEqual(
      found.docs.map((doc) => JSON.stringify(doc.note)),
      notes.map((note) => JSON.stringify(note)),
    )
    t.is(({} as { admin?: boolean }).admin, undefined)
  })

  scene(
    'odd names at the top of a document are data too, and it can still be replaced',
    async (t, documents, declare) => {
      const things = await declare()
      const doc = {
        ...thing('a', { kind: '$gt', rank: '' }),
        _id: 'other',
        __v: 3,
        _text: 'x',
        $set: { kind: 'no' },
        'a.b': 1,
        '': 0,
      }
      await documents.insert(things, doc)
      t.deepEqual(await documents.get<Doc>(things, 'a'), doc)
      t.deepEqual(await documents.replace(things, { ...doc, version: 2 }, 1), { ok: true })
      t.deepEqual((await documents.find<Doc>(things, { index: 'byRank', equals: { kind: '$gt' } })).docs, [
        { ...doc, version: 2 },
      ])
    },
  )

  scene(
    'declaring again changes nothing, and an index added later covers what was there',
    async (t, documents, declare) => {
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
    },
  )

  scene('the store says that it is up', async (t, documents) => {
    await t.notThrowsAsync(() => documents.ping())
  })
}
