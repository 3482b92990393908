// The ledger under load: entries a second with every entry on one hot account and half of them guarded on one seller, how long
// one entry takes at a steady pace, and what a cold start and a full check of a large book cost.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSqlite } from '../adapters/documents/sqlite.ts'
import { openBook, type Book } from '../services/ledger/book.ts'
import { BEGINNING, brokenLink, type Position } from '../services/ledger/chain.ts'
import { charged, reserved, type Posting } from '../services/ledger/contract.ts'
import { balances } from '../services/ledger/balances.ts'
import { batches, batchesAfter, checkpoints, indexedEntries, lines } from '../services/ledger/journal.ts'
import { verifyBook } from '../services/ledger/verification.ts'
import { table } from './harness.ts'
import { latency, loadCells, underLoad, type Loaded } from './load.ts'

const quiet = { warn: console.warn, error: console.error, info: () => undefined, debug: () => undefined } as never
const usd = (amount: number) => ({ amount, currency: 'usd' })

/** Every entry touches `psp`; every other one reserves from the one seller whom everybody pays. */
const hot = (number: number): Posting =>
  number % 2 === 0
    ? charged({ order: `ord_${number}`, payment: `pi_${number}`, amount: usd(10_550), fee: usd(336), at: number })
    : reserved({ payout: `po_${number}`, seller: 'usr_hot', amount: usd(1), at: number })
/** So much that no reserve is refused. */
const wealth = (): Posting => ({
  id: 'wealth',
  kind: 'clear',
  at: 1,
  about: {},
  legs: [
    { account: 'clearing:usr_hot', amount: 1_000_000_000, currency: 'usd' },
    { account: 'available:usr_hot', amount: -1_000_000_000, currency: 'usd' },
  ],
})
const earned = (): Posting => ({
  id: 'earned',
  kind: 'complete',
  at: 1,
  about: {},
  legs: [
    { account: 'escrow:ord_hot', amount: 1_000_000_000, currency: 'usd' },
    { account: 'clearing:usr_hot', amount: -1_000_000_000, currency: 'usd' },
  ],
})
const paid = (): Posting => charged({ order: 'ord_hot', payment: 'pi', amount: usd(1_000_000_000), fee: usd(0), at: 1 })

type Opened = { book: Book; documents: Awaited<ReturnType<typeof openSqlite>>; close(): Promise<void> }
const opened = async (): Promise<Opened> => {
  const folder = mkdtempSync(join(tmpdir(), 'gigwire-ledger-'))
  const documents = await openSqlite({ file: join(folder, 'ledger.sqlite'), log: quiet })
  await documents.declare([batches, indexedEntries, lines, checkpoints] as never)
  return {
    documents,
    book: await openBook(documents, quiet),
    close: async () => {
      await documents.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** So many a second, however long each takes. */
const atPace = async (book: Book, from: number, perSecond: number, ms: number) => {
  const took: number[] = []
  const posts: Promise<void>[] = []
  const began = performance.now()
  for (let sent = 0; sent < (perSecond * ms) / 1000;) {
    const due = Math.floor(((performance.now() - began) / 1000) * perSecond)
    for (; sent < due; sent++) {
      const at = performance.now()
      posts.push(book.post([hot(from + sent)]).then(() => void took.push(performance.now() - at)))
    }
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  await Promise.all(posts)
  return latency(took)
}

export const entriesUnderLoad = async ({ inFlight, ms, rounds }: { inFlight: number; ms: number; rounds: number }) => {
  const { book, close } = await opened()
  try {
    await book.post([paid(), earned(), wealth()])
    let next = 0
    const post = async () => {
      const [outcome] = await book.post([hot(next++)])
      if (outcome !== 'posted') throw new Error(`an entry was ${outcome}`)
    }
    await underLoad({ inFlight, ms: 1000 }, post)
    const measured: Loaded[] = []
    for (let round = 0; round < rounds; round++) measured.push(await underLoad({ inFlight, ms }, post))
    await book.indexed()
    const paced = await atPace(book, next, 1000, ms)
    await book.stop()
    console.log(
      `\nLedger, every entry on one account, half of them guarded on one seller, durable when answered\n\n${table(
        ['Load', 'entries/s', 'CPU each', 'p50', 'p99'],
        [
          [`${inFlight} in flight`, ...loadCells(measured)],
          ['1,000 a second', '1,000', '', `${paced.p50.toFixed(1)} ms`, `${paced.p99.toFixed(1)} ms`],
        ],
      )}`,
    )
  } finally {
    await close()
  }
}

const FILL_AT_ONCE = 16
const FILL_POST = 100

export const largeBook = async (entries: number) => {
  const { book, documents, close } = await opened()
  try {
    await book.post([paid(), earned(), wealth()])
    const began = performance.now()
    for (let next = 0; next < entries; next += FILL_AT_ONCE * FILL_POST)
      await Promise.all(
        Array.from({ length: FILL_AT_ONCE }, (_, one) =>
          book.post(Array.from({ length: FILL_POST }, (_, at) => hot(next + one * FILL_POST + at))),
        ),
      )
    await book.indexed()
    const filled = (performance.now() - began) / 1000
    await book.stop()
    const timed = async <R>(work: () => Promise<R>): Promise<[R, number]> => {
      const at = performance.now()
      return [await work(), (performance.now() - at) / 1000]
    }
    const [warm, fromCheckpoint] = await timed(() => openBook(documents, quiet))
    await warm.stop()
    const [counted, chain] = await timed(async () => {
      let position: Position = BEGINNING
      const rebuilt = balances()
      for await (const { entries: some } of batchesAfter(documents, 0)) {
        const broken = brokenLink(position, some)
        if (broken) throw new Error(broken)
        for (const { legs } of some) rebuilt.apply(legs)
        const { seq, hash } = some.at(-1)!
        position = { seq, hash }
      }
      return position.seq
    })
    const checked = await openBook(documents, quiet)
    const [{ problems }, whole] = await timed(() => verifyBook(documents, checked))
    await checked.stop()
    if (problems.length > 0) throw new Error(`the book is not whole: ${problems.slice(0, 3).join('; ')}`)
    console.log(
      `\nA book of ${counted.toLocaleString('en')} entries (entered and indexed in ${filled.toFixed(0)} s)\n\n${table(
        ['What', 'seconds', 'entries/s'],
        [
          ['balances rebuilt and chain checked, all entries', chain.toFixed(1), perSecond(counted, chain)],
          ['the same, and every entry found under its name', whole.toFixed(1), perSecond(counted, whole)],
          ['cold start, from the last checkpoint', fromCheckpoint.toFixed(2), ''],
        ],
      )}`,
    )
  } finally {
    await close()
  }
}
const perSecond = (count: number, seconds: number): string => Math.round(count / seconds).toLocaleString('en')
