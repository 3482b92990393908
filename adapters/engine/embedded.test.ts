// What only the embedded engine promises: its files, its worker, its limits.
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import { spawn } from 'node:child_process'
import { copyFile, open as openFile, readdir, readFile, truncate, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openEmbeddedEngine, type EmbeddedOptions } from './embedded.ts'
import { loadCollection } from './embedded/store.ts'
import { EngineError, SEARCHES_WAITING_MAX, type SearchResult } from './index.ts'
import { answerByHand } from './oracle.ts'
import { found, gig, newDir, quiet, randomGig, randomQuery, walk } from './sample.ts'

const open = async (t: ExecutionContext, options: Partial<EmbeddedOptions> = {}) => {
  const engine = await openEmbeddedEngine({ dir: options.dir ?? (await newDir(t)), log: quiet, ...options })
  t.teardown(() => engine.close())
  return engine
}

const lastFile = async (dir: string) =>
  join(
    dir,
    (await readdir(dir)).find((name) => name.endsWith('.segment'))!,
  )

const flipByte = async (path: string, at: number, mask = 0x10) => {
  const handle = await openFile(path, 'r+')
  const byte = Buffer.alloc(1)
  await handle.read(byte, 0, 1, at)
  await handle.write(Buffer.from([byte[0]! ^ mask]), 0, 1, at)
  await handle.close()
}

test('a restart keeps the index, its removals and their versions', async (t) => {
  const dir = await newDir(t)
  const first = await openEmbeddedEngine({ dir, log: quiet })
  await first.upsert(Array.from({ length: 300 }, (_, at) => gig(`g${at}`, { title: `gig number${at % 10}` })))
  await first.flush()
  await first.remove([{ id: 'g5', version: 4 }])
  await first.upsert([gig('g6', { version: 2, title: 'changed' })])
  const before = await first.search({ q: 'number3', facets: ['price'] })
  await first.close()
  const engine = await open(t, { dir })
  const after = await engine.search({ q: 'number3', facets: ['price'] })
  const shown = ({ hits, total, facets }: SearchResult) => ({ ids: hits.map((hit) => hit.id), total, facets })
  t.deepEqual(shown(after), shown(before))
  await engine.upsert([gig('g5', { version: 3 }), gig('g6', { version: 1 })])
  t.deepEqual([(await engine.stats()).gigs, await found(engine, { q: 'changed' })], [299, ['g6']])
  t.false((await engine.stats()).damaged)
})

test('what was upserted is on disk soon, without anyone asking', async (t) => {
  const dir = await newDir(t)
  const engine = await open(t, { dir })
  await engine.upsert([gig('a')])
  const isSaved = async () => (await readdir(dir)).includes('manifest')
  for (const deadline = Date.now() + 20_000; Date.now() < deadline && !(await isSaved()); await sleep(20));
  const other = await newDir(t)
  for (const name of await readdir(dir)) await copyFile(join(dir, name), join(other, name))
  t.deepEqual(await found(await open(t, { dir: other }), {}), ['a'])
})

test('a file with a flipped byte, cut short or missing is left out and reported', async (t) => {
  const harm: Record<string, (dir: string) => Promise<void>> = {
    'a flipped byte': async (dir) => flipByte(await lastFile(dir), 1500),
    'cut short': async (dir) => truncate(await lastFile(dir), 1000),
    'a missing segment': async (dir) => unlink(await lastFile(dir)),
    'a flipped byte in the manifest': (dir) => flipByte(join(dir, 'manifest'), 100),
    'another name in the manifest': async (dir) => {
      const path = join(dir, 'manifest')
      await flipByte(path, (await readFile(path, 'utf8')).indexOf('long-gone'), 1)
    },
    'a missing manifest': (dir) => unlink(join(dir, 'manifest')),
  }
  for (const [name, doHarm] of Object.entries(harm)) {
    const dir = await newDir(t)
    const first = await openEmbeddedEngine({ dir, log: quiet })
    await first.upsert(Array.from({ length: 20 }, (_, at) => gig(`g${at}`)))
    await first.remove([{ id: 'long-gone', version: 1 }])
    await first.close()
    await doHarm(dir)
    const engine = await open(t, { dir })
    const { gigs, damaged } = await engine.stats()
    t.deepEqual([gigs, damaged, (await engine.search({ q: 'do' })).total], [0, true, 0], name)
    await engine.clear()
    await engine.upsert([gig('again')])
    t.deepEqual([(await engine.stats()).damaged, await found(engine, {})], [false, ['again']], name)
  }
})

