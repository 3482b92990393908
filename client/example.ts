// Two people chat over a market in its sandbox mode (npm start):
//   node client/example.ts [http://127.0.0.1:3000]
import { connect, type Client, type Message } from './index.ts'

const market = process.argv[2] ?? 'http://127.0.0.1:3000'
const url = `${market.replace('http', 'ws')}/v1/realtime`

const post = async <T>(path: string, body: object, token?: string): Promise<T> => {
  const response = await fetch(market + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify(body),
  })
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
  return (await response.json()) as T
}
type Login = { accessToken: string; user: { id: string } }
const login = (who: string) => post<Login>('/v1/auth/login', { email: `${who}@demo.test`, password: 'demo-password' })
/** A session of one's own: `token` is asked again when the last one expires. */
const connected = (who: string): Client => connect({ url, token: async () => (await login(who)).accessToken })

const say = (who: string, what: string) => console.log(`${who.padEnd(6)} ${what}`)
const shown = ({ seq, text }: Message) => `#${seq} ${text}`
const next = <T>(hear: (heard: (data: T) => void) => () => void): Promise<T> =>
  new Promise((resolve) => {
    const off = hear((data) => {
      off()
      resolve(data)
    })
  })

const [buyer, seller] = [await login('buyer'), await login('seller')]
const { id, lastSeq } = await post<{ id: string; lastSeq: number }>(
  '/v1/conversations',
  { with: seller.user.id },
  buyer.accessToken,
)

const bela = connected('buyer')
let sana = connected('seller')
bela.open(id, { seq: lastSeq })
sana.open(id, { seq: lastSeq })
bela.on('message', (message) => message.sender === seller.user.id && say('Bela', `hears  ${shown(message)}`))
bela.on('typing', () => say('Bela', 'sees   Sana is typing'))
bela.on('message.edited', (message) => say('Bela', `sees   ${shown(message)} (edited)`))

const asked = next<Message>((heard) => sana.on('message', heard))
say('Bela', `says   ${shown(await bela.send(id, 'Can you draw a map of my island?'))}`)
say('Sana', `hears  ${shown(await asked)}`)
const seen = next((heard) => bela.on('typing', heard))
await sana.typing(id)
await seen
const answer = await sana.send(id, 'With pleasure. How large is it?')
const changed = next((heard) => bela.on('message.edited', heard))
await sana.edit(id, answer.id, 'With pleasure. How large is it, in km?')
await changed

const position = sana.position(id)!
sana.close()
say('Sana', `leaves at #${position.seq}`)
for (const text of ['About two.', 'With a harbour.', 'And a lighthouse!'])
  say('Bela', `says   ${shown(await bela.send(id, text))}`)

sana = connected('seller')
const missed: Message[] = []
sana.on('message', (message) => void missed.push(message))
sana.open(id, position)
say('Sana', 'writes before the connection is there')
const sent = await sana.send(id, 'I am back.')
while (missed.length < 4) await next((heard) => sana.on('message', heard))
for (const message of missed.filter(({ sender }) => sender === buyer.user.id)) say('Sana', `missed ${shown(message)}`)
say('Sana', `says   ${shown(sent)}, and is at #${sana.position(id)?.seq}`)
await bela.read(id, sent.seq)
for (const one of [bela, sana]) one.close()
