import test from 'ava'
import { outbox, QUEUE_MAX } from './outbox.ts'
import { webStorage } from './testing.ts'

const sending = (clientId: string, nth: number, conversation = 'cnv_1') => ({
  conversation,
  clientId,
  text: clientId,
  at: 1000,
  nth,
})

test('what waits is in the order given, also after a reload', (t) => {
  const storage = webStorage()
  const box = outbox(storage, 'usr_a')
  for (const nth of [0, 1, 2, 10, 11]) box.add(sending(`c${nth}`, nth))
  box.remove(box.first('cnv_1')!)
  t.deepEqual(
    outbox(storage, 'usr_a')
      .all()
      .map(({ nth }) => nth),
    [1, 2, 10, 11],
  )
})

test('nobody sends what another account wrote on the same machine', (t) => {
  const storage = webStorage()
  outbox(storage, 'usr_a').add(sending('c1', 0))
  t.deepEqual(outbox(storage, 'usr_b').all(), [])
})

test('two pages on one storage do not write over each other', (t) => {
  const storage = webStorage()
  const [one, other] = [outbox(storage, 'usr_a'), outbox(storage, 'usr_a')]
  one.add(sending('c1', 0))
  other.add(sending('c2', 1))
  one.remove(one.first('cnv_1')!)
  t.deepEqual(
    outbox(storage, 'usr_a')
      .all()
      .map(({ clientId }) => clientId),
    ['c2'],
  )
})

test('a full queue and a full storage take no more', (t) => {
  const box = outbox()
  for (let nth = 0; nth < QUEUE_MAX; nth++) t.true(box.add(sending(`c${nth}`, nth)))
  t.false(box.add(sending('one more', QUEUE_MAX)))
  t.false(outbox(webStorage(0), 'usr_a').add(sending('c1', 0)))
})

test('what is broken in a storage is passed over', (t) => {
  const storage = webStorage()
  storage.setItem('gigwire.sending.usr_a.cnv_1.c0', '{')
  storage.setItem('something else', '{}')
  outbox(storage, 'usr_a').add(sending('c1', 1))
  t.is(outbox(storage, 'usr_a').all().length, 1)
})
