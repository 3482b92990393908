// Rules about the code, as a reminder that runs: who may know whom, where the environment is read, what never comes in.
import test from 'ava'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { drawn } from '../scripts/diagram.ts'
import { contracts } from '../services/contract.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const TOP = ['services', 'mixins', 'adapters', 'storefront', 'client', 'scripts', 'test', 'bench']
const listed = TOP.flatMap((top) =>
  readdirSync(join(root, top), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.parentPath.includes('node_modules'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name))),
)
const files = [...listed, 'moleculer.config.ts'].map((path) => {
  const source = readFileSync(join(root, path), 'utf8')
  const imports = [...source.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(([, to]) => to!)
  return {
    path,
    source,
    lines: source.split('\n'),
    imports,
    isTest: /(\.(test|suite|fixture)|\/testing|\/trial)\.ts$/.test(path),
  }
})
const actorOf = (path: string) => /^services\/([^/]+)\//.exec(path)?.[1]
const target = (from: string, to: string) => relative(root, resolve(root, dirname(from), to))
const offenders = (found: (file: (typeof files)[number]) => (string | false | undefined)[]) =>
  files.flatMap((file) =>
    found(file)
      .filter(Boolean)
      .map((what) => `${file.path}: ${what}`),
  )

test('an actor knows another only by its contract', (t) => {
  t.deepEqual(
    offenders(({ path, imports, isTest }) => {
      const own = actorOf(path)
      if (!own || isTest) return []
      return imports
        .filter((to) => to.startsWith('.'))
        .map((to) => {
          const other = target(path, to)
          const actor = actorOf(other)
          return actor && actor !== own && !other.endsWith('/contract.ts') && other
        })
    }),
    [],
  )
})

test('adapters know no service', (t) => {
  t.deepEqual(
    offenders(({ path, imports }) =>
      path.startsWith('adapters/') ? imports.map((to) => target(path, to).startsWith('services/') && to) : [],
    ),
    [],
  )
})

test('the client stands alone, and nothing of the platform stands on it', (t) => {
  t.deepEqual(
    offenders(({ path, imports, isTest }) => {
      const outside = (to: string) => !target(path, to).startsWith('client/')
      if (path.startsWith('client/'))
        return isTest || CLIENT_TOOLS.has(path) ? [] : imports.filter((to) => !to.startsWith('.') || outside(to))
      return /^(services|mixins|adapters)\//.test(path) && !isTest
        ? imports.filter((to) => to.startsWith('.') && !outside(to))
        : []
    }),
    [],
  )
})
/** Run beside the client, not in it. */
const CLIENT_TOOLS = new Set(['client/build.ts', 'client/example.ts'])

test('services and mixins know of an adapter only its port', (t) => {
  t.deepEqual(
    offenders(({ path, imports, isTest }) => {
      if (isTest || !/^(services|mixins)\//.test(path)) return []
      return imports.map((to) => {
        const other = target(path, to)
        return (
          other.startsWith('adapters/') &&
          !/^adapters\/([^/]+\/)?index\.ts$/.test(other) &&
          !PURE_ADAPTER_FILES.has(other) &&
          other
        )
      })
    }),
    [],
  )
})
/** Pure knowledge about bytes and words, no product behind it. */
const PURE_ADAPTER_FILES = new Set(['adapters/files/detect.ts', 'adapters/engine/marks.ts'])

test('the environment is read in one place', (t) => {
  const allowed = (path: string) =>
    /^(moleculer\.config\.ts|scripts\/.*|test\/.*|bench\/.*|.*\.test\.ts)$/.test(path) ||
    ENVIRONMENT_ELSEWHERE.has(path)
  t.deepEqual(
    offenders(({ path, source }) => (allowed(path) ? [] : [/process\.env\b/.test(source) && 'reads process.env'])),
    [],
  )
})

/** uWebSockets.js takes one of its options from the environment only; the other starts servers for a suite. */
const ENVIRONMENT_ELSEWHERE = new Set(['adapters/listener/addon.ts', 'adapters/fanout/nats-server.ts'])

test('relative imports end in .ts', (t) => {
  t.deepEqual(
    offenders(({ imports }) => imports.map((to) => to.startsWith('.') && !/\.(ts|json|mjs)$/.test(to) && to)),
    [],
  )
})

test('nothing needs a build: no enums, namespaces, decorators, parameter properties', (t) => {
  const syntax =
    /^\s*(export\s+)?(const\s+)?enum\s|^\s*(export\s+)?namespace\s|^\s*@(?!media\b)[a-z]\w*\s*(\(|$)|constructor\([^)]*\b(private|public|readonly)\s/m
  t.deepEqual(
    offenders(({ path, source }) =>
      path === 'test/tidy.test.ts' ? [] : [syntax.exec(source.replaceAll(/\/\*[^]*?\*\//g, ''))?.[0].trim()],
    ),
    [],
  )
})

test('a file is an eyeful', (t) => {
  const LINES_MAX = 400
  t.deepEqual(
    offenders(({ path, lines, isTest }) => [
      !isTest && !path.startsWith('test/') && lines.length > LINES_MAX && `${lines.length} lines`,
    ]),
    [],
  )
})

test('nothing unfinished is left marked in the code', (t) => {
  t.deepEqual(
    offenders(({ path, source }) => [path !== 'test/tidy.test.ts' && /\b(TODO|FIXME|XXX)\b/.exec(source)?.[0]]),
    [],
  )
})

test('every published action says who may ask, and every route is there once', (t) => {
  const all = Object.values(contracts).flatMap(({ name, actions }) =>
    Object.entries(actions).map(([action, declared]) => ({ full: `${name}.${action}`, ...declared })),
  )
  t.deepEqual(
    all.filter(({ auth }) => !auth).map(({ full }) => full),
    [],
  )
  t.deepEqual(
    all.filter((one) => 'rest' in one && one.auth === 'internal').map(({ full }) => full),
    [],
  )
  const routes = all.flatMap((one) => ('rest' in one ? [one.rest.replaceAll(/:[a-zA-Z]+/g, ':')] : []))
  t.deepEqual(
    routes.filter((route, at) => routes.indexOf(route) !== at),
    [],
  )
})

test('every action takes a closed object, and its key is one of its fields', (t) => {
  const all = Object.values(contracts).flatMap(({ name, actions }) =>
    Object.entries(actions).map(([action, declared]) => ({ full: `${name}.${action}`, ...declared })),
  )
  t.deepEqual(
    all
      .filter(({ params }) => (params as { additionalProperties?: unknown }).additionalProperties !== false)
      .map(({ full }) => full),
    [],
  )
  t.deepEqual(
    all
      .filter((one) => 'key' in one && !(one.key in (one.params as { properties: object }).properties))
      .map(({ full }) => full),
    [],
  )
})

test('every event that is heard is said by somebody', (t) => {
  const said = new Set(Object.values(contracts).flatMap(({ events }) => Object.keys(events)))
  t.deepEqual(
    Object.values(contracts).flatMap(({ name, hears }) =>
      hears.filter((event) => !said.has(event)).map((event) => `${name} hears ${event}`),
    ),
    [],
  )
})

test('every service folder has a contract, and every document one title', (t) => {
  const actors = readdirSync(join(root, 'services'), { withFileTypes: true }).filter(
    (entry) => entry.isDirectory() && entry.name !== 'gateway',
  )
  t.deepEqual(
    actors
      .filter(({ name }) => !files.some(({ path }) => path === `services/${name}/contract.ts`))
      .map(({ name }) => name),
    [],
  )
  const documents = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('.md'),
  )
  const titles = documents.map((path) => [
    path,
    readFileSync(join(root, 'docs', path), 'utf8')
      .replaceAll(/```[^]*?```/g, '')
      .match(/^# /gm)?.length ?? 0,
  ])
  t.deepEqual(
    titles.filter(([, count]) => count !== 1),
    [],
  )
})

test('the composed market hosts every service', (t) => {
  const compose = readFileSync(join(root, 'docker-compose.yml'), 'utf8')
  const hosted = [...compose.matchAll(/^ +SERVICES: (\S+)$/gm)].flatMap(([, names]) => names!.split(','))
  const all = readdirSync(join(root, 'services'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
  t.deepEqual(hosted.toSorted(), all.toSorted())
})

test("the drawing of an order's life is what its table says", (t) => {
  const document = readFileSync(join(root, 'docs/architecture.md'), 'utf8')
  t.is(drawn(document), document)
})
