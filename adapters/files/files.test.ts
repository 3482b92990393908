import test, { type ExecutionContext } from 'ava'
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { diskFiles } from './disk.ts'
import { FILE_BYTES_MAX, type Files } from './index.ts'

const quiet = { info: () => {}, warn: () => {}, error: () => {} }
const PNG = 'image/png'

const opened = async (t: ExecutionContext): Promise<{ files: Files; dir: string; names: () => Promise<string[]> }> => {
  const dir = await mkdtemp(join(tmpdir(), 'files-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  const files = await diskFiles({ dir, log: quiet })
  t.teardown(() => files.close())
  const names = async (): Promise<string[]> =>
    (await readdir(dir, { recursive: true, withFileTypes: true }))
      .filter((one) => one.isFile())
      .map((one) => join(one.parentPath, one.name))
  return { files, dir, names }
}

const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

test('a file is found again under the hash of its bytes, also after a restart', async (t) => {
  const { files, dir } = await opened(t)
  const bytes = new TextEncoder().encode('a picture')
  const stored = await files.put(bytes, PNG)
  t.deepEqual(stored, { id: hash(bytes), type: PNG, bytes: 9 })
  const again = await diskFiles({ dir, log: quiet })
  const found = await again.get(stored.id)
  t.deepEqual([Buffer.from(found!.bytes).toString(), found!.type], ['a picture', PNG])
})

test('the same bytes are kept once, also when stored twenty times at one time', async (t) => {
  const { files, dir, names } = await opened(t)
  const bytes = Buffer.from('the same')
  const all = await Promise.all(Array.from({ length: 20 }, () => files.put(bytes, PNG)))
  t.deepEqual(new Set(all.map(({ id }) => id)), new Set([hash(bytes)]))
  t.deepEqual(await files.put(bytes, 'image/gif'), { id: hash(bytes), type: PNG, bytes: 8 })
  const path = join(dir, hash(bytes).slice(0, 2), hash(bytes).slice(2, 4), hash(bytes))
  t.deepEqual((await names()).sort(), [path, `${path}.type`])
})

test('a removed file is gone, and can be stored again', async (t) => {
  const { files, names } = await opened(t)
  const { id } = await files.put(Buffer.from('x'), PNG)
  t.deepEqual([await files.remove(id), await files.remove(id), await files.get(id)], [true, false, null])
  t.deepEqual(await names(), [])
  await files.put(Buffer.from('x'), PNG)
  t.truthy(await files.get(id))
})

test('bytes that rotted on the disk are not given out, and storing them anew heals the file', async (t) => {
  const { files, names } = await opened(t)
  const bytes = Buffer.from('a picture')
  const { id } = await files.put(bytes, PNG)
  const path = (await names()).find((name) => name.endsWith(id))!
  await writeFile(path, 'a picturE')
  t.is(await files.get(id), null)
  await files.put(bytes, PNG)
  t.deepEqual(Buffer.from((await files.get(id))!.bytes), bytes)
})

test('no id leads out of the folder', async (t) => {
  const { files, dir } = await opened(t)
  await writeFile(join(dir, 'secret'), 'secret')
  await writeFile(join(dir, 'secret.type'), 'text/plain')
  const id = hash(Buffer.from('x'))
  for (const bad of [
    'secret',
    '../secret',
    `..${'/..'.repeat(20)}/etc/passwd`,
    '',
    id.toUpperCase(),
    `${id}.type`,
    `${id}\0`,
    `${id}\n`,
    id.slice(1),
  ]) {
    t.is(await files.get(bad), null)
    t.is(await files.remove(bad), false)
  }
  t.is(await files.get(id), null)
})

test('an empty file, one too large and one without a type are refused and leave nothing', async (t) => {
  const { files, names } = await opened(t)
  await t.throwsAsync(files.put(new Uint8Array(0), PNG), { instanceOf: RangeError })
  await t.throwsAsync(files.put(new Uint8Array(FILE_BYTES_MAX + 1), PNG), { instanceOf: RangeError })
  for (const type of ['', 'png', 'image/png\r\nX: y', 'text/html; charset=x']) {
    await t.throwsAsync(files.put(new Uint8Array(1), type), { instanceOf: RangeError })
  }
  t.deepEqual(await names(), [])
  const { id } = await files.put(new Uint8Array(FILE_BYTES_MAX), PNG)
  t.is((await files.get(id))?.bytes.length, FILE_BYTES_MAX)
})

test('a store that fails leaves no half file behind, and a writer that died is cleaned up after', async (t) => {
  const { files, dir, names } = await opened(t)
  const bytes = Buffer.from('in the way')
  const id = hash(bytes)
  // a file where the folder would have to be
  await writeFile(join(dir, id.slice(0, 2)), '')
  await t.throwsAsync(files.put(bytes, PNG))
  t.deepEqual((await names()).length, 1)
  await writeFile(join(dir, 'tmp', 'old'), 'half')
  await utimes(join(dir, 'tmp', 'old'), 1, 1)
  await writeFile(join(dir, 'tmp', 'fresh'), 'half')
  await diskFiles({ dir, log: quiet })
  t.deepEqual(await readdir(join(dir, 'tmp')), ['fresh'])
})

test('a reader meanwhile sees the whole file or none', async (t) => {
  const { files, dir } = await opened(t)
  const bytes = Buffer.alloc(FILE_BYTES_MAX, 7)
  const id = hash(bytes)
  // seen from another reader while it is being written
  const reader = await diskFiles({ dir, log: { ...quiet, error: () => t.fail('half a file was seen') } })
  const written = files.put(bytes, PNG)
  let done = false
  void written.then(() => (done = true))
  while (!done) {
    const found = await reader.get(id)
    if (found) t.is(found.bytes.length, bytes.length)
  }
  t.truthy(await reader.get(id))
})
