// The documents that are made from the contracts.
import type { Settings } from '../../mixins/node.ts'
import { asyncapi } from './asyncapi.ts'
import type { Generated } from './documented.ts'
import { openapi } from './openapi.ts'
import { reference, REFERENCE_CSP } from './reference.ts'

const JSON_TYPE = 'application/json; charset=utf-8'

export const generatedDocuments = (settings: Settings): Generated[] => [
  { path: '/openapi.json', type: JSON_TYPE, text: () => JSON.stringify(openapi(settings)) },
  { path: '/asyncapi.json', type: JSON_TYPE, text: () => JSON.stringify(asyncapi(settings)) },
  { path: '/docs', type: 'text/html; charset=utf-8', headers: [REFERENCE_CSP], text: () => reference(settings) },
]
