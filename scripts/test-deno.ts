// Has Deno (DENO names one; else the npm package's binary is put into a folder of its own, without its install script) and
// tells the story to a market that runs under it.
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const VERSION = '2.9.6'
const pathOf = (name: string) => fileURLToPath(new URL(`../${name}`, import.meta.url))

/** The package brings one binary per platform as optional dependencies; npm installs the one that fits. */
const install = (folder: string): string => {
  execFileSync(
    'npm',
    ['install', '--prefix', folder, '--ignore-scripts', '--no-save', '--no-package-lock', `deno@${VERSION}`],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  )
  const platforms = join(folder, 'node_modules', '@deno')
  const [platform] = readdirSync(platforms)
  if (!platform) throw new Error('npm has no Deno for this platform')
  return join(platforms, platform, process.platform === 'win32' ? 'deno.exe' : 'deno')
}

const run = (deno: string): Promise<number> =>
  new Promise((resolve) => {
    const args = [pathOf('scripts/test.mjs'), '--config', pathOf('test/deno.config.js'), ...process.argv.slice(2)]
    spawn(process.execPath, args, {
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, TEST_DENO: deno },
    }).on('close', (code) => resolve(code ?? 1))
  })

const scratch = mkdtempSync(join(tmpdir(), 'gigwire-deno-'))
try {
  process.exitCode = await run(process.env.DENO ?? install(scratch))
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
