import test, { type ExecutionContext } from 'ava'
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { held, HeldError } from './hold.ts'

const newDir = async (t: ExecutionContext): Promise<string> => {
  const dir = await mkdtemp(join(tmpdir(), 'gigwire-hold-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  return dir
}
const thing = async () => ({ name: 'thing', close: async () => undefined })

/** Another process that holds the folder until it ends. */
const holder = async (t: ExecutionContext, dir: string): Promise<ChildProcess> => {
  const code = `import { held } from ${JSON.stringify(new URL('hold.ts', import.meta.url).href)}
    await held(${JSON.stringify(dir)}, async () => ({ close: async () => undefined }))
    console.log('held')
    setInterval(() => undefined, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => void child.kill('SIGKILL'))
  await new Promise<void>((resolve, reject) => {
    child.stdout!.once('data', () => resolve())
    child.once('exit', (status) => reject(new Error(`the holder ended with ${status}`)))
  })
  return child
}
const ended = (child: ChildProcess) => new Promise((resolve) => child.once('exit', resolve))

test('a folder has one holder at a time, and the next when it is given back', async (t) => {
  const dir = await newDir(t)
  const first = await held(dir, thing)
  t.is(first.name, 'thing')
  const error = await t.throwsAsync(held(dir, thing, 0), { instanceOf: HeldError })
  t.true(error.message.includes(`process ${process.pid}`))
  await first.close()
  await (await held(dir, thing, 0)).close()
})

test('a second process is told who has the folder; one that was killed has nothing any more', async (t) => {
  const dir = await newDir(t)
  const child = await holder(t, dir)
  const error = await t.throwsAsync(held(dir, thing, 0), { instanceOf: HeldError })
  t.true(error.message.includes(`process ${child.pid}`))
  const over = ended(child)
  child.kill('SIGKILL')
  await over
  await (await held(dir, thing, 0)).close()
})

test('a holder that is ending is waited for', async (t) => {
  const dir = await newDir(t)
  const first = await held(dir, thing)
  const second = held(dir, thing, 60_000)
  await new Promise((resolve) => setTimeout(resolve, 300))
  await first.close()
  await (await second).close()
  t.pass()
})

test('what cannot be opened is not held', async (t) => {
  const dir = await newDir(t)
  await t.throwsAsync(
    held(dir, () => Promise.reject(new Error('broken'))),
    { message: 'broken' },
  )
  await (await held(dir, thing, 0)).close()
})

test('a lock full of rubbish is held by nobody, and holds again once it was taken', async (t) => {
  const dir = await newDir(t)
  await writeFile(join(dir, 'holder.lock'), Buffer.alloc(4096, 'rubbish'))
  const first = await held(dir, thing, 0)
  await t.throwsAsync(held(dir, thing, 0), { instanceOf: HeldError })
  await first.close()
})
