import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { Documents } from '../../adapters/documents/index.ts'
import { openSqlite } from '../../adapters/documents/sqlite.ts'
import { isRefused } from '../errors.ts'
import { trialRows } from './balances.ts'
import { openBook } from './book.ts'
import { charged, cleared, completed, reserved, type Posting } from './contract.ts'
import { batches, checkpoints, entriesOf, indexedEntries, lines } from './journal.ts'
import { verifyBook } from './verification.ts'

const usd = (amount: number) => ({ amount, currency: 'usd' })
const log = { info() {}, warn() {}, error() {}, debug() {}, fatal() {}, trace() {} } as never
const earned = (order: string, seller: string, amount: number, at = 1): Posting[] => [
  charged({ order, payment: 'pi', amount: usd(amount), fee: usd(0), at }),
  completed({ order, seller, currency: 'usd', subtotal: amount, serviceFee: 0, commission: 0, at }),
  cleared({ order, seller, amount: usd(amount), at }),
]
const withdrawal = (payout: string, seller: string, amount: number) =>
  reserved({ payout, seller, amount: usd(amount), at: 1 })

const store = async (t: ExecutionContext): Promise<Documents> => {
  const dir = await mkdtemp(join(tmpdir(), 'ledger-'))
  const documents = await openSqlite({ file: join(dir, 'documents.sqlite'), log })
  await documents.declare([batches, indexedEntries, lines, checkpoints] as never)
  t.teardown(async () => {
    await documents.close()
    await rm(dir, { recursive: true, force: true })
  })
  return documents
}
const sum = (rows: { balance: { amount: number } }[]) => rows.reduce((total, { balance }) => total + balance.amount, 0)

test('posted twice is posted once, on one book, on another, and after a restart', async (t) => {
  const documents = await store(t)
  const book = await openBook(documents, log)
  const entries = earned('ord_1', 'usr_s', 5000)
  t.deepEqual(await book.post(entries), ['posted', 'posted', 'posted'])
  t.deepEqual(await book.post(entries), ['known', 'known', 'known'])
  const other = await openBook(documents, log)
  t.deepEqual(await other.post([...entries, withdrawal('po_1', 'usr_s', 1000)]), ['known', 'known', 'known', 'posted'])
  t.deepEqual(await book.post([withdrawal('po_1', 'usr_s', 1000)]), ['known'])
  await Promise.all([book.stop(), other.stop()])
  const reopened = await openBook(documents, log)
  const { balances, position } = await reopened.current()
  t.is(position.seq, 4)
  t.is(balances.of('available:usr_s', 'usd'), -4000)
  t.is(sum(trialRows(balances)), 0)
  t.deepEqual(await reopened.post([withdrawal('po_1', 'usr_s', 1000)]), ['known'])
  await reopened.stop()
})

test('one id with two meanings is refused and enters nothing of its request', async (t) => {
  const book = await openBook(await store(t), log)
  await book.post(earned('ord_1', 'usr_s', 5000))
  const error = await t.throwsAsync(book.post([...earned('ord_2', 'usr_s', 100), ...earned('ord_1', 'usr_s', 5001)]))
  t.true(isRefused(error, 'conflict'))
  t.is((await book.current()).position.seq, 3)
  t.true(
    isRefused(await t.throwsAsync(book.post([{ ...withdrawal('po', 'usr_s', 5), kind: 'gift' }])), 'validation_failed'),
  )
  await book.stop()
})

test('two books that both believe to be the writer never overdraw, lose or double an entry', async (t) => {
  const documents = await store(t)
  const books = await Promise.all([openBook(documents, log), openBook(documents, log)])
  await books[0]!.post(earned('ord_1', 'usr_s', 10_000))
  // 60 withdrawals of 500 want three times what is there; each is asked of both books at once, every book asked in bursts.
  const asked = Array.from({ length: 60 }, (_, at) => withdrawal(`po_${at}`, 'usr_s', 500))
  const outcomes = await Promise.all(
    asked.flatMap((posting) =>
      books.map(async (book) => ({ id: posting.id, outcome: (await book.post([posting]))[0]! })),
    ),
  )
  const posted = outcomes.filter(({ outcome }) => outcome === 'posted')
  t.is(posted.length, 20)
  t.is(new Set(posted.map(({ id }) => id)).size, 20)
  for (const book of books) {
    const { balances, position } = await book.current()
    t.is(position.seq, 23)
    t.is(balances.of('available:usr_s', 'usd'), 0)
    t.is(balances.of('in_payout:usr_s', 'usd'), -10_000)
    t.deepEqual(await verifyBook(documents, book), { entries: 23, problems: [] })
  }
  await Promise.all(books.map((book) => book.stop()))
})

