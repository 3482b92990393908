import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import { createRequire } from 'node:module'
import os from 'node:os'
import path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { loadAddon, olderLibcCopy } from './addon.ts'
import { withOlderLibc } from './elf.ts'

const published = path.dirname(createRequire(import.meta.url).resolve('uWebSockets.js'))
const linuxAddons = fs.readdirSync(published).filter((file) => file.startsWith('uws_linux_'))
const own = `uws_${process.platform}_${process.arch}_${process.versions.modules}.node`
/** The addon's copy can be loaded where a glibc from 2.36 on is the system's. */
const isGlibc = linuxAddons.includes(own) && fs.existsSync('/etc/ld.so.cache')
const onGlibc = isGlibc ? test : test.skip

const temporary = (t: ExecutionContext) => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'addon-'))
  t.teardown(() => fs.rmSync(directory, { recursive: true, force: true }))
  return path.join(directory, 'cache')
}
const sha256 = (file: string) => createHash('sha256').update(fs.readFileSync(file)).digest('hex')

test('every published Linux addon becomes what it was tested as, and doing it twice changes nothing', (t) => {
  const cache = temporary(t)
  t.is(linuxAddons.length, 8)
  for (const file of linuxAddons) {
    const source = path.join(published, file)
    const before = sha256(source)
    const copy = olderLibcCopy(source, cache)
    t.is(path.basename(copy, '.node'), sha256(copy))
    const changed = fs.readFileSync(copy)
    t.true(withOlderLibc(changed).equals(changed))
    t.false(changed.equals(fs.readFileSync(source)))
    t.is(sha256(source), before)
  }
})

onGlibc('the copy serves requests, also with every symbol looked up at once', (t) => {
  const copy = olderLibcCopy(path.join(published, own), temporary(t))
  const script = `
    const uws = require(${JSON.stringify(copy)})
    const app = uws.App().any('/*', (res) => res.end('served'))
    app.listen('127.0.0.1', 0, 1, async (token) => {
      console.log(await (await fetch('http://127.0.0.1:' + uws.us_socket_local_port(token))).text())
      app.close()
    })`
  for (const env of [{}, { LD_BIND_NOW: '1' }]) {
    t.is(execFileSync(process.execPath, ['-e', script], { env: { ...process.env, ...env } }).toString(), 'served\n')
  }
})

test('a copy that was tampered with is made anew', (t) => {
  const source = path.join(published, linuxAddons[0]!)
  const cache = temporary(t)
  const copy = olderLibcCopy(source, cache)
  const right = sha256(copy)
  fs.appendFileSync(copy, 'x')
  t.not(sha256(copy), right)
  t.is(olderLibcCopy(source, cache), copy)
  t.is(sha256(copy), right)
  t.deepEqual(fs.readdirSync(cache), [path.basename(copy)])
})

test('an addon nobody knows is refused and nothing is written', (t) => {
  const cache = temporary(t)
  const unknown = path.join(path.dirname(cache), 'unknown.node')
  const bytes = fs.readFileSync(path.join(published, linuxAddons[0]!))
  bytes[bytes.length - 1]! ^= 1
  fs.writeFileSync(unknown, bytes)
  t.throws(() => olderLibcCopy(unknown, cache), { message: /not a known uWebSockets\.js addon/ })
  t.false(fs.existsSync(cache))
})

test('a directory that others may write to, or that is only a link, is refused', (t) => {
  const source = path.join(published, linuxAddons[0]!)
  const cache = temporary(t)
  fs.mkdirSync(cache)
  fs.chmodSync(cache, 0o777)
  t.throws(() => olderLibcCopy(source, cache), { message: /only this user/ })
  fs.chmodSync(cache, 0o700)
  fs.symlinkSync(cache, `${cache}-link`)
  t.throws(() => olderLibcCopy(source, `${cache}-link`), { message: /only this user/ })
  t.deepEqual(fs.readdirSync(cache), [])
})

test('a file that is no library of a known platform is refused', (t) => {
  for (const bytes of [Buffer.alloc(0), Buffer.from('MZ not for Linux'), Buffer.alloc(4_096)]) {
    t.throws(() => withOlderLibc(bytes), { message: /not a 64-bit Linux library/ })
  }
})

onGlibc('where the addon can not be had, the reason is told and the answer is none', (t) => {
  const reasons: string[] = []
  const cache = temporary(t)
  fs.writeFileSync(cache, 'a file is in the way')
  const addon = loadAddon(cache, (reason) => reasons.push(reason))
  // a newer glibc needs no copy, so nothing is in its way
  t.is(addon === null, reasons.length === 1)
})
