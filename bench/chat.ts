// Sending messages: stored, numbered, acknowledged, told. `npm run bench:chat [-- --conversations 100,10000,1000000
// --hot 1000 --in-flight 256 --rounds 3 --ms 2000 --sockets 2000 --profile folder]`
// In one process through the action beside bare inserts of the same documents in the same store, rounds in a random order;
// then over real sockets, with the CPU of each process. Conversations are drawn at random: of a million nearly all are cold.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Checked, Filling, Sending, Sent, What } from './chat-sends.ts'
import { median, ratio, shuffled, startChild, table, type Child } from './harness.ts'
import { overSockets } from './talking.ts'

const { values } = parseArgs({
  options: {
    conversations: { type: 'string', default: '100,10000,1000000' },
    /** So many conversations of the larger sizes also get all messages, as on a day with favourites. */
    hot: { type: 'string', default: '1000' },
    'in-flight': { type: 'string', default: '256' },
    rounds: { type: 'string', default: '3' },
    ms: { type: 'string', default: '2000' },
    /** Sockets of the run over sockets; 0 leaves it out. */
    sockets: { type: 'string', default: '2000' },
    profile: { type: 'string', default: '' },
  },
})
const WARM_UP_MS = 1000

type Way = { label: string; what: What; among: number }
type Row = { conversations: number; way: Way; rounds: Sent[] }

const scratch = mkdtempSync(join(tmpdir(), 'gigwire-chat-'))
try {
  const rows: Row[] = []
  for (const size of values.conversations.split(',').filter(Boolean).map(Number)) rows.push(...(await sizeOf(size)))
  if (rows.length > 0) report(rows)
  if (Number(values.sockets) > 0)
    await overSockets({
      sockets: Number(values.sockets),
      inFlight: Number(values['in-flight']),
      ms: Number(values.ms) * Number(values.rounds),
      profile: values.profile,
    })
} finally {
  rmSync(scratch, { recursive: true, force: true })
}

async function sizeOf(conversations: number): Promise<Row[]> {
  const nodeArguments = values.profile ? ['--cpu-prof', `--cpu-prof-dir=${values.profile}/${conversations}`] : []
  const child = startChild(new URL('./chat-sends.ts', import.meta.url), [], { nodeArguments })
  const dataDir = join(scratch, String(conversations))
  try {
    const startedAt = performance.now()
    await child.ask({ fill: { conversations, dataDir } satisfies Filling })
    const filled = ((performance.now() - startedAt) / 1000).toFixed(1)
    console.log(`${conversations.toLocaleString('en')} conversations with a message each, stored in ${filled} s`)
    const rows = await rounds(child, conversations)
    const { conversations: looked, messages, problems } = await child.ask<Checked>({ check: true })
    if (problems.length > 0) throw new Error(`what is stored is not what was sent: ${problems.slice(0, 3).join('; ')}`)
    console.log(`checked ${looked} of those sent to: ${messages} messages, none missing, doubled or out of order`)
    await child.ask({ stop: true })
    return rows
  } finally {
    await child.stop()
    rmSync(dataDir, { recursive: true, force: true })
  }
}

async function rounds(child: Child, conversations: number): Promise<Row[]> {
  const hot = Number(values.hot)
  const ways: Way[] = [
    { label: 'bare inserts', what: 'insert', among: conversations },
    { label: 'chat, any conversation', what: 'send', among: conversations },
    ...(hot < conversations ? [{ label: `chat, ${hot} of them`, what: 'send' as const, among: hot }] : []),
  ]
  const rows = ways.map((way): Row => ({ conversations, way, rounds: [] }))
  const measure = ({ way: { what, among } }: Row, ms: number) =>
    child.ask<Sent>({ round: { what, among, inFlight: Number(values['in-flight']), ms } satisfies Sending })
  for (const row of rows) await measure(row, WARM_UP_MS)
  for (let round = 0; round < Number(values.rounds); round++)
    for (const row of shuffled(rows)) row.rounds.push(await measure(row, Number(values.ms)))
  return rows
}

function report(rows: readonly Row[]) {
  const of = (row: Row, what: keyof Sent) => median(row.rounds.map((one) => one[what]))
  const bareOf = ({ conversations }: Row) =>
    rows.find((row) => row.conversations === conversations && row.way.what === 'insert')!
  const smallest = (row: Row) => rows.find(({ way }) => way.what === row.way.what)!
  const lines = rows.map((row) => [
    row.conversations.toLocaleString('en'),
    row.way.label,
    Math.round(of(row, 'perSecond')).toLocaleString('en'),
    ratio(of(row, 'perSecond'), of(bareOf(row), 'perSecond')),
    `${of(row, 'cpuMicros').toFixed(1)} µs`,
    ratio(of(row, 'cpuMicros'), of(smallest(row), 'cpuMicros')),
    `${of(row, 'p50Ms').toFixed(1)} / ${of(row, 'p99Ms').toFixed(1)} ms`,
  ])
  const head = ['Conversations', 'What', 'a second', 'of bare', 'CPU each', 'of the smallest', 'p50 / p99']
  console.log(`\nOne process, ${values['in-flight']} in flight\n\n${table(head, lines)}`)
}
