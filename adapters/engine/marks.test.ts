import test from 'ava'
import fc from 'fast-check'
import type { Matched } from './index.ts'
import { marksOf } from './marks.ts'

const marked = (text: string, matched: Partial<Matched>) =>
  marksOf(text, { words: [], starts: [], ...matched }).map(([from, to]) => text.slice(from, to))

test('words are marked as they are written, whatever their case, accents and script', (t) => {
  t.deepEqual(marked('Café RÉSUMÉ for C++', { words: ['cafe', 'resume', 'c++'] }), ['Café', 'RÉSUMÉ', 'C++'])
  t.deepEqual(marked('cafe\u0301s', { words: ['cafes'] }), ['cafe\u0301s'])
  t.deepEqual(marked('专业网站设计服务 logo', { words: ['网站', '站设', '设计'] }), ['网站设计'])
  t.deepEqual(marked('<b>logo</b>', { words: ['logo'] }), ['logo'])
})

test('of a word that only starts like it, the start is marked', (t) => {
  t.deepEqual(marked('Designers design', { starts: ['desi'] }), ['Desi', 'desi'])
  t.deepEqual(marked('Straßenfest', { starts: ['strass'] }), ['Straß'])
})

test('marks rise, do not touch each other, and lie within the text, whatever the text', (t) => {
  const words = fc.array(fc.constantFrom('a', 'logo', 'ss', '设计', '设', 'ロゴ'), { maxLength: 4 })
  const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 80 }), fc.stringMatching(/^[a设计ロゴß logo🙂]{0,80}$/u))
  fc.assert(
    fc.property(text, words, words, (any, whole, starts) => {
      let end = 0
      for (const [from, to] of marksOf(any, { words: whole, starts })) {
        t.true(from >= end && to > from && to <= any.length)
        end = to
      }
    }),
    { numRuns: 300 },
  )
})
