import test from 'ava'
import { isRefused } from '../services/errors.ts'
import { mailbox } from './mailbox.ts'

const limits = { waitingMax: 3, keysMax: 10, idleMs: 60_000 }
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

test('turns of one key run one at a time in the order asked, other keys do not wait', async (t) => {
  const box = mailbox<number>({ ...limits, waitingMax: 100 })
  const seen: string[] = []
  let release = () => {}
  const held = new Promise<void>((resolve) => (release = resolve))
  const first = box.run('a', undefined, async () => {
    await held
    seen.push('a0')
  })
  const others = [1, 2, 3].map((at) => box.run('a', undefined, async () => void seen.push(`a${at}`)))
  await box.run('b', undefined, async () => void seen.push('b'))
  t.deepEqual(seen, ['b'])
  release()
  await Promise.all([first, ...others])
  t.deepEqual(seen, ['b', 'a0', 'a1', 'a2', 'a3'])
  box.stop()
})

test('a full mailbox refuses at once and says when to come back', async (t) => {
  const box = mailbox<number>(limits)
  let release = () => {}
  const running = box.run('a', undefined, () => new Promise<void>((resolve) => (release = resolve)))
  const waiting = [1, 2, 3].map(() => box.run('a', undefined, async () => 1))
  const error = await t.throwsAsync(box.run('a', undefined, async () => 2))
  t.true(isRefused(error, 'overloaded'))
  release()
  await Promise.all([running, ...waiting])
  t.is(await box.run('a', undefined, async () => 3), 3)
  box.stop()
})

test('a turn past its deadline is refused, not run', async (t) => {
  const box = mailbox<number>(limits)
  let ran = false
  const slow = box.run('a', undefined, () => pause(30))
  const late = box.run('a', Date.now() + 5, async () => void (ran = true))
  t.true(isRefused(await t.throwsAsync(late), 'overloaded'))
  await slow
  t.false(ran)
  box.stop()
})

test('a turn that fails does not hold up the next', async (t) => {
  const box = mailbox<number>(limits)
  await t.throwsAsync(
    box.run('a', undefined, async () => Promise.reject(new Error('broken'))),
    { message: 'broken' },
  )
  t.is(await box.run('a', undefined, async () => 1), 1)
  box.stop()
})

test('memory follows activity: the least used idle keys are forgotten first', async (t) => {
  const box = mailbox<number>(limits)
  for (let at = 0; at < 25; at++) await box.run(`k${at}`, undefined, async (slot) => void (slot.state = at))
  t.is(box.size().keys, 10)
  t.is(await box.run('k24', undefined, async (slot) => slot.state), 24)
  t.is(await box.run('k3', undefined, async (slot) => slot.state), undefined)
  box.stop()
})

test('drained resolves when the last turn is done', async (t) => {
  const box = mailbox<number>(limits)
  let done = false
  void box.run('a', undefined, async () => {
    await pause(20)
    done = true
  })
  await box.drained()
  t.true(done)
  box.stop()
})
