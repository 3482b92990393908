import test from 'ava'
import { isRefused } from '../services/errors.ts'
import { mailbox, TOGETHER_MAX, type Asked } from './mailbox.ts'

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

test('turns of one kind that wait behind each other are one, up to so many; another one in between ends it', async (t) => {
  const box = mailbox<number>({ ...limits, waitingMax: 200 })
  const turns: string[][] = []
  const say = async (_: unknown, all: readonly Asked<string, string>[]) => {
    turns.push(all.map(({ item }) => item))
    for (const { item, resolve } of all) resolve(item.toUpperCase())
  }
  const answers = await Promise.all([
    box.runTogether('a', undefined, 'one', say),
    box.runTogether('a', undefined, 'two', say),
    box.run('a', undefined, async () => void turns.push(['alone'])),
    box.runTogether('b', undefined, 'other key', say),
    box.runTogether('a', undefined, 'three', say),
  ])
  t.deepEqual(answers, ['ONE', 'TWO', undefined, 'OTHER KEY', 'THREE'])
  t.deepEqual(turns.toSorted(), [['alone'], ['one', 'two'], ['other key'], ['three']])
  turns.length = 0
  await Promise.all(Array.from({ length: TOGETHER_MAX + 3 }, (_, at) => box.runTogether('a', undefined, `${at}`, say)))
  t.deepEqual(
    turns.map(({ length }) => length),
    [TOGETHER_MAX, 3],
  )
  await box.drained()
  t.is(box.size().waiting, 0)
  box.stop()
})

test('a turn of many that fails fails for those who have no answer yet, and for nobody behind it', async (t) => {
  const box = mailbox<number>({ ...limits, waitingMax: 10 })
  let turns = 0
  const first = async (_: unknown, [one]: readonly Asked<number, number>[]) => {
    turns++
    one!.resolve(one!.item)
    throw new Error('broken')
  }
  const late = box.runTogether('a', Date.now() - 1, 0, first)
  const all = [1, 2, 3].map((item) => box.runTogether('a', undefined, item, first))
  const settled = await Promise.allSettled([late, ...all])
  t.deepEqual(
    settled.map(({ status }) => status),
    ['rejected', 'fulfilled', 'rejected', 'rejected'],
  )
  t.is(turns, 1)
  t.is(await box.run('a', undefined, async () => 4), 4)
  await box.drained()
  box.stop()
})