test('one flipped byte anywhere in any file is noticed, whatever it says', async (t) => {
  const dir = await newDir(t)
  const first = await openEmbeddedEngine({ dir, log: quiet })
  await first.upsert(Array.from({ length: 40 }, (_, at) => gig(`g${at}`, { title: `logo number${at}` })))
  await first.flush()
  await first.remove([{ id: 'g3', version: 2 }])
  await first.close()
  const names = (await readdir(dir)).filter((name) => name === 'manifest' || name.endsWith('.segment'))
  const files = await Promise.all(names.map(async (name) => [name, (await readFile(join(dir, name))).length] as const))
  const place = fc.constantFrom(...files).chain(([name, size]) => {
    return fc.tuple(fc.constant(name), fc.nat(size - 1), fc.integer({ min: 1, max: 255 }))
  })
  const property = fc.asyncProperty(place, async ([name, at, mask]) => {
    await flipByte(join(dir, name), at, mask)
    const { parts, damaged } = await loadCollection(dir, () => {})
    await flipByte(join(dir, name), at, mask)
    t.deepEqual([parts.length, damaged], [0, true], `${name} at ${at}`)
  })
  await fc.assert(property, { numRuns: 150, endOnFailure: true })
  const { parts, damaged } = await loadCollection(dir, () => {})
  t.deepEqual([parts[0]?.living, damaged], [39, false])
})

test('whatever happens to its files, an engine opens, says so when it matters, and made anew agrees with reading by hand', async (t) => {
  const whole = await newDir(t)
  const first = await openEmbeddedEngine({ dir: whole, log: quiet })
  const [made] = fc.sample(fc.array(randomGig(), { minLength: 250, maxLength: 250 }), { numRuns: 1, seed: 7 })
  const gigs = made!.map((one, at) => ({ ...one, id: `g${at}` }))
  for (let from = 0; from < gigs.length; from += 50) {
    await first.upsert(gigs.slice(from, from + 50))
    await first.flush()
  }
  await first.remove(gigs.slice(0, 20).map(({ id }) => ({ id, version: 2 })))
  await first.close()
  const living = gigs.slice(20)
  const names = await readdir(whole)
  const queries = fc.sample(randomQuery(), { numRuns: 12, seed: 7 })
  const harm = fc.array(
    fc.record({
      name: fc.constantFrom(...names),
      kind: fc.constantFrom<Harm>('flip', 'cut', 'empty', 'zeros', 'longer', 'gone', 'another'),
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      bit: fc.nat(7),
    }),
    { minLength: 1, maxLength: 3 },
  )
  const property = fc.asyncProperty(harm, async (harms) => {
    const dir = await newDir(t)
    for (const name of names) await copyFile(join(whole, name), join(dir, name))
    for (const one of harms) await doHarm(dir, names, one)
    const engine = await openEmbeddedEngine({ dir, log: quiet })
    try {
      const { damaged, gigs: left } = await engine.stats()
      t.true(damaged || left === 0 || left === living.length, JSON.stringify(harms))
      // As the keeper of the index does; an empty folder is a first start, and filled just so.
      if (damaged) await engine.clear()
      if ((await engine.stats()).gigs === 0) await engine.upsert(living)
      for (const query of queries) {
        const { hits, total } = await engine.search({ ...query, limit: 100 })
        const { ids } = answerByHand(living, query)
        t.is(total, ids.length, JSON.stringify({ harms, query }))
        t.true(hits.every(({ id }) => ids.includes(id)))
      }
    } finally {
      await engine.close()
    }
  })
  await fc.assert(property, { numRuns: 40, endOnFailure: true })
})

type Harm = 'flip' | 'cut' | 'empty' | 'zeros' | 'longer' | 'gone' | 'another'
const doHarm = async (dir: string, names: string[], harm: { name: string; kind: Harm; at: number; bit: number }) => {
  const path = join(dir, harm.name)
  // Two harms may meet in one file.
  const bytes = await readFile(path).catch(() => Buffer.alloc(0))
  const place = Math.min(bytes.length - 1, Math.floor(harm.at * bytes.length))
  if (harm.kind === 'gone') return unlink(path).catch(() => undefined)
  if (bytes.length === 0) return undefined
  const harmed: Record<Exclude<Harm, 'gone'>, () => Promise<Buffer> | Buffer> = {
    flip: () => Buffer.from(bytes.map((byte, at) => (at === place ? byte ^ (1 << harm.bit) : byte))),
    cut: () => bytes.subarray(0, place),
    empty: () => Buffer.alloc(0),
    zeros: () => Buffer.alloc(bytes.length),
    longer: () => Buffer.concat([bytes, bytes.subarray(place)]),
    another: () => readFile(join(dir, names[harm.bit % names.length]!)).catch(() => Buffer.alloc(7)),
  }
  return writeFile(path, await harmed[harm.kind]())
}

