// Loads uWebSockets.js. Its Linux addon asks for glibc 2.38; where the system's is older, a copy with three names
// changed (elf.ts) is kept in a private directory and loaded instead. node_modules is never edited, and nothing is
// loaded from the directory whose hash is not in the table below.
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import { createRequire } from 'node:module'
import os from 'node:os'
import path from 'node:path'
import type * as published from 'uWebSockets.js'
import { withOlderLibc } from './elf.ts'
import { headBytesMax } from './framing.ts'

type Published = typeof published
type App = Omit<ReturnType<Published['App']>, 'listen'> & {
  listen(
    host: string,
    port: number,
    option: number,
    heard: (token: published.us_listen_socket | false) => void,
  ): unknown
}
/** With what its own types leave out. */
export type Addon = Omit<Published, 'App'> & { App(): App; LIBUS_LISTEN_EXCLUSIVE_PORT: number }

/** SHA-256 of the addons of version 20.57.0, and of what they become. Another version needs another table. */
const hashes: Readonly<Record<string, string>> = {
  // x64: Node 20, 22, 24, 25
  '5b126ee00bf754b02e97e4c27090365a8562c5820c93f93918ac2212d4503e91':
    '0fdb9722352c4e0f519b42ad8b0c2bd4544b2c27484c1d49ddf143bfd1637cbb',
  '4b55b1f2cb7a7913febbb65a89496412b96af77e838552980092ba6b33723aac':
    '4ea0943df7d3202b3ada5eb01c40c37c63bb192fd9c7b1abae5082c5cc1f2803',
  '98128405dba2fb608448e921a979530f70c946a2cc9889c15f2fa70c2d00ab05':
    '8d5817f3a52803cb69a0e3d54f6487b533fda603aa63dab8ea09f9762d992e0b',
  '813d788b347c6fd76b779d8932311ec05a044e612b4b83af220f16e6ea789683':
    '395fee5c7a644ad0964cc26651b5dd12833c147123c69dbe938fe17eb13a2760',
  // arm64: Node 20, 22, 24, 25
  '6bdbc8ff976b4371af1906175e9025804bacc38a414969f4f02314e6b99f206c':
    '68016401b908e59200b227ade8fe6b36bc9f8e30892e54cefd590a960612d7a6',
  '82b79bd18d1e3563de336156005bd01b7f39fc387b65173d69a29da4ee79f895':
    'b28ee349e8a15aa5fd30988fc3935eb1b8898e44f27f2ae903ad9e959567c1e6',
  '88618b30ddf6b2b62310db89f40a701616676352aac5e0f6184dd8ef876199ce':
    '84c03ca18de632e52cce378f073f8b008c0817c957d2e475284ce08f75c88a77',
  '81d0186dd1549ed6a7f47e68e323573fc27d69d2920527654ce2dd993af2b0ec':
    'de517c5f4cd31f4431fc07e2eb212924b0cd02e770679a36ed063b6b47c1c017',
}

const require = createRequire(import.meta.url)

/** Where copies are kept unless another directory is given: one per user, under the system's temporary directory. */
export const cacheDirectory = () =>
  path.join(os.tmpdir(), `gigwire-addon-${process.getuid?.() ?? os.userInfo().username}`)

/** The addon, or null where it can't be had (musl, Deno, an unknown platform); `explain` then hears why. */
export const loadAddon = (directory = cacheDirectory(), explain: (reason: string) => void = () => {}): Addon | null => {
  // read by the addon while it loads, and by nothing else: its own limit of 4 KiB is too tight for a token and cookies
  process.env['UWS_HTTP_MAX_HEADERS_SIZE'] = String(headBytesMax)
  try {
    return require('uWebSockets.js') as Addon
  } catch (error) {
    if (!/GLIBC_2\.38/.test(String(error))) return refused(error, explain)
  }
  try {
    return require(olderLibcCopy(addonFile(), directory)) as Addon
  } catch (error) {
    return refused(error, explain)
  }
}

const refused = (error: unknown, explain: (reason: string) => void) => {
  explain(error instanceof Error ? error.message : String(error))
  return null
}

const addonFile = () =>
  path.join(
    path.dirname(require.resolve('uWebSockets.js')),
    `uws_${process.platform}_${process.arch}_${process.versions.modules}.node`,
  )

/** Path of a copy that loads on an older glibc, made when missing or not what it was. */
export const olderLibcCopy = (source: string, directory: string): string => {
  const original = fs.readFileSync(source)
  const hash = sha256(original)
  const wanted = hashes[hash]
  if (!wanted) throw new Error(`${path.basename(source)} is not a known uWebSockets.js addon (sha256 ${hash})`)
  makePrivate(directory)
  const copy = path.join(directory, `${wanted}.node`)
  if (hashOf(copy) !== wanted) write(copy, withOlderLibc(original), wanted)
  return copy
}

/** Somebody else's directory, or one others may write to, could be changed between the check and the load. */
const makePrivate = (directory: string) => {
  fs.mkdirSync(directory, { recursive: true, mode: 0o700 })
  const { uid, mode } = fs.lstatSync(directory)
  const isPrivate = fs.lstatSync(directory).isDirectory() && uid === process.getuid?.() && (mode & 0o077) === 0
  if (!isPrivate) throw new Error(`${directory} must be a directory that only this user can use (mode 0700)`)
}

/** Renamed into place, so that a process started at the same time never sees half a file. */
const write = (copy: string, content: Uint8Array, wanted: string) => {
  if (sha256(content) !== wanted) throw new Error('the changed addon is not what it was tested as')
  const unfinished = `${copy}.${process.pid}.${Date.now()}`
  try {
    fs.writeFileSync(unfinished, content, { mode: 0o600, flag: 'wx' })
    fs.renameSync(unfinished, copy)
  } finally {
    fs.rmSync(unfinished, { force: true })
  }
}

const hashOf = (file: string) => (fs.existsSync(file) ? sha256(fs.readFileSync(file)) : null)

const sha256 = (content: Uint8Array) => createHash('sha256').update(content).digest('hex')
