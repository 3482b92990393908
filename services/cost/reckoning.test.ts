import test from 'ava'
import { readdirSync, readFileSync } from 'node:fs'
import { contracts } from '../contract.ts'
import { featureOf, PLATFORM, reckoned } from './reckoning.ts'

const prices = { cpuHour: 3.6, storageGbMonth: 1 }
const usage = (feature: string, instance: string, busyMs: number) => ({
  feature,
  instance,
  requests: 2,
  calls: 3,
  busyMs,
})
const node = (instance: string, cpuMs: number, startedAt = 0) => ({ instance, cpuMs, startedAt })
const none = { feature: 'payment', amounts: [] }

test('the CPU of a node is shared out by who was at work there, and all of it is somebody’s', (t) => {
  const { data, total } = reckoned(
    [usage('order', 'one', 300), usage('chat', 'one', 100), usage('chat', 'two', 5)],
    [node('one', 4000), node('two', 1000)],
    null,
    none,
    prices,
  )
  t.deepEqual(
    data.map(({ feature, cpuMs, requests, calls, storageBytes, cost }) => [
      feature,
      cpuMs,
      requests,
      calls,
      storageBytes,
      cost.cpu,
    ]),
    [
      ['order', 3000, 2, 3, null, 3000],
      ['chat', 2000, 4, 6, null, 2000],
    ],
  )
  t.like(total, { cpuMs: 5000, requests: 6, storageBytes: null, cost: { cpu: 5000, storageMonthly: 0 } })
})

test('a node nobody asked anything of still costs', (t) => {
  const { data } = reckoned([usage('gig', 'one', 0), usage('chat', 'one', 0)], [node('one', 10)], null, none, prices)
  t.deepEqual(
    data.map(({ cpuMs }) => cpuMs),
    [5, 5],
  )
})

test('storage is counted to the feature whose documents they are, fees to payments', (t) => {
  const fees = { feature: 'payment', amounts: [{ amount: 59, currency: 'usd' }] }
  const sizes = { orders: 2e9, messages: 1e9, inbox: 1e9, counters: 5 }
  const { data, total } = reckoned([usage('payment', 'one', 1)], [node('one', 0)], sizes, fees, prices)
  const of = (feature: string) => data.find((one) => one.feature === feature)
  t.deepEqual([of('order')?.storageBytes, of('chat')?.storageBytes, of(PLATFORM)?.storageBytes], [2e9, 2e9, 5])
  t.deepEqual(of('payment')?.providerFees, fees.amounts)
  t.is(of('order')?.cost.storageMonthly, 2_000_000)
  t.deepEqual(total.providerFees, fees.amounts)
})

test('every collection of an actor is known to be its own', (t) => {
  const root = new URL('..', import.meta.url)
  const strangers = Object.keys(contracts).flatMap((feature) =>
    readdirSync(new URL(`${feature}/`, root))
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
      .flatMap((file) => [
        ...readFileSync(new URL(`${feature}/${file}`, root), 'utf8').matchAll(
          /[cC]ollection(?:<[^(]*>)?\('([a-z_]+)'/g,
        ),
      ])
      .map(([, name]) => name!)
      .filter((name) => featureOf(name) !== feature)
      .map((name) => `${feature}: ${name}`),
  )
  t.deepEqual(strangers, [])
})
