// What the documents cost: durable inserts at several numbers in flight, point reads, a page of an index.
// `node bench/documents.ts` for SQLite in a temporary file, `node bench/documents.ts mongodb://host/name` for MongoDB.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DocumentsError, collection } from '../adapters/documents/index.ts'
import type { Documents } from '../adapters/documents/index.ts'

type Message = {
  id: string
  version: number
  conversation: string
  seq: number
  from: string
  text: string
  at: number
}
/** `refused` counts answers of a store that had too much to do. */
type Row = { what: string; perSecond: number; p50Ms: number; p99Ms: number; cpuMicros: number; refused: number }

const CONVERSATIONS = 200
const SECONDS = 4
const messages = collection<Message>('messages', {
  bySeq: { keys: ['conversation', 'seq'], unique: true },
  byTime: { keys: ['conversation', 'at'] },
})
let made = 0

const folder = mkdtempSync(join(tmpdir(), 'documents-bench-'))
const documents = await open(process.argv[2])
try {
  await documents.declare([messages])
  const rows: Row[] = []
  for (const inFlight of [1, 64, 512]) rows.push(await measure(`insert, ${inFlight} in flight`, inFlight, insertOne))
  rows.push(await measure('get, 1 in flight', 1, getOne))
  rows.push(await measure('get, 64 in flight', 64, getOne))
  rows.push(await measure('find 20, 1 in flight', 1, findPage))
  rows.push(await measure('find 20, 64 in flight', 64, findPage))
  rows.push(await measure('replace, 64 in flight', 64, replaceOne))
  console.table(rows.map((row) => ({ ...row, perSecond: Math.round(row.perSecond) })))
  console.log(`${made} documents, resident memory ${Math.round(process.memoryUsage.rss() / 2 ** 20)} MB`)
} finally {
  await documents.close()
  rmSync(folder, { recursive: true, force: true })
}

async function open(url: string | undefined): Promise<Documents> {
  const log = console
  if (url) return (await import('../adapters/documents/mongoose.ts')).openMongoose({ url, log })
  return (await import('../adapters/documents/sqlite.ts')).openSqlite({ file: join(folder, 'bench.sqlite'), log })
}

async function measure(what: string, inFlight: number, act: () => Promise<unknown>): Promise<Row> {
  const tookMs: number[] = []
  let refused = 0
  const cpu = process.cpuUsage()
  const startedAt = performance.now()
  const endsAt = startedAt + SECONDS * 1000
  const worker = async () => {
    while (performance.now() < endsAt) {
      const at = performance.now()
      const done = await act().then(() => true, isBusy)
      if (done) tookMs.push(performance.now() - at)
      else refused += 1
    }
  }
  await Promise.all(Array.from({ length: inFlight }, worker))
  const seconds = (performance.now() - startedAt) / 1000
  const { user, system } = process.cpuUsage(cpu)
  tookMs.sort((a, b) => a - b)
  const at = (share: number) => Number((tookMs[Math.floor(tookMs.length * share)] ?? 0).toFixed(3))
  return {
    what,
    perSecond: tookMs.length / seconds,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    cpuMicros: Math.round((user + system) / tookMs.length),
    refused,
  }
}

function isBusy(error: unknown): false {
  if (error instanceof DocumentsError && error.code === 'store_busy') return false
  throw error
}

function insertOne(): Promise<unknown> {
  const n = made++
  return documents.insert(messages, {
    id: `message-${n}`,
    version: 1,
    conversation: `conversation-${n % CONVERSATIONS}`,
    seq: Math.floor(n / CONVERSATIONS),
    from: `account-${n % 1000}`,
    text: `Message ${n}: ${'could you make the logo a little bluer? '.repeat(3)}`,
    at: 1_700_000_000_000 + n,
  })
}

function getOne(): Promise<unknown> {
  return documents.get(messages, `message-${Math.floor(Math.random() * made)}`)
}

function findPage(): Promise<unknown> {
  return documents.find(messages, {
    index: 'bySeq',
    equals: { conversation: `conversation-${Math.floor(Math.random() * CONVERSATIONS)}` },
    order: 'desc',
  })
}

async function replaceOne(): Promise<void> {
  const message = await documents.get(messages, `message-${Math.floor(Math.random() * made)}`)
  if (message) await documents.replace(messages, { ...message, version: message.version + 1 }, message.version)
}
