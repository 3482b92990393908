// A TCP proxy between the devices and the gateways that does harm on request: it cuts links, swallows what they carry, and
// stops reading what a gateway sends.
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

export type Link = {
  /** Ends both sides at once, without a word. */
  cut(): void
  /** Nothing passes either way any more; both sides stay open. */
  swallow(): void
  /** Stops reading what the gateway sends: what it sends more piles up there. */
  stall(): void
  /** Resolves when the link is over. */
  over: Promise<void>
}
export type Proxy = {
  port: number
  links(): Link[]
  /** The link of the client that connected from this port. */
  linkFrom(clientPort: number): Link | undefined
  close(): Promise<void>
}

/** `target` names the port a new link goes to; null refuses it. */
export const startProxy = async (target: () => number | null): Promise<Proxy> => {
  const links = new Map<number, Link>()
  const server = createServer((client) => {
    const port = target()
    if (port === null) return void client.destroy()
    const from = client.remotePort!
    const link = join(client, connect(port, '127.0.0.1'))
    links.set(from, link)
    void link.over.then(() => links.get(from) === link && links.delete(from))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    links: () => [...links.values()],
    linkFrom: (clientPort) => links.get(clientPort),
    close: async () => {
      for (const link of links.values()) link.cut()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const join = (client: Socket, gateway: Socket): Link => {
  const over = Promise.withResolvers<void>()
  const cut = () => {
    client.destroy()
    gateway.destroy()
    over.resolve()
  }
  for (const one of [client, gateway]) {
    one.setNoDelay(true)
    one.on('error', cut)
    one.on('close', cut)
  }
  client.pipe(gateway)
  gateway.pipe(client)
  const stall = () => {
    gateway.unpipe(client)
    gateway.pause()
  }
  return {
    cut,
    stall,
    swallow: () => {
      client.unpipe(gateway)
      client.pause()
      stall()
    },
    over: over.promise,
  }
}
