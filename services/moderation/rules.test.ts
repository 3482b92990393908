import test from 'ava'
import fc from 'fast-check'
import type { GigContent } from '../gig/contract.ts'
import { contactsIn } from './contact.ts'
import { normal } from './normal.ts'
import { REASONS_MAX, reasonsAgainst } from './rules.ts'

const gig = (more: Partial<GigContent> = {}): GigContent => ({
  title: 'I will design a modern logo for your business',
  description: 'You get three concepts, two rounds of changes and all files you need for print and web.',
  category: 'design',
  subcategory: 'logo-design',
  tags: ['logo', 'branding'],
  packages: {
    basic: {
      title: 'Basic',
      description: 'One concept',
      price: { amount: 5000, currency: 'usd' },
      deliveryDays: 3,
      revisions: 2,
      features: ['Source file'],
    },
  },
  extras: [],
  faq: [],
  requirements: [],
  images: [],
  ...more,
})
const described = (text: string) => reasonsAgainst(gig({ description: `${text} And some more words about the work.` }))

const HONEST = [
  'Delivered as a zip file, ready to use, with 24/7 support.',
  'From $1,000 to $10,000 or 10 000 000 impressions; $1 000 000 000 raised by clients.',
  'Available from 2026-01-31 to 2026-02-28, or 31.01.2026, or 01/31/2026.',
  'Since 2015 - 2016 - 2017 I have made 1920x1080 and 3840 x 2160 renderings at 300 dpi.',
  'I build Node.js, ASP.NET and socket.io back ends, WordPress.com and Amazon.com stores.',
  'I will write a Telegram bot, a Discord bot, or WhatsApp stickers for your brand.',
  'Setup of Facebook and Instagram ads; contact me before ordering. I reply on the same day.',
  'Icons come as icon@2x.png and logo@3x.png, colours as #1234567 hex.',
  'A therapist and an analyst from Essex and Scunthorpe left five stars. Cocktails included.',
  'Ethical hacking course material, malware removal and anti-spyware setup for your site.',
  'I edit books with ISBN 9781234567890 and papers of 100 pages, 25000 words, 12 chapters.',
  'My server at 192.168.100.200 runs version 10.4.21 with 99.999 percent uptime.',
  'Логотип для вашего бизнеса, три варианта и исходные файлы в комплекте.',
  'あなたのビジネスのためのロゴをデザインします。三つの案と修正を含みます。',
  '----------------------------------\nWhat you get:\n==================================',
  'It is very, very, very good. We look at every detail, at least twice!!!',
]
for (const text of HONEST)
  test(`an honest text passes: ${text.slice(0, 50).replaceAll('\n', ' ')}`, (t) => t.deepEqual(described(text), []))

const LEADING_AWAY: [string, string][] = [
  ['write to jane.doe+gigs@example.co.uk', 'an e-mail address'],
  ['write to jane (at) example (dot) com', 'an e-mail address'],
  ['write to jane at gmail dot com', 'an e-mail address'],
  ['write to j a n e @ g m a i l . c o m', 'an e-mail address'],
  ['write to jane@\u200bexample.com', 'an e-mail address'],
  ['write to ｊａｎｅ＠ｅｘａｍｐｌｅ．ｃｏｍ', 'an e-mail address'],
  ['call +49 151 2345 6789 now', 'a phone number'],
  ['call 555-123-4567 now', 'a phone number'],
  ['call (555) 123 4567 now', 'a phone number'],
  ['call 06 12 34 56 78 now', 'a phone number'],
  ['call 5551234567 now', 'a phone number'],
  ['text me on WhatsApp for a discount', 'a messenger contact'],
  ['telegram: @janedoe', 'a messenger contact'],
  ['my skype is jane.doe', 'a messenger contact'],
  ['find me as jane#1234', 'a messenger contact'],
  ['Contact us via Tеlegram before you order', 'a messenger contact'],
  ['see https://jane.example/portfolio', 'a link to another site'],
  ['see www.janedoe.com', 'a link to another site'],
  ['see janedoe.com for more', 'a link to another site'],
  ['see t.me/janedoe', 'a link to another site'],
  ['see etsy.com/shop/jane', 'a link to another site'],
]
for (const [text, contact] of LEADING_AWAY)
  test(`a text that leads away is found: ${text}`, (t) =>
    t.true((contactsIn(normal(text)) as string[]).includes(contact)))

