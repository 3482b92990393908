// One event for each change of state, listed like any object and queued for the webhook.
import { asked, find, list, LIST_FIELDS, newId, seconds, type Route, type World } from './world.ts'
import type { StripeObject } from './store.ts'

export const API_VERSION = '2026-10-28.endive'

export const emit = (world: World, type: string, object: StripeObject, account: string): void => {
  const id = newId('evt')
  world.store.put({
    account,
    body: {
      id,
      object: 'event',
      ...(account && { account }),
      api_version: API_VERSION,
      created: seconds(world.now()),
      data: { object: structuredClone(object) },
      livemode: false,
      pending_webhooks: 1,
      request: { id: world.request?.id ?? null, idempotency_key: world.request?.key ?? null },
      type,
    },
  })
  world.queueWebhook(id, type)
}

export const routes: Route[] = [
  {
    method: 'GET',
    path: '/v1/events',
    name: 'events.list',
    fields: { ...LIST_FIELDS, type: 'text' },
    handle: (world, call) => list(world, call, { kind: 'event', is: asked(call, ['type']) }, '/v1/events'),
  },
  {
    method: 'GET',
    path: '/v1/events/:id',
    name: 'events.retrieve',
    fields: {},
    handle: (world, call) => find(world, { kind: 'event', id: call.ids[0] ?? '', account: call.account }).body,
  },
]