test('a book that has not heard of money does not refuse it', async (t) => {
  const documents = await store(t)
  const books = await Promise.all([openBook(documents, log), openBook(documents, log)])
  await books[0]!.post(earned('ord_1', 'usr_s', 5000))
  t.deepEqual(await books[1]!.post([withdrawal('po_1', 'usr_s', 5000)]), ['posted'])
  t.deepEqual(await books[0]!.post([withdrawal('po_2', 'usr_s', 1)]), ['insufficient'])
  await Promise.all(books.map((book) => book.stop()))
})

test('a cold start from a checkpoint knows the same as one from the beginning, and a lost checkpoint is no loss', async (t) => {
  const documents = await store(t)
  const book = await openBook(documents, log, { checkpointEvery: 50 })
  for (let at = 0; at < 60; at++) await book.post(earned(`ord_${at}`, `usr_${at % 7}`, 1000 + at))
  const before = trialRows((await book.current()).balances)
  await book.stop()
  const { docs } = await documents.find(checkpoints, { index: 'byHead', order: 'desc' })
  t.is(docs.length, 2)
  t.true(docs[0]!.seq > 100)
  const fromCheckpoint = await openBook(documents, log)
  t.deepEqual(trialRows((await fromCheckpoint.current()).balances), before)
  t.deepEqual(await fromCheckpoint.post(earned('ord_0', 'usr_0', 1000)), ['known', 'known', 'known'])
  t.deepEqual(await verifyBook(documents, fromCheckpoint), { entries: 180, problems: [] })
  await fromCheckpoint.stop()
  for (const { id } of (await documents.scan(checkpoints)).docs) await documents.remove(checkpoints, id)
  const fromNothing = await openBook(documents, log)
  t.deepEqual(trialRows((await fromNothing.current()).balances), before)
  await fromNothing.stop()
})

test("an account's entries come newest first, in pages, also the platform's own", async (t) => {
  const documents = await store(t)
  const book = await openBook(documents, log)
  for (let at = 0; at < 9; at++) await book.post(earned(`ord_${at}`, 'usr_s', 1000, at))
  await book.indexed()
  for (const account of ['clearing:usr_s', 'psp']) {
    const seen: string[] = []
    let cursor: string | null = null
    do {
      const page: Awaited<ReturnType<typeof entriesOf>> = await entriesOf(documents, {
        account,
        limit: 4,
        ...(cursor && { cursor }),
      })
      seen.push(...page.data.map(({ id }) => id))
      cursor = page.next
    } while (cursor)
    const kinds = account === 'psp' ? ['paid'] : ['cleared', 'completed']
    t.deepEqual(
      seen,
      [8, 7, 6, 5, 4, 3, 2, 1, 0].flatMap((at) => kinds.map((kind) => `ord_${at}:${kind}`)),
    )
  }
  await book.stop()
})

test('an entry changed in the store is found by verify', async (t) => {
  const documents = await store(t)
  const book = await openBook(documents, log)
  await book.post(earned('ord_1', 'usr_s', 5000))
  const batch = (await documents.scan(batches)).docs[0]!
  const legs = batch.entries[0]!.legs.map((leg) => ({ ...leg, amount: leg.amount * 2 }))
  await documents.replace(
    batches,
    { ...batch, version: 2, entries: batch.entries.with(0, { ...batch.entries[0]!, legs }) },
    1,
  )
  const { problems } = await verifyBook(documents, book)
  t.regex(problems.join('\n'), /entry 1 \(ord_1:paid\) is not what it was/)
  t.regex(problems.join('\n'), /psp has 5000 usd, its entries come to 10000/)
  await book.stop()
})
