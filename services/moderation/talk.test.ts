import test from 'ava'
import fc from 'fast-check'
import { contactsIn } from './contact.ts'
import { normal } from './normal.ts'
import { judge, MASK, TALKING, type Outcome } from './talk.ts'

const ORDINARY = [
  'Hello, could you tell me how long the second draft would take?',
  'Order 1700000000000 is ready, see order#1234 and invoice#2231.',
  'm-1732512345678-5 of run 0012345678, item 1732512345-12, tag msg#1234',
  '550e8400-1234-4567-8901-446655440000 is the id of the file',
  'The budget is $1 000 000, due 2026-01-31, at 1920x1080.',
  'Here is a mood board: https://example.com/board and my shop etsy.com',
  'A Telegram bot that posts to Facebook, with a line of text and a signal.',
  'This bug kills the server; the deadline is killing me!',
  'Bob (at last) wrote back at noon dot on time.',
  'Логотип готов, посмотрите, пожалуйста.',
  '👍🎨',
]
for (const text of ORDINARY)
  test(`ordinary talk passes as it was said: ${text}`, (t) =>
    t.deepEqual(judge(text), { outcome: 'pass', text, masked: false, reasons: [] }))

const MASKED: [said: string, stored: string][] = [
  ['write to jane.doe@example.com please', `write to ${MASK} please`],
  ['write to jane (at) example (dot) com please', `write to ${MASK} please`],
  ['call +49 151 2345 6789 tonight', `call ${MASK} tonight`],
  ['my number is 5551234567', `my number is ${MASK}`],
  ['(030) 1234 5678 is the studio', `${MASK} is the studio`],
  ['order 1700000000000: jane@example.com', `order 1700000000000: ${MASK}`],
  ['on discord I am jane#1234', `on discord I am ${MASK}`],
  ['find me on t.me/janedoe ok?', `find me on ${MASK} ok?`],
  ['telegram: @janedoe', MASK],
  ['first line\nj a n e @ g m a i l . c o m\nlast line', `first line\n${MASK}\nlast line`],
  ['see\njane@\u200bexample.com', `see\n${MASK}`],
  ['jane@gmail\n.com', MASK],
]
for (const [said, stored] of MASKED)
  test(`contact details give way to a marker: ${JSON.stringify(said)}`, (t) => {
    const { outcome, text } = judge(said)
    t.deepEqual([outcome, text], ['mask', stored])
  })

const JUDGED: [said: string, outcome: Outcome][] = [
  ["I'll kill you", 'hold'],
  ['I\u2019ll kill you', 'hold'],
  ['k1ll yourself', 'hold'],
  ['send  me nudes', 'hold'],
  ['you idiot', 'flag'],
  ['I want to buy cocaine', 'flag'],
  ['you idiot, mail jane@example.com', 'mask'],
  ['kill yourself, jane@example.com', 'hold'],
]
for (const [said, outcome] of JUDGED)
  test(`what is said is judged: ${said} (${outcome})`, (t) => t.is(judge(said).outcome, outcome))

test('what is held is masked too, and gives every reason once', (t) =>
  t.deepEqual(judge('kill yourself, k1ll yourself, jane@example.com'), {
    outcome: 'hold',
    text: `kill yourself, k1ll yourself, ${MASK}`,
    masked: true,
    reasons: ['a threat', 'an e-mail address'],
  }))

const piece = fc.oneof(
  fc.constantFrom(
    'jane',
    '@',
    'gmail',
    '.com',
    ' ',
    '\n',
    '(at)',
    ' at ',
    ' dot ',
    '+',
    '-',
    '(',
    ')',
    'telegram',
    ': ',
    '#',
  ),
  fc.constantFrom('1234', '0', '555', 'call ', 'wa.me/', 'line', 'kys', '\u200b', 'Ｊ', 'х', 'contact me on '),
  fc.string({ maxLength: 3 }),
)
const talk = fc.array(piece, { maxLength: 14 }).map((pieces) => pieces.join(''))

test('nothing is left to mask in what was masked, and judging it again changes nothing', (t) => {
  fc.assert(
    fc.property(talk, (said) => {
      const { text } = judge(said)
      return judge(text).text === text
    }),
    { numRuns: 3000 },
  )
  t.pass()
})

test('the quick look leaves out no mail address, messenger or link that the rules know', (t) => {
  const strict = {
    ...TALKING,
    contacts: {
      'an e-mail address': 'flag',
      'a phone number': 'pass',
      'a messenger contact': 'flag',
      'a link to another site': 'flag',
    },
  } as const
  // A tag counts only beside the word discord, also one with something invisible in it.
  const withoutTags = talk.filter((said) => !/#\d{4}/.test(normal(said)))
  fc.assert(
    fc.property(withoutTags, (said) => {
      const found = contactsIn(normal(said)).filter((one) => one !== 'a phone number')
      return found.every((one) => judge(said, strict).reasons.includes(one))
    }),
    { numRuns: 3000 },
  )
  t.pass()
})

test('no text makes the judgement throw or grow without bound', (t) => {
  fc.assert(
    fc.property(fc.string({ maxLength: 400, unit: 'binary' }), (said) => {
      const { text, outcome } = judge(said)
      return text.length <= said.length + MASK.length * (said.length + 1) && (outcome !== 'pass' || text === said)
    }),
  )
  for (const one of ['a', '1', 'a.', '1 ', '@', 'a@', '(', 'at dot ', 'kys ', '.-', '😀'])
    t.is(typeof judge(one.repeat(8000 / one.length)).text, 'string')
})
