// Many clients at once: every one a connection of its own, and nobody asks before all are there. Run as a process, so that
// their open files are not the server's: node test/crowd.ts <port> <path> <clients>. Prints how often each status came.
import { connect, type Socket } from 'node:net'

const [port, path, clients] = process.argv.slice(2)
/** Connecting at once: listeners take so many before they accept. */
const WAVE = 100

const open = (): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect(Number(port), '127.0.0.1', () => resolve(socket))
    socket.once('error', reject)
  })

const statusOf = (socket: Socket): Promise<string> =>
  new Promise((resolve) => {
    socket.once('data', (head) => resolve(head.toString('latin1', 9, 12)))
    socket.once('close', () => resolve('closed'))
    socket.on('error', () => undefined)
  })

const sockets: Socket[] = []
while (sockets.length < Number(clients))
  sockets.push(...(await Promise.all(Array.from({ length: Math.min(WAVE, Number(clients) - sockets.length) }, open))))
const statuses = Promise.all(sockets.map(statusOf))
for (const socket of sockets) socket.write(`GET ${path} HTTP/1.1\r\nHost: crowd\r\n\r\n`)
const counts = Map.groupBy(await statuses, (status) => status)
console.log(JSON.stringify(Object.fromEntries([...counts].map(([status, { length }]) => [status, length]))))
for (const socket of sockets) socket.destroy()
