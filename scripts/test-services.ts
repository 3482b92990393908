// Starts the real servers, runs against them what test/services.config.js names, and ends them. A server that cannot be
// had makes its tests skipped; with REQUIRE_SERVERS=1 it makes the run fail.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { startServers, type Servers } from '../test/servers.ts'

const pathOf = (name: string) => fileURLToPath(new URL(`../${name}`, import.meta.url))

const run = ({ environment }: Servers): Promise<number> =>
  new Promise((resolve) => {
    const args = [pathOf('scripts/test.mjs'), '--config', pathOf('test/services.config.js'), ...process.argv.slice(2)]
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, ...environment },
    })
    child.on('close', (code) => resolve(code ?? 1))
  })

const servers = await startServers()
try {
  for (const one of [...servers.missing, ...servers.rare]) console.log(`not here: ${one}`)
  const isEnough = servers.missing.length === 0 || process.env['REQUIRE_SERVERS'] !== '1'
  if (!isEnough) console.log(`0 passed, ${servers.missing.length} failed, 0 skipped`)
  process.exitCode = isEnough ? await run(servers) : 1
} finally {
  await servers.stop()
}
