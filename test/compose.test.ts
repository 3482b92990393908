// The compose file and the image say what the code says: services, variables, volumes, health, least rights.
import test from 'ava'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { configuration } from '../mixins/configuration.ts'

type Service = {
  image: string
  build?: { dockerfile: string }
  restart: string
  environment?: Record<string, string>
  healthcheck?: { test: string[] }
  depends_on?: Record<string, { condition: string }>
  volumes?: string[]
  ports?: string[]
  read_only?: boolean
  cap_drop?: string[]
  security_opt?: string[]
  mem_limit?: string
}
const root = fileURLToPath(new URL('..', import.meta.url))
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const compose = parse(read('docker-compose.yml'), { merge: true }) as {
  services: Record<string, Service>
  volumes: Record<string, unknown>
}
const image = read('deploy/Dockerfile')
const services = Object.entries(compose.services)
const nodes = services.filter(([, { build }]) => build)
const isOneShot = ({ restart }: Service) => restart === 'no'
const hosted = readdirSync(join(root, 'services')).filter((name) =>
  existsSync(join(root, 'services', name, `${name}.service.ts`)),
)
const SECRETS = { JWT_SECRET: 'x'.repeat(32) }

/** What compose makes of ${NAME}, ${NAME-default}, ${NAME:-default} and ${NAME:?message}. */
const filled = (text: string, env: Record<string, string>): string =>
  String(text).replaceAll(/\$\{([A-Z_]+)(?:(:?[-?])([^}]*))?\}/g, (_, name: string, operator = '', word = '') => {
    const value = env[name] ?? ''
    if (value || !operator) return value
    if (operator.endsWith('?')) throw new Error(word)
    return word
  })
const environmentOf = ({ environment = {} }: Service, env: Record<string, string> = SECRETS) =>
  Object.fromEntries(Object.entries(environment).map(([name, text]) => [name, filled(text, env)]))
/** What the image sets for every node. */
const imageEnvironment = Object.fromEntries(
  [...(/^ENV (.+)$/m.exec(image)?.[1] ?? '').matchAll(/([A-Z_]+)=(\S+)/g)].map(([, name, value]) => [name!, value!]),
)

test('the nodes together host every service, each once, and none that does not exist', (t) => {
  t.deepEqual(nodes.flatMap(([, { environment }]) => environment!['SERVICES']!.split(',')).sort(), hosted.sort())
})

test('every node of the compose file has an environment that the start accepts', (t) => {
  for (const [name, service] of nodes) {
    const chosen = configuration({ ...imageEnvironment, ...environmentOf(service) })
    t.like(
      chosen,
      { nodeId: environmentOf(service)['NODE_ID'], sandbox: true, dataDir: '/data', opsHost: '0.0.0.0' },
      name,
    )
    t.true([chosen.natsUrl, chosen.mongoUrl, chosen.redisUrl].every(Boolean), name)
  }
  const [, gateway] = nodes.find(([, { ports }]) => ports)!
  t.is(configuration({ ...imageEnvironment, ...environmentOf(gateway) }).host, '0.0.0.0')
  t.throws(() => environmentOf(gateway, {}), { message: /JWT_SECRET/ })
  t.is(new Set(nodes.map(([, { environment }]) => environment!['NODE_ID'])).size, nodes.length)
})

test('every variable that is set or shown as an example is one that is read', (t) => {
  const known = new Set(
    [...read('mixins/configuration.ts').matchAll(/env, '([A-Z_]+)'/g)].map(([, name]) => name!).concat('SERVICES'),
  )
  t.true(known.size > 20)
  t.deepEqual(
    nodes.flatMap(([, { environment = {} }]) => Object.keys(environment)).filter((name) => !known.has(name)),
    [],
  )
  t.deepEqual(
    Object.keys(imageEnvironment).filter((name) => !known.has(name) && name !== 'NODE_ENV'),
    [],
  )
  const shown = [...read('.env.example').matchAll(/^#? ?([A-Z_]+)=/gm)].map(([, name]) => name!)
  t.deepEqual(
    shown.filter((name) => !known.has(name)),
    [],
    'examples of nothing',
  )
  t.deepEqual(
    [...known].filter((name) => !shown.includes(name)),
    [],
    'variables without an example',
  )
})

test('everything that stays running says whether it is well, and whoever waits for another waits for that', (t) => {
  for (const [name, service] of services) {
    if (isOneShot(service)) continue
    if (service.build) t.regex(image, /^HEALTHCHECK .*\n? +CMD .*\/health\/ready/m, name)
    else t.true((service.healthcheck?.test.length ?? 0) > 1, name)
  }
  for (const [name, { depends_on: needed = {} }] of services) {
    for (const [other, { condition }] of Object.entries(needed)) {
      t.truthy(compose.services[other], `${name} needs ${other}`)
      t.is(
        condition,
        isOneShot(compose.services[other]!) ? 'service_completed_successfully' : 'service_healthy',
        `${name} needs ${other}`,
      )
    }
  }
})

test('nodes run without rights they do not need', (t) => {
  t.regex(image.slice(image.lastIndexOf('FROM ')), /^USER (?!root)\S+$/m)
  for (const [name, node] of nodes) {
    t.like(node, { read_only: true, cap_drop: ['ALL'] }, name)
    t.true(node.security_opt?.includes('no-new-privileges:true'), name)
    t.true(
      node.volumes?.some((volume) => volume.endsWith(':/data')),
      name,
    )
  }
  for (const [name, { mem_limit: limit, restart }] of services) t.true(Boolean(limit) || restart === 'no', name)
})

test('what is kept has a declared volume, and only this machine reaches what is published', (t) => {
  const used = services.flatMap(([, { volumes = [] }]) => volumes.map((volume) => volume.split(':')[0]!))
  t.deepEqual(used.sort(), Object.keys(compose.volumes).sort())
  for (const port of services.flatMap(([, { ports = [] }]) => ports)) t.regex(port, /^127\.0\.0\.1:/)
})

test('the image leaves out what its name for the build leaves out, and starts what npm start starts', (t) => {
  for (const [, path] of image.matchAll(/^COPY ([\w./ -]+) \.\/$/gm))
    for (const file of path!.split(' ')) t.true(existsSync(join(root, file)), file)
  t.regex(image, /^CMD \["node", "scripts\/start\.mjs"\]$/m)
  const ignored = read('.dockerignore').split('\n')
  for (const name of ['node_modules', 'data', '.env', '.git'])
    t.true(
      ignored.some((line) => line.replace(/\/$/, '') === name),
      name,
    )
})

const hasCompose = spawnSync('docker', ['compose', 'version'], { stdio: 'ignore' }).status === 0
const withCompose = hasCompose ? test : test.skip
withCompose('docker compose accepts the file', (t) => {
  t.notThrows(() =>
    execFileSync('docker', ['compose', '-f', join(root, 'docker-compose.yml'), 'config', '--quiet'], {
      env: { ...process.env, ...SECRETS },
    }),
  )
})
