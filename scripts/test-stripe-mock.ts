// Has stripe-mock, which answers as Stripe's published description of its API says (STRIPE_MOCK names the program, or it is
// on PATH; else Go builds it into a folder of its own), and holds our requests and our sandbox against it. Where there is
// neither it nor Go those tests are skipped; with REQUIRE_SERVERS=1 the run fails.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePorts } from '../test/market.ts'
import { end, onPath, up } from '../test/servers.ts'

const SOURCE = 'github.com/stripe/stripe-mock@v0.203.0'
const pathOf = (name: string) => fileURLToPath(new URL(`../${name}`, import.meta.url))

/** The program, or why there is none. */
const have = (folder: string): { program: string } | { missing: string } => {
  const known = process.env['STRIPE_MOCK'] ?? onPath(['stripe-mock'])
  if (known) return { program: known }
  const go = onPath(['go'])
  if (!go) return { missing: 'stripe-mock: install Go, or name the program by STRIPE_MOCK' }
  const built = spawnSync(go, ['install', SOURCE], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, GOBIN: folder, CGO_ENABLED: '0' },
  })
  if (built.status !== 0) return { missing: `stripe-mock: go install ${SOURCE} did not succeed` }
  return { program: join(folder, process.platform === 'win32' ? 'stripe-mock.exe' : 'stripe-mock') }
}

const run = (environment: Record<string, string>): Promise<number> =>
  new Promise((resolve) => {
    const args = [
      pathOf('scripts/test.mjs'),
      '--config',
      pathOf('test/stripe-mock.config.js'),
      ...process.argv.slice(2),
    ]
    spawn(process.execPath, args, {
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, ...environment },
    }).on('close', (code) => resolve(code ?? 1))
  })

/** Both its addresses are named, or it would listen to the whole network. */
const started = async (program: string): Promise<{ child: ChildProcess; url: string }> => {
  const [port = 0, secure = 0] = await freePorts(2)
  const addresses = ['-http-addr', `127.0.0.1:${port}`, '-https-addr', `127.0.0.1:${secure}`]
  const child = spawn(program, addresses, { stdio: ['ignore', 'pipe', 'pipe'] })
  try {
    await up(child, port)
  } catch (error) {
    await end(child)
    throw error
  }
  return { child, url: `http://127.0.0.1:${port}` }
}

const scratch = mkdtempSync(join(tmpdir(), 'gigwire-stripe-mock-'))
try {
  const found = have(scratch)
  if ('program' in found) {
    const { child, url } = await started(found.program)
    try {
      process.exitCode = await run({ TEST_STRIPE_MOCK_URL: url })
    } finally {
      await end(child)
    }
  } else {
    console.log(`not here: ${found.missing}`)
    const isEnough = process.env['REQUIRE_SERVERS'] !== '1'
    if (!isEnough) console.log('0 passed, 1 failed, 0 skipped')
    process.exitCode = isEnough ? await run({}) : 1
  }
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
