import test, { type ExecutionContext } from 'ava'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { type Letter, LETTER_BYTES_MAX, type Mail, MailError } from './index.ts'
import { logMail, RECENT_MAX } from './log.ts'
import { SENDING_MAX, smtpMail } from './smtp.ts'

const letter = (more: Partial<Letter> = {}): Letter => ({
  id: 'verify:ann:1',
  to: 'ann@example.com',
  subject: 'Grüße',
  text: 'Open https://x.example/?token=secret',
  ...more,
})

type Answers = Partial<Record<'greeting' | 'EHLO' | 'MAIL' | 'RCPT' | 'DATA' | 'end', string | null>>
type Server = { url: string; letters: { from: string; to: string[]; source: string }[]; connections: () => number }

/** A mail server of a few lines. `answers` replaces what it would say at a step; null: it says nothing, ever. */
const startServer = async (t: ExecutionContext, answers: Answers = {}): Promise<Server> => {
  const letters: Server['letters'] = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}).on('close', () => sockets.delete(socket)))
    serve(socket, answers, letters)
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  t.teardown(() => {
    sockets.forEach((socket) => socket.destroy())
    server.close()
  })
  return { url: `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`, letters, connections: () => sockets.size }
}

const serve = (socket: Socket, answers: Answers, letters: Server['letters']): void => {
  const say = (step: keyof Answers, usual: string): void => {
    const text = answers[step] === undefined ? usual : answers[step]
    if (text !== null && socket.writable) socket.write(`${text}\r\n`)
  }
  let [current, source, inData] = [{ from: '', to: [] as string[] }, '', false]
  let rest = ''
  const line = (text: string): void => {
    if (inData) {
      if (text !== '.') return void (source += `${text}\n`)
      inData = false
      if (answers.end === undefined) letters.push({ ...current, source })
      return say('end', '250 kept')
    }
    const verb = text.slice(0, 4).toUpperCase()
    if (verb === 'MAIL') current = { from: text, to: [] }
    if (verb === 'RCPT') current.to.push(text)
    if (verb === 'DATA') [inData, source] = [answers.DATA === undefined, '']
    if (verb === 'EHLO') say('EHLO', '250-hello\r\n250 8BITMIME')
    else if (verb === 'DATA') say('DATA', '354 go on')
    else if (verb === 'QUIT') socket.end('221 bye\r\n')
    else say(verb as keyof Answers, '250 ok')
  }
  socket.on('data', (bytes) => {
    const lines = (rest + bytes.toString()).split('\r\n')
    rest = lines.pop()!
    lines.forEach(line)
  })
  say('greeting', '220 here')
}

const opened = async (t: ExecutionContext, url: string, sendMsMax = 10_000): Promise<Mail> => {
  const mail = await smtpMail({ url, from: 'Gigwire <post@gigwire.example>', sendMsMax })
  t.teardown(() => mail.close())
  return mail
}

const refusal = async (t: ExecutionContext, sent: Promise<void>): Promise<MailError> =>
  (await t.throwsAsync(sent, { instanceOf: MailError }))!

const products: Record<string, (t: ExecutionContext) => Promise<Mail>> = {
  log: async () => logMail({ info: () => {} }),
  smtp: async (t) => opened(t, (await startServer(t)).url),
}

for (const [name, open] of Object.entries(products)) {
  test(`${name}: a proper letter is taken`, async (t) => {
    await t.notThrowsAsync((await open(t)).send(letter({ html: '<b>Open</b>' })))
  })

  test(`${name}: a letter to no address, to several, or with headers of its own is refused for good`, async (t) => {
    const mail = await open(t)
    const bad: Partial<Letter>[] = [
      ...[
        '',
        'ann',
        'ann@',
        'a@x.example,b@y.example',
        'Ann <a@x.example>',
        'a@x.example\r\nBcc: b@y.example',
        'a b@x.example',
      ].map((to) => ({ to })),
      { subject: 'Hello\r\nBcc: b@y.example' },
      { subject: 'x'.repeat(501) },
      { text: 'x'.repeat(LETTER_BYTES_MAX + 1) },
      ...[
        'javascript:alert(1)',
        'https://x.example/\r\nBcc: b@y.example',
        'https://x.example/>,<mailto:b@y.example',
      ].map((unsubscribeUrl) => ({ unsubscribeUrl })),
    ]
    for (const one of bad) t.false((await refusal(t, mail.send(letter(one)))).retryable)
  })

  test(`${name}: once closed, letters are refused for now`, async (t) => {
    const mail = await open(t)
    await mail.close()
    t.true((await refusal(t, mail.send(letter()))).retryable)
  })
}

