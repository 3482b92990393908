import test from 'ava'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { browserFile, COMPRESSED_BYTES_MAX, sizes } from './build.ts'
import type * as Client from './index.ts'
import { ann, startTalk } from './testing.ts'

test('the file for browsers is smaller than 5 KB compressed', (t) => {
  const { gzip, brotli } = sizes(browserFile())
  t.true(gzip < COMPRESSED_BYTES_MAX, `gzip ${gzip}`)
  t.true(brotli < COMPRESSED_BYTES_MAX, `brotli ${brotli}`)
})

test('the file for browsers is the same client: no type, no import, and it talks', async (t) => {
  const text = browserFile()
  t.false(/^\s*import\b/m.test(text))
  const folder = await mkdtemp(join(tmpdir(), 'gigwire-client-'))
  const talk = await startTalk()
  t.teardown(async () => {
    await talk.stop()
    await rm(folder, { recursive: true, force: true })
  })
  await writeFile(join(folder, 'client.mjs'), text)
  const { connect, ClientError } = (await import(join(folder, 'client.mjs'))) as typeof Client
  const client = connect({ url: talk.socketUrl, token: () => talk.tokenOf(ann) })
  t.teardown(client.close)
  t.is((await client.send(talk.conversation, 'from a browser’s file')).seq, 1)
  await t.throwsAsync(client.send('cnv_none', 'x'), { instanceOf: ClientError as never, code: 'not_found' })
})
