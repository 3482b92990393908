import test from 'ava'
import { startNode, type TestNode } from '../../test/node.ts'
import type { Caller } from '../shapes.ts'
import audit from './audit.service.ts'
import { chained, hashOf, BEGINNING } from './chain.ts'
import { DATA_CHARS_MAX, type AuditDraft } from './contract.ts'
import { auditEntries, openLog } from './log.ts'

const admin: Caller = { id: 'usr_admin', username: 'admin', roles: ['buyer', 'admin'], sessionId: 'ses_1' }
const asAdmin = { meta: { caller: admin } }
const entry = (given: Partial<AuditDraft> = {}): AuditDraft => ({
  kind: 'event',
  actor: 'usr_admin',
  action: 'order.resolveDispute',
  target: 'dsp_1',
  data: { reason: 'half each' },
  ...given,
})
const record = ({ call }: TestNode, id: string, given: Partial<AuditDraft> = {}) =>
  call('audit.record', { log: 'main', id, entry: entry(given) })
const verified = async ({ call }: TestNode) => (await call('audit.verify', {})).problems

const start = async (): Promise<TestNode> => startNode({ services: [audit] })

test('entries are numbered from one, each chained to the one before, and recorded once', async (t) => {
  const node = await start()
  t.teardown(node.stop)
  await Promise.all(Array.from({ length: 20 }, (_, at) => record(node, `id-${at}`)))
  t.deepEqual(await record(node, 'id-3'), await record(node, 'id-3'))
  const { data, head } = await node.call('audit.list', { limit: 100 }, asAdmin)
  t.deepEqual(
    data.map(({ seq }) => seq),
    Array.from({ length: 20 }, (_, at) => 20 - at),
  )
  t.deepEqual(head, { seq: 20, hash: data[0]!.hash })
  t.true(data.slice(0, -1).every(({ previousHash }, at) => previousHash === data[at + 1]!.hash))
  t.deepEqual(await verified(node), [])
})

test('what is changed, taken out or put in behind its back is found', async (t) => {
  const node = await start()
  t.teardown(node.stop)
  for (const at of [1, 2, 3, 4, 5]) await record(node, `id-${at}`)
  const documents = await node.open('documents')
  const [third, fourth] = [
    await documents.get(auditEntries, '000000000003'),
    await documents.get(auditEntries, '000000000004'),
  ]
  await documents.replace(auditEntries, { ...third!, version: 2, data: { reason: 'all of it' } }, 1)
  t.deepEqual(await verified(node), ['entry 3 is not what it was when it was written'])
  const forged = { ...third!, data: { reason: 'all of it' } }
  await documents.replace(auditEntries, { ...forged, version: 3, hash: hashOf(forged) }, 2)
  t.deepEqual(await verified(node), ['entry 4 does not follow the one before it'])
  await documents.replace(auditEntries, { ...third!, version: 4 }, 3)
  t.deepEqual(await verified(node), [])
  await documents.remove(auditEntries, fourth!.id)
  t.deepEqual(await verified(node), ['entry 4 is missing, 5 is in its place'])
})

test('two writers who both believe to keep the log make one chain', async (t) => {
  const node = await start()
  t.teardown(node.stop)
  const documents = await node.open('documents')
  const logs = [openLog(documents, Date.now), openLog(documents, Date.now)]
  t.teardown(() => Promise.all(logs.map((log) => log.stop())))
  const soon = Date.now() + 10_000
  await Promise.all(Array.from({ length: 12 }, (_, at) => logs[at % 2]!.append(`id-${at}`, entry(), soon)))
  t.deepEqual(await verified(node), [])
  t.is((await logs[0]!.head()).seq, 12)
})

test('it is narrowed to what somebody did, and to what was done to something, in pages', async (t) => {
  const node = await start()
  t.teardown(node.stop)
  await record(node, '1', { actor: 'usr_a', target: 'gig_1' })
  await record(node, '2', { actor: 'usr_b', target: 'gig_1' })
  await record(node, '3', { actor: 'usr_a', target: null })
  await record(node, '4', { actor: 'usr_a', target: 'gig_1' })
  const seqs = async (asked: object) => {
    const { data, nextCursor } = await node.call('audit.list', asked as never, asAdmin)
    return { seqs: data.map(({ seq }) => seq), nextCursor }
  }
  t.deepEqual((await seqs({ actor: 'usr_a' })).seqs, [4, 3, 1])
  t.deepEqual((await seqs({ target: 'gig_1' })).seqs, [4, 2, 1])
  t.deepEqual((await seqs({ actor: 'usr_a', target: 'gig_1' })).seqs, [4, 1])
  const first = await seqs({ limit: 3 })
  t.deepEqual((await seqs({ limit: 3, cursor: first.nextCursor })).seqs, [1])
})

test('a long text is cut, a longer one leaves its digest, and both say so', (t) => {
  const withData = (data: AuditDraft['data']) => chained(BEGINNING, entry({ data }), 0).data
  t.deepEqual(withData({ reason: 'x'.repeat(400), left: undefined }), { reason: 'x'.repeat(400) })
  t.deepEqual(withData({ reason: 'x'.repeat(DATA_CHARS_MAX) }), { reason: 'x'.repeat(500), cut: true })
  const many = Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`text${at}`, 'x'.repeat(500)]))
  t.deepEqual(Object.keys(withData(many)), ['cut', 'digest'])
})

test('the same data is the same hash in whatever order its names stand', (t) => {
  const one = chained(BEGINNING, entry({ data: { b: 1, a: { d: [1], c: 2 } } }), 0)
  const other = chained(BEGINNING, entry({ data: { a: { c: 2, d: [1] }, b: 1 } }), 0)
  t.is(one.hash, other.hash)
})
