import test from 'ava'
import { eventually, type TestNode } from '../../test/node.ts'
import type { Caller } from '../shapes.ts'
import media from '../media/media.service.ts'
import { MASK } from '../moderation/contract.ts'
import moderation from '../moderation/moderation.service.ts'
import { as, codeOf, listen, open, person, send, signUp, startChat } from './testing.ts'

const ann = person('ann')
const moderator: Caller = { ...person('moderator'), roles: ['buyer', 'moderator'] }
let node: TestNode
test.before(async () => {
  node = await startChat([ann], { more: [moderation, media] })
})
test.after.always(() => node?.stop())

const withSomebody = async (username: string) => {
  const other = person(username)
  await signUp(node, other)
  return { id: await open(node, ann, other), other }
}
/** Of a test's conversation: each has its own, with messages of its own. */
const suspects = async (conversation: string) => {
  const { data } = await node.call('moderation.queue', { type: 'message', limit: 100 }, as(moderator))
  const { messages } = await node.call('chat.history', { id: conversation, limit: 100 }, as(ann))
  return data.filter(({ target }) => messages.some(({ id }) => id === target.id))
}
const decide = async (message: string, decision: 'release' | 'remove') => {
  const queue = async (status: 'waiting' | 'decided') =>
    (await node.call('moderation.queue', { status, limit: 100 }, as(moderator))).data
  const known = [...(await queue('waiting')), ...(await queue('decided'))].find(({ target }) => target.id === message)!
  return node.call('moderation.decide', { id: known.id, decision, reason: 'rude' }, as(moderator))
}
const waiting = (conversation: string, count: number) =>
  eventually(
    () => suspects(conversation),
    (list) => list.length === count,
  )
const history = async (id: string, who = ann) => (await node.call('chat.history', { id }, as(who))).messages

test('contact details are replaced before a message is stored, and its sender is told', async (t) => {
  const { id, other } = await withSomebody('masked')
  const { told, stop } = await listen(node, other)
  const sent = await send(node, id, ann, 'm', 'write to jane@example.com')
  t.deepEqual([sent.text, sent.masked], [`write to ${MASK}`, true])
  t.deepEqual(told[0]!.data, sent)
  const [suspect] = await waiting(id, 1)
  t.deepEqual([suspect!.outcome, suspect!.reasons, suspect!.target.id], ['mask', ['an e-mail address'], sent.id])
  t.is(suspect!.snapshot!.text, `write to ${MASK}`)
  const edited = await node.call('chat.edit', { id, message: sent.id, text: 'never mind' }, as(ann))
  t.deepEqual([edited.text, edited.masked], ['never mind', undefined])
  await stop()
})

test('a flagged message is shown like any other, and waits for a moderator', async (t) => {
  const { id, other } = await withSomebody('flagged')
  const sent = await send(node, id, ann, 'f', 'you idiot')
  t.deepEqual([sent.text, sent.held, sent.masked], ['you idiot', undefined, undefined])
  t.is((await history(id, other))[0]!.text, 'you idiot')
  t.is((await waiting(id, 1))[0]!.outcome, 'flag')
})

