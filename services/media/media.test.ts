import test from 'ava'
import { deflateSync } from 'node:zlib'
import { startNode, type TestNode } from '../../test/node.ts'
import { refusal } from '../errors.ts'
import media from './media.service.ts'

let node: TestNode
test.before(async () => {
  node = await startNode({ services: [media] })
})
test.after.always(() => node.stop())

const as = { meta: { caller: { id: 'usr_1', username: 'one', roles: ['buyer' as const], sessionId: 'ses_1' } } }
const codeOf = (asked: Promise<unknown>) =>
  asked.then(
    () => 'ok',
    (error: unknown) => refusal(error)?.code,
  )

const part = (name: string, data: Buffer): Buffer => {
  const head = Buffer.alloc(8)
  head.writeUInt32BE(data.length)
  head.write(name, 4, 'latin1')
  return Buffer.concat([head, data, Buffer.alloc(4)])
}
const png = (width: number, height: number): Buffer => {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width)
  header.writeUInt32BE(height, 4)
  header.set([8, 0, 0, 0, 0], 8)
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  return Buffer.concat([
    signature,
    part('IHDR', header),
    part('IDAT', deflateSync(Buffer.alloc(64))),
    part('IEND', Buffer.alloc(0)),
  ])
}

test('an image is kept under the hash of its bytes and read back as it was', async (t) => {
  const body = png(4, 4).toString('base64')
  const { id, url } = await node.call('media.upload', { body }, as)
  t.regex(id, /^[0-9a-f]{64}$/)
  t.is(url, `/media/${id}`)
  t.deepEqual(await node.call('media.upload', { body }, as), { id, url })
  t.deepEqual(await node.call('media.read', { id }), { body, type: 'image/png' })
})

test('what is no image by its content is refused, whatever it claims', async (t) => {
  for (const body of [
    Buffer.from('<svg onload=alert(1)>'),
    Buffer.alloc(0),
    Buffer.from('GIF89a nothing more'),
    png(60_000, 60_000),
  ])
    t.is(await codeOf(node.call('media.upload', { body: body.toString('base64') }, as)), 'unsupported_media_type')
  t.is(
    await codeOf(node.call('media.upload', { body: Buffer.alloc(10 * 1024 * 1024 + 1).toString('base64') }, as)),
    'body_too_large',
  )
})

test('a stranger uploads nothing, and what is not there reads as nothing', async (t) => {
  t.is(await codeOf(node.call('media.upload', { body: 'AAAA' })), 'unauthenticated')
  t.is(await node.call('media.read', { id: 'f'.repeat(64) }), null)
  t.is(await node.call('media.read', { id: '../../etc/passwd' }), null)
})
