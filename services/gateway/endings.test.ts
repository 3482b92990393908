import test from 'ava'
import { endings, generations } from './endings.ts'

test('what has ended since is known, and what is too long ago to know counts as ended', (t) => {
  const ended = endings(10)
  const start = ended.now()
  t.false(ended.since(start, ['a']))
  ended.end('a')
  t.true(ended.since(start, ['b', 'a']))
  t.false(ended.since(start, ['b']))
  const later = ended.now()
  t.false(ended.since(later, ['a']))
  for (let n = 0; n < 4; n++) ended.end(`x${n}`)
  t.true(ended.since(start, ['a']))
  t.false(ended.since(start, ['b']))
  for (let n = 0; n < 10; n++) ended.end(`y${n}`)
  t.true(ended.since(start, ['b']), 'nobody knows any more')
  t.false(ended.since(ended.now(), ['b', 'y9']))
  ended.endAll()
  t.true(ended.since(later, []))
  t.false(ended.since(ended.now(), ['a']))
})

test('an answer is behind when one of its names has moved, and not for the others', (t) => {
  const moving = generations()
  const stand = moving.of(['category:design', 'search'])
  t.false(moving.isBehind(stand))
  moving.move('category:writing')
  t.false(moving.isBehind(stand))
  moving.move('search')
  t.true(moving.isBehind(stand))
  t.false(moving.isBehind(moving.of(['category:design', 'search'])))
  t.false(moving.isBehind(moving.of([])))
})