test('a held message is seen by its sender alone until it is released; numbers stay dense', async (t) => {
  const { id, other } = await withSomebody('held')
  const { told, stop } = await listen(node, other)
  const { told: own, stop: stopOwn } = await listen(node, ann)
  const sent = await send(node, id, ann, 'h', 'I will kill you')
  t.deepEqual([sent.seq, sent.text, sent.held], [1, 'I will kill you', true])
  t.is((await send(node, id, ann, 'next')).seq, 2)
  const hidden = { ...sent, text: '' }
  t.deepEqual(
    told.map(({ data }) => data.text),
    ['', 'next'],
  )
  t.deepEqual(told[0]!.data, hidden)
  t.deepEqual(own.find(({ data }) => data.conversation === id)!.data, sent)
  t.deepEqual((await history(id, other))[0], hidden)
  t.deepEqual((await history(id))[0], sent)
  const asked = { conversations: { [id]: 0 }, changes: { [id]: 0 } }
  for (let again = 0; again < 2; again++) {
    t.deepEqual((await node.call('chat.sync', asked, as(other))).conversations[id]!.messages[0], hidden)
    t.deepEqual((await node.call('chat.sync', asked, as(ann))).conversations[id]!.messages[0], sent)
  }
  await waiting(id, 1)
  const decided = await decide(sent.id, 'release')
  t.is(decided.decision?.decision, 'approve')
  t.deepEqual(await decide(sent.id, 'release'), decided)
  const { ev, data } = told.at(-1)!
  t.deepEqual([ev, data.text, data.held, data.change], ['message.edited', 'I will kill you', undefined, 1])
  t.deepEqual((await history(id, other))[0], data)
  t.deepEqual((await node.call('chat.sync', asked, as(other))).conversations[id]!.changed, [data])
  t.deepEqual(await suspects(id), [])
  await stop()
  await stopOwn()
})

test('the list of conversations shows nothing of a held message either', async (t) => {
  const { id, other } = await withSomebody('listed')
  await send(node, id, ann, 'h', 'kill yourself')
  const of = async (who: typeof ann) => (await node.call('chat.get', { id }, as(who))).lastMessage!.text
  t.deepEqual([await of(other), await of(ann)], ['', 'kill yourself'])
})

test('a held message that is removed is a deleted one, and cannot be released any more', async (t) => {
  const { id, other } = await withSomebody('removed')
  const { told, stop } = await listen(node, other)
  const sent = await send(node, id, ann, 'h', 'kill yourself')
  await waiting(id, 1)
  t.is((await decide(sent.id, 'remove')).status, 'decided')
  const { ev, data } = told.at(-1)!
  t.deepEqual([ev, data.seq, data.text, data.deleted, data.held], ['message.deleted', 1, '', true, undefined])
  t.is((await history(id))[0]!.text, '')
  t.is(await codeOf(decide(sent.id, 'release')), 'invalid_transition')
  await stop()
})

test('what is held stays held whatever its sender changes it to', async (t) => {
  const { id, other } = await withSomebody('edited')
  const sent = await send(node, id, ann, 'h', 'kill yourself')
  const edited = await node.call('chat.edit', { id, message: sent.id, text: 'have a nice day' }, as(ann))
  t.deepEqual([edited.text, edited.held], ['have a nice day', true])
  t.is((await history(id, other))[0]!.text, '')
  const fine = await send(node, id, ann, 'fine')
  const worse = await node.call('chat.edit', { id, message: fine.id, text: 'kill yourself' }, as(ann))
  t.true(worse.held)
  t.is((await history(id, other))[1]!.text, '')
})

test('a suspected message sent twice is one message and one suspicion', async (t) => {
  const { id } = await withSomebody('twice')
  const both = await Promise.all([send(node, id, ann, 'x', 'you idiot'), send(node, id, ann, 'x', 'you idiot')])
  t.deepEqual(both[0], both[1])
  await waiting(id, 1)
  t.is((await history(id)).length, 1)
})

test('an attachment that names a stored file must be one', async (t) => {
  const { id } = await withSomebody('attached')
  const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
  const { id: file } = await node.call('media.upload', { body: png }, as(ann))
  const sendWith = (clientId: string, ...attachments: string[]) =>
    node.call('chat.send', { id, clientId, text: 'see', attachments }, as(ann))
  const fine = [file, `/media/${file}`, 'https://example.test/a.png']
  t.deepEqual((await sendWith('fine', ...fine)).attachments, fine)
  const unknown = '0'.repeat(64)
  for (const one of [unknown, `/media/${unknown}`, 'med_1'])
    t.is(await codeOf(sendWith(`bad-${one.length}`, file, one)), 'validation_failed', one)
  t.is((await history(id)).length, 1)
})
