import test from 'ava'
import { refuse } from '../errors.ts'
import { announcement } from '../announcement/contract.ts'
import { audit } from '../audit/contract.ts'
import { accounts, actorOf, person, startGateway, type People } from './testing.ts'

type Recorded = { id: string; entry: { kind: string; actor: string; action: string; data: Record<string, unknown> } }

const start = async (make: () => unknown, record?: () => unknown) => {
  const people: People = new Map()
  const happened: string[] = []
  const admin = person(people, 'usr_admin', ['buyer', 'admin'])
  const gateway = await startGateway({
    services: [
      accounts(people),
      actorOf(announcement, {
        make: () => {
          happened.push('made')
          return make()
        },
      }),
      ...(record === undefined
        ? []
        : [
            actorOf(audit, {
              record: ({ params }) => {
                const { entry } = params as unknown as Recorded
                happened.push(`${entry.kind} ${entry.action} by ${entry.actor}: ${entry.data.outcome ?? ''}`)
                return record() ?? { seq: happened.length }
              },
            }),
          ]),
    ],
  })
  const token = await gateway.tokenOf(admin.id)
  const ask = () => gateway.ask('POST', '/v1/admin/announcements', { token, body: { text: 'Hello' } })
  return { gateway, happened, ask }
}
const MADE = { id: 'ann_1', seq: 1, text: 'Hello', at: '2026-01-01T00:00:00.000Z' }

test('what an admin asks for is written down before it is done, and what came of it after', async (t) => {
  const { gateway, happened, ask } = await start(
    () => MADE,
    () => undefined,
  )
  t.teardown(gateway.stop)
  t.is((await ask()).status, 201)
  t.deepEqual(happened, [
    'asked announcement.make by usr_admin: ',
    'made',
    'answered announcement.make by usr_admin: done',
  ])
})

test('a refusal is written down too', async (t) => {
  const { gateway, happened, ask } = await start(
    () => {
      throw refuse('conflict')
    },
    () => undefined,
  )
  t.teardown(gateway.stop)
  t.is((await ask()).status, 409)
  t.is(happened.at(-1), 'answered announcement.make by usr_admin: conflict')
})

test('what can not be written down is not done', async (t) => {
  const failing = await start(
    () => MADE,
    () => {
      throw refuse('unavailable')
    },
  )
  t.teardown(failing.gateway.stop)
  t.is((await failing.ask()).status, 503)
  t.false(failing.happened.includes('made'))
  const absent = await start(() => MADE)
  t.teardown(absent.gateway.stop)
  t.is((await absent.ask()).status, 503)
  t.false(absent.happened.includes('made'))
})
