import test from 'ava'
import { crowd, NOT_NOW } from './crowd.ts'

const numbersTo = (count: number) => Array.from({ length: count }, (_, at) => at + 1)

test('what many ask in one turn is one question of at most so many, and everybody has their own answer', async (t) => {
  const sizes: number[] = []
  const double = crowd<number, number>({
    most: 10,
    ask: async (all) => {
      sizes.push(all.length)
      return all.map((n) => 2 * n)
    },
  })
  t.deepEqual(
    await Promise.all(numbersTo(25).map(double)),
    numbersTo(25).map((n) => 2 * n),
  )
  t.deepEqual(sizes, [10, 10, 5])
  t.is(await double(7), 14)
})

test('for whom there was no room is asked again, before those who came later', async (t) => {
  const asked: (readonly number[])[] = []
  const narrow = crowd<number, number>({
    most: 4,
    ask: async (all) => {
      asked.push(all)
      await new Promise((resolve) => setImmediate(resolve))
      return all.map((n, at) => (at === 0 ? n : NOT_NOW))
    },
  })
  t.deepEqual(await Promise.all(numbersTo(12).map(narrow)), numbersTo(12))
  t.deepEqual(asked.slice(0, 3), [
    [1, 2, 3, 4],
    [5, 6, 7, 8],
    [2, 3, 4, 9],
  ])
})

test('who is refused is told so; whoever comes next is asked about anew, also while an answer is long in coming', async (t) => {
  const held = Promise.withResolvers<void>()
  const some = crowd<string, string>({
    most: 10,
    ask: async (all) => {
      if (all.some((one) => one.startsWith('slow'))) await held.promise
      if (all.includes('bad')) throw new Error('refused')
      return all
    },
  })
  const slow: Promise<string>[] = []
  for (const one of ['slow', 'slow too']) {
    slow.push(some(one))
    await new Promise((resolve) => setImmediate(resolve))
  }
  await t.throwsAsync(some('bad'), { message: 'refused' })
  t.is(await some('fine'), 'fine')
  held.resolve()
  t.deepEqual(await Promise.all(slow), ['slow', 'slow too'])
})

test('for whom a slow answer had no room is asked again, though nobody else comes', async (t) => {
  const rooms = [1, 3]
  const some = crowd<number, number>({
    most: 10,
    ask: async (all) => {
      await new Promise((resolve) => setTimeout(resolve, 100))
      const room = rooms.shift() ?? 0
      return all.map((n, at) => (at < room ? n : NOT_NOW))
    },
  })
  t.deepEqual(await Promise.all([1, 2, 3].map(some)), [1, 2, 3])
})