const FORBIDDEN: [string, string][] = [
  ['I sell cocaine and more', 'illegal drugs'],
  ['I sell c0ca1ne and more', 'illegal drugs'],
  ['I sell сосаіnе and more', 'illegal drugs'],
  ['I sell co\u200bcaine and more', 'illegal drugs'],
  ['I make a fake passport for you', 'forged documents or money'],
  ['I write 100 FAKE   reviews', 'fraud'],
  ['I hack Facebook of your ex', 'breaking into systems'],
  ['I take your exam online', 'academic cheating'],
]
for (const [text, name] of FORBIDDEN)
  test(`what may not be offered is refused: ${text}`, (t) =>
    t.true(described(text).some((reason) => reason.includes(name))))

test('an ordinary gig passes', (t) => t.deepEqual(reasonsAgainst(gig()), []))

test('a reason names the field it is about', (t) => {
  const basic = { ...gig().packages.basic, features: ['Write to me@example.com'] }
  t.deepEqual(reasonsAgainst(gig({ packages: { basic } })), [
    'There is an e-mail address in the features of the basic package: talk to buyers in messages here instead.',
  ])
  t.regex(
    reasonsAgainst(gig({ faq: [{ question: 'How?', answer: 'Call 555-123-4567' }] }))[0]!,
    /a phone number in the answer 1 of the FAQ/,
  )
  t.regex(reasonsAgainst(gig({ tags: ['logo', 'cocaine'] }))[0]!, /in the tag 2/)
})

test('too little text is refused', (t) => {
  t.regex(reasonsAgainst(gig({ title: 'Logo' }))[0]!, /title is too short/)
  t.regex(reasonsAgainst(gig({ description: 'A logo.' }))[0]!, /description is too short/)
})

test('shouting and stuffing are refused, abbreviations are not', (t) => {
  t.is(reasonsAgainst(gig({ title: 'I WILL DESIGN THE BEST LOGO EVER' })).length, 1)
  t.is(reasonsAgainst(gig({ title: 'SEO & PPC audit for SaaS' })).length, 0)
  t.is(described('Greaaaaaaaaaaat work!').length, 1)
  t.is(described('best best best best best best logo').length, 1)
  t.is(reasonsAgainst(gig({ description: 'logo brand logo mark logo sign '.repeat(5) })).length, 1)
})

test('no text makes the rules throw, say too much, or change their mind', (t) => {
  fc.assert(
    fc.property(fc.string({ maxLength: 400, unit: 'binary' }), fc.string({ maxLength: 100 }), (description, title) => {
      const reasons = reasonsAgainst(gig({ description, title }))
      t.deepEqual(reasons, reasonsAgainst(gig({ description, title })))
      return reasons.length <= REASONS_MAX && reasons.every((reason) => /^[A-Z].*\.$/.test(reason))
    }),
    { numRuns: 300 },
  )
})

test('an e-mail address is found wherever it stands', (t) => {
  const word = fc.stringMatching(/^[a-z]{1,12}$/)
  fc.assert(
    fc.property(
      fc.array(word, { maxLength: 20 }),
      word,
      word,
      fc.array(word, { maxLength: 20 }),
      (before, name, host, after) =>
        contactsIn(normal([...before, `${name}@${host}.com`, ...after].join(' '))).includes('an e-mail address'),
    ),
  )
  t.pass()
})

test('plain words never look like a contact', (t) => {
  const word = fc.stringMatching(/^[a-z]{1,12}$/).filter((one) => one !== 'at' && one !== 'dot')
  fc.assert(
    fc.property(fc.array(word, { maxLength: 60 }), (words) =>
      contactsIn(words.join(' ')).every((one) => one === 'a messenger contact'),
    ),
  )
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 9_999_999 }),
      (count) => !contactsIn(`${count} people and ${count.toLocaleString('en')} more`).includes('a phone number'),
    ),
  )
  t.pass()
})

test('the longest text that fits is judged quickly enough whatever it is made of', (t) => {
  for (const piece of ['a', '1', 'a.', '1 ', '@', 'a@', 'a ', '(', 'contact me ', 'at dot ', 'aa bb ', '.-', '😀']) {
    const description = piece.repeat(6000 / piece.length)
    t.true(
      Array.isArray(
        reasonsAgainst(
          gig({
            description,
            faq: Array.from({ length: 20 }, () => ({ question: 'x', answer: description.slice(0, 1200) })),
          }),
        ),
      ),
    )
  }
})