test('log: the line names the letter and gives neither its text nor the whole address away', async (t) => {
  const lines: string[] = []
  await logMail({ info: (...line) => lines.push(JSON.stringify(line)) }).send(letter())
  t.is(lines.length, 1)
  t.regex(lines[0]!, /verify:ann:1.*a…@example\.com.*Grüße/)
  t.notRegex(lines[0]!, /secret|ann@/)
})

test('log: the last hundred letters can be read, each once', async (t) => {
  const mail = logMail({ info: () => {} })
  for (let n = 0; n < RECENT_MAX + 5; n++) await mail.send(letter({ id: `l${n}` }))
  await mail.send(letter({ id: `l${RECENT_MAX}` }))
  const ids = mail.recent().map(({ id }) => id)
  t.deepEqual(
    ids,
    Array.from({ length: RECENT_MAX }, (_, n) => `l${n + 5}`),
  )
  t.regex(mail.recent()[0]!.text, /secret/)
})

test('smtp: the letter arrives with sender, reader, subject and text, and the same mark when sent again', async (t) => {
  const { url, letters } = await startServer(t)
  const mail = await opened(t, url)
  await mail.send(letter({ html: '<b>Open</b>' }))
  await mail.send(letter())
  await mail.send(letter({ id: 'another' }))
  t.is(letters.length, 3)
  const [first, again, other] = letters.map(({ source }) => /^Message-ID: (.*)$/im.exec(source)?.[1])
  t.regex(first!, /^<[0-9a-f]{40}@gigwire\.example>$/)
  t.deepEqual([again === first, other === first], [true, false])
  t.regex(letters[0]!.from, /<post@gigwire\.example>/)
  t.regex(letters[0]!.to.join(), /^RCPT TO:<ann@example\.com>$/)
  t.regex(letters[0]!.source, /^Subject: =\?UTF-8\?/m)
  t.regex(letters[0]!.source, /Open https:\/\/x\.example/)
  t.regex(letters[0]!.source, /<b>Open<\/b>/)
})

test('smtp: a letter that can be unsubscribed from says where, in the headers mail programs read', async (t) => {
  const { url, letters } = await startServer(t)
  const mail = await opened(t, url)
  await mail.send(letter({ unsubscribeUrl: 'https://market.example/v1/notifications/unsubscribe/abc' }))
  await mail.send(letter())
  const [first, second] = letters.map(({ source }) => source.replaceAll(/\n[ \t]+/g, ' '))
  t.regex(first!, /^List-Unsubscribe: <https:\/\/market\.example\/v1\/notifications\/unsubscribe\/abc>$/m)
  t.regex(first!, /^List-Unsubscribe-Post: List-Unsubscribe=One-Click$/m)
  t.notRegex(second!, /^List-/m)
})

const refusals: [said: Answers, retryable: boolean][] = [
  [{ RCPT: '550 no such person' }, false],
  [{ RCPT: '450 try later' }, true],
  [{ MAIL: '553 not from you' }, false],
  [{ MAIL: '451 busy' }, true],
  [{ DATA: '554 not that' }, false],
  [{ end: '554 spam' }, false],
  [{ end: '452 disk full' }, true],
  [{ greeting: '554 not today' }, true],
  [{ greeting: '421 too many' }, true],
  [{ EHLO: '421 going down' }, true],
]

for (const [answers, retryable] of refusals) {
  const said = Object.entries(answers)[0]!.join(': ')
  test(`smtp: a server that says ${said} means ${retryable ? 'later' : 'never'}`, async (t) => {
    const { url } = await startServer(t, answers)
    t.is((await refusal(t, (await opened(t, url)).send(letter()))).retryable, retryable)
  })
}

test('smtp: no server, and one that says nothing at any step, mean later', async (t) => {
  const silent: Answers[] = [{ greeting: null }, { EHLO: null }, { RCPT: null }, { end: null }]
  const urls = await Promise.all(silent.map(async (answers) => (await startServer(t, answers)).url))
  for (const url of [...urls, 'smtp://127.0.0.1:1']) {
    const mail = await opened(t, url, 300)
    t.true((await refusal(t, mail.send(letter()))).retryable, url)
  }
})

test('smtp: closing gives up letters under way, and too many at one time are sent away', async (t) => {
  const { url, connections } = await startServer(t, { greeting: null })
  const mail = await opened(t, url)
  const under = Array.from({ length: SENDING_MAX }, () => refusal(t, mail.send(letter())))
  t.regex((await refusal(t, mail.send(letter()))).message, /too many/)
  await mail.close()
  t.true((await Promise.all(under)).every(({ retryable }) => retryable))
  while (connections() > 0) await new Promise((resolve) => setTimeout(resolve, 5))
})

test('smtp: a sender that is no address is refused at the start', async (t) => {
  await t.throwsAsync(smtpMail({ url: 'smtp://127.0.0.1:1', from: 'nobody' }), { instanceOf: TypeError })
})
