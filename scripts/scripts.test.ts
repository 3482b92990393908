import test from 'ava'
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { DatabaseSync } from 'node:sqlite'
import { nodeVersion } from './doctor.ts'
import { startMarket } from '../test/market.ts'
import { table } from './verify.ts'

const run = async (script: string, args: string[], env: Record<string, string>) => {
  const options = { cwd: join(import.meta.dirname, '..'), env: { PATH: process.env.PATH, ...env }, timeout: 60_000 }
  try {
    const { stdout, stderr } = await promisify(execFile)(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', `scripts/${script}.ts`, ...args],
      options,
    )
    return { code: 0, stdout, stderr }
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }
    return { code, stdout, stderr }
  }
}

test('a seeded market verifies, and a message taken out of it is noticed', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'gigwire-scripts-'))
  const env = { DATA_DIR: dataDir, PORT: '0', OPS_PORT: '1' }
  const seeded = await run('seed', ['--gigs', '50'], env)
  t.is(seeded.code, 0, seeded.stderr)
  t.regex(seeded.stdout, /50 gigs made/)
  t.regex((await run('seed', ['--gigs', '50'], env)).stdout, /0 gigs made .* 50 were there/)
  const verified = await run('verify', ['--json'], env)
  t.is(verified.code, 0, verified.stdout + verified.stderr)
  t.is(JSON.parse(verified.stdout).checks.length, 6)
  const reindexed = await run('reindex', ['--json'], env)
  t.is(reindexed.code, 0, reindexed.stdout + reindexed.stderr)
  t.like(JSON.parse(reindexed.stdout).nodes, [{ state: 'done', gigs: 50, of: 50, problem: null }])

  const store = new DatabaseSync(join(dataDir, 'documents.sqlite'))
  const tables = store
    .prepare(`SELECT name FROM sqlite_master WHERE type = 'table'`)
    .all()
    .map(({ name }) => String(name))
  const [conversations, messages] = ['conversations', 'messages'].map((name) =>
    tables.find((one) => one.endsWith(name))!,
  )
  const put = (into: string, doc: { id: string; version: number }) =>
    store
      .prepare(`INSERT INTO "${into}" (id, version, doc) VALUES (?, ?, ?)`)
      .run(doc.id, doc.version, JSON.stringify(doc))
  put(conversations!, { id: 'cnv_1', version: 1, pair: 'a+b', members: ['a', 'b'], gig: null, createdAt: 1 } as never)
  put(messages!, {
    id: 'msg_2',
    version: 1,
    conversation: 'cnv_1',
    seq: 2,
    sender: 'a',
    clientId: 'x',
    text: 'x',
    attachments: [],
    sentAt: 1,
    editedAt: null,
    deleted: false,
  } as never)
  store.close()
  const broken = await run('verify', [], env)
  t.is(broken.code, 1, broken.stderr)
  t.regex(broken.stdout, /FAIL {2}chat.*\n.*message 1 is missing before 2/)
  await rm(dataDir, { recursive: true })
})

test('data that a running market has to itself is left alone, in one line', async (t) => {
  const market = await startMarket()
  t.teardown(() => market.stop())
  // Another ops port: only the data itself tells.
  const env = { DATA_DIR: market.dataDir, PORT: '0', OPS_PORT: '1' }
  const [seeded, verified] = await Promise.all([run('seed', ['--gigs', '10'], env), run('verify', [], env)])
  for (const { code, stdout, stderr } of [seeded, verified]) {
    t.deepEqual([code, stdout], [2, ''])
    t.regex(stderr, /^gigwire: [^\n]* in use by [^\n]*\n$/)
  }
  const asked = await run('verify', ['--json'], { ...env, OPS_PORT: String(market.opsPort) })
  t.is(asked.code, 0, asked.stdout + asked.stderr)
  const ordered = await run('reindex', [], { ...env, OPS_PORT: String(market.opsPort) })
  t.is(ordered.code, 0, ordered.stdout + ordered.stderr)
  t.regex(ordered.stdout, /: done, 0 of 0 gigs after [\d.]+ s\n$/)
})

test('what a person can mend is one line', async (t) => {
  const bad = await run('seed', ['--gigs', 'many'], {})
  t.is(bad.code, 2)
  t.is(bad.stderr.trim(), 'gigwire: --gigs takes a whole number from 1 to 2,000,000')
  t.is(
    (await run('doctor', [], { PORT: 'high' })).stderr.trim(),
    'gigwire: PORT "high" is not a whole number from 0 to 65535',
  )
})

test('the doctor finds what is missing and says where', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'gigwire-doctor-'))
  const env = { DATA_DIR: dataDir, PORT: '0', OPS_PORT: '0' }
  const well = await run('doctor', [], env)
  t.is(well.code, 0, well.stdout + well.stderr)
  t.regex(well.stdout, /^ok {4}node: 24\./m)
  const ill = await run('doctor', ['--json'], { ...env, NATS_URL: 'nats://user:secret@127.0.0.1:1' })
  t.is(ill.code, 1)
  const { findings } = JSON.parse(ill.stdout)
  t.is(findings.find(({ what }: { what: string }) => what === 'NATS').state, 'fail')
  t.false(ill.stdout.includes('secret'))
  await rm(dataDir, { recursive: true })
})

test('an old Node is told what it needs', (t) => {
  t.is(nodeVersion('20.20.2').state, 'fail')
  t.is(nodeVersion('24.11.9').state, 'fail')
  t.is(nodeVersion('24.12.0').state, 'ok')
  t.is(nodeVersion('25.0.0').state, 'ok')
})

test('problems are counted and the first of them shown', (t) => {
  const problems = Array.from({ length: 12 }, (_, at) => `problem ${at}`)
  const shown = table([{ what: 'things', counted: { things: 1200 }, problems }])
  t.true(shown.startsWith('FAIL  things (1,200 things)\n      problem 0'))
  t.true(shown.endsWith('      and 2 more'))
})