test('a process killed while it indexes, merges and saves leaves files that open undamaged, with what was flushed', async (t) => {
  for (const afterMs of [150, 600, 1100]) {
    const dir = await newDir(t)
    const code = `import { openEmbeddedEngine } from ${JSON.stringify(new URL('embedded.ts', import.meta.url).href)}
      import { gig, quiet } from ${JSON.stringify(new URL('sample.ts', import.meta.url).href)}
      const engine = await openEmbeddedEngine({ dir: ${JSON.stringify(dir)}, log: quiet })
      await engine.upsert(Array.from({ length: 1000 }, (_, at) => gig('flushed' + at)))
      await engine.flush()
      console.log('flushed')
      for (let round = 0; ; round++) {
        await engine.upsert(Array.from({ length: 500 }, (_, at) => gig('more' + ((round * 500 + at) % 20000), { version: round + 1 })))
        if (round % 5 === 0) void engine.flush()
      }`
    const script = join(await newDir(t), 'indexing.mjs')
    await writeFile(script, code)
    const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] })
    t.teardown(() => void child.kill('SIGKILL'))
    await new Promise((resolve) => child.stdout.once('data', resolve))
    await sleep(afterMs)
    const over = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await over
    const engine = await open(t, { dir })
    t.false((await engine.stats()).damaged)
    t.is((await engine.search({ q: 'flushed1 ' })).total, 1)
    t.true((await engine.stats()).gigs >= 1000)
    await engine.close()
  }
})

test('more searches than may wait are refused at once, the others are answered', async (t) => {
  const engine = await open(t)
  await engine.upsert([gig('a')])
  const settled = await Promise.allSettled(Array.from({ length: SEARCHES_WAITING_MAX + 10 }, () => engine.search({})))
  const refused = settled.filter((one) => one.status === 'rejected')
  t.deepEqual(
    refused.map((one) => (one.reason as EngineError).code),
    Array(10).fill('engine_busy'),
  )
  t.is((await engine.search({})).total, 1)
})

test('when its worker dies nobody waits for ever, and it comes back with what was saved and set', async (t) => {
  const engine = await open(t, { heapMbMax: 24 })
  await engine.upsert([gig('a')])
  await engine.setSynonyms([['do', 'perform']])
  await engine.flush()
  const tags = (at: number) => Array.from({ length: 20_000 }, (_, tag) => `tag ${at} ${tag}`)
  const huge = Array.from({ length: 64 }, (_, at) => gig(`huge${at}`, { tags: tags(at) }))
  const error = await t.throwsAsync(engine.upsert(huge), { instanceOf: EngineError })
  t.is((error as EngineError).code, 'engine_down')
  let total = -1
  for (const deadline = Date.now() + 30_000; Date.now() < deadline && total < 0; await sleep(20)) {
    total = await engine.search({ q: 'perform ' }).then(
      (result) => result.total,
      () => -1,
    )
  }
  t.deepEqual([total, (await engine.stats()).restarts], [1, 1])
})

test('an index made anew is on disk once it was flushed, and the files of the old one are gone', async (t) => {
  const dir = await newDir(t)
  const first = await openEmbeddedEngine({ dir, log: quiet })
  await first.upsert(Array.from({ length: 300 }, (_, at) => gig(`old${at}`)))
  await first.flush()
  await first.rebuild((next) => next.upsert(Array.from({ length: 200 }, (_, at) => gig(`new${at}`))))
  await first.close()
  const segments = (await readdir(dir)).filter((name) => name.endsWith('.segment'))
  t.is(segments.length, 1)
  const engine = await open(t, { dir })
  t.deepEqual(await engine.stats(), { ...(await engine.stats()), gigs: 200, damaged: false })
  t.is((await engine.search({ q: 'do' })).total, 200)
})

test('a closed engine refuses', async (t) => {
  const engine = await open(t)
  await engine.close()
  const error = await t.throwsAsync(engine.search({}), { instanceOf: EngineError })
  t.is((error as EngineError).code, 'engine_down')
})

test('thousands of gigs indexed in pieces stay one of each while merges run beneath', async (t) => {
  const engine = await open(t)
  const description = 'some more words to merge'
  const all = Array.from({ length: 9000 }, (_, at) => gig(`g${at}`, { title: `gig half${at % 2}`, description }))
  await engine.upsert(all)
  await Promise.all([
    engine.upsert(all.slice(0, 3000).map((one) => ({ ...one, version: 2, title: 'changed' }))),
    engine.remove(all.slice(3000, 4000).map(({ id }) => ({ id, version: 2 }))),
  ])
  await engine.flush()
  const totals = await Promise.all(
    ['half0', 'half1', 'changed', ''].map(async (q) => (await engine.search({ q })).total),
  )
  t.deepEqual(totals, [2500, 2500, 3000, 8000])
  t.is((await walk(engine, { sort: 'newest', limit: 100 })).length, 8000)
})
