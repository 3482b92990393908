// For tests: a nats-server of one's own on a free port, where the program is installed.

import type { ExecutionContext } from 'ava'
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

const binary = ['/usr/bin/nats-server', '/usr/sbin/nats-server', '/usr/local/bin/nats-server'].find((path) =>
  existsSync(path),
)
export const hasNats = binary !== undefined
export const natsUrl = process.env['TEST_NATS_URL']
export const quiet = { info: () => {}, warn: () => {}, error: () => {} }

export const until = async (isTrue: () => boolean | Promise<boolean>): Promise<void> => {
  for (const deadline = Date.now() + 30_000; Date.now() < deadline; await sleep(10)) if (await isTrue()) return
  throw new Error('did not become true in time')
}

export const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

export const startNats = async (t: ExecutionContext, port: number, monitorPort = 0): Promise<ChildProcess> => {
  const monitor = monitorPort === 0 ? [] : ['-m', String(monitorPort)]
  const server = spawn(binary!, ['-a', '127.0.0.1', '-p', String(port), ...monitor], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  t.teardown(() => server.kill('SIGKILL'))
  let said = ''
  server.stderr.on('data', (text) => (said += text))
  await until(() => said.includes('Server is ready'))
  return server
}
