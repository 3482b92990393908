// Connected accounts: nothing may be sent to one until its owner has been through the onboarding page.
import { emit } from './events.ts'
import { invalid } from './problem.ts'
import type { Json, Stored, StripeObject } from './store.ts'
import { change, find, list, LIST_FIELDS, randomName, seconds, type Call, type Route, type World } from './world.ts'

/** How long an onboarding link can be opened, on the platform's clock. */
export const ACCOUNT_LINK_TTL_MS = 5 * 60_000

const KIND = 'account'
const COUNTRIES: Record<string, string> = {
  US: 'usd',
  GB: 'gbp',
  CH: 'chf',
  CA: 'cad',
  AU: 'aud',
  NZ: 'nzd',
  SE: 'sek',
  NO: 'nok',
  DK: 'dkk',
  PL: 'pln',
  CZ: 'czk',
  RO: 'ron',
  HU: 'huf',
  JP: 'jpy',
  SG: 'sgd',
  HK: 'hkd',
  IN: 'inr',
  BR: 'brl',
  MX: 'mxn',
  DE: 'eur',
  AT: 'eur',
  FR: 'eur',
  ES: 'eur',
  IT: 'eur',
  NL: 'eur',
  BE: 'eur',
  IE: 'eur',
  PT: 'eur',
  FI: 'eur',
  GR: 'eur',
  SK: 'eur',
  SI: 'eur',
  LT: 'eur',
  LV: 'eur',
  EE: 'eur',
  LU: 'eur',
  CY: 'eur',
  MT: 'eur',
  HR: 'eur',
}
const REQUIRED = ['external_account', 'individual.verification.document', 'tos_acceptance.date', 'tos_acceptance.ip']

export const routes: Route[] = [
  {
    method: 'POST',
    path: '/v1/accounts',
    name: 'accounts.create',
    fields: {
      type: 'custom|express|standard',
      country: 'text',
      email: 'text',
      metadata: 'metadata?',
      business_type: 'company|government_entity|individual|non_profit',
      business_profile: { mcc: 'text', name: 'text', product_description: 'text', support_email: 'text', url: 'text' },
      tos_acceptance: { date: 'integer', ip: 'text', service_agreement: 'text', user_agent: 'text' },
      capabilities: { transfers: { requested: 'boolean' }, card_payments: { requested: 'boolean' } },
      controller: {
        fees: { payer: 'account|application' },
        losses: { payments: 'application|stripe' },
        stripe_dashboard: { type: 'express|full|none' },
        requirement_collection: 'application|stripe',
      },
      settings: {
        payouts: {
          schedule: { interval: 'daily|manual|monthly|weekly', delay_days: 'integer' },
          debit_negative_balances: 'boolean',
        },
      },
    },
    handle: (world, call) => create(world, call),
  },
  {
    method: 'GET',
    path: '/v1/accounts',
    name: 'accounts.list',
    fields: LIST_FIELDS,
    handle: (world, call) => list(world, call, { kind: KIND }, '/v1/accounts'),
  },
  {
    method: 'GET',
    path: '/v1/accounts/:id',
    name: 'accounts.retrieve',
    fields: {},
    handle: (world, call) => find(world, { kind: KIND, id: call.ids[0] ?? '', account: '' }).body,
  },
  {
    method: 'GET',
    path: '/v1/accounts/:id/external_accounts',
    name: 'accounts.listExternalAccounts',
    fields: { limit: 'integer', starting_after: 'text', ending_before: 'text', object: 'bank_account|card' },
    handle: (world, call) => {
      const { body } = find(world, { kind: KIND, id: call.ids[0] ?? '', account: '' })
      const wanted = call.parameters.object ?? 'bank_account'
      const { data } = body.external_accounts as { data: StripeObject[] }
      return {
        object: 'list',
        url: `/v1/accounts/${body.id}/external_accounts`,
        has_more: false,
        data: data.filter(({ object }) => object === wanted),
      }
    },
  },
  {
    method: 'POST',
    path: '/v1/account_links',
    name: 'account_links.create',
    fields: {
      account: 'text!',
      type: 'account_onboarding|account_update!',
      refresh_url: 'url',
      return_url: 'url',
      collect: 'currently_due|eventually_due',
      collection_options: { fields: 'currently_due|eventually_due', future_requirements: 'include|omit' },
    },
    handle: (world, call) => link(world, call),
  },
]

const create = (world: World, call: Call): Json => {
  const { country = 'US', metadata = {} } = call.parameters as { country?: string; metadata?: Record<string, string> }
  if (!Object.hasOwn(COUNTRIES, country))
    throw invalid(`Country '${country.slice(0, 10)}' is not supported.`, 'country_unsupported', 'country')
  const stored: Stored = { account: '', body: newAccount(world, call, country) }
  world.store.put(stored)
  // For programs and newcomers who want to skip the page; the real provider ignores this key.
  if (metadata.onboarding === 'auto') completeOnboarding(world, stored)
  return stored.body
}

const newAccount = (world: World, call: Call, country: string): StripeObject => {
  const requested = call.parameters.capabilities as { transfers?: { requested?: boolean } } | undefined
  return {
    id: `acct_${randomName(16)}`,
    object: KIND,
    business_type: (call.parameters.business_type as string) ?? null,
    capabilities: requested?.transfers?.requested ? { transfers: 'inactive' } : {},
    charges_enabled: false,
    controller: (call.parameters.controller as Json) ?? { stripe_dashboard: { type: 'express' } },
    country,
    created: seconds(world.now()),
    default_currency: COUNTRIES[country] as string,
    details_submitted: false,
    email: (call.parameters.email as string) ?? null,
    external_accounts: { object: 'list', data: [], has_more: false, url: '/v1/accounts' },
    metadata: (call.parameters.metadata as Record<string, string>) ?? {},
    payouts_enabled: false,
    requirements: wanted(REQUIRED, 'requirements.past_due'),
    settings: (call.parameters.settings as Json) ?? { payouts: { schedule: { interval: 'daily' } } },
    type: (call.parameters.type as string) ?? 'none',
  }
}

const wanted = (due: string[], disabledReason: string | null, deadlineAt: number | null = null): Json => ({
  alternatives: [],
  current_deadline: deadlineAt === null ? null : seconds(deadlineAt),
  currently_due: due,
  disabled_reason: disabledReason,
  errors: [],
  eventually_due: due,
  past_due: disabledReason === 'requirements.past_due' ? due : [],
  pending_verification: [],
})

const link = (world: World, call: Call): Json => {
  const {
    account,
    type,
    refresh_url: refreshUrl,
    return_url: returnUrl,
  } = call.parameters as { account: string; type: string; refresh_url?: string; return_url?: string }
  if (type !== 'account_onboarding') throw invalid('Invalid type: must be account_onboarding.', undefined, 'type')
  if (!refreshUrl || !returnUrl)
    throw invalid('refresh_url and return_url are required for this type.', 'parameter_missing', 'refresh_url')
  const stored = find(world, { kind: KIND, id: account, account: '', param: 'account' })
  const token = randomName(32)
  const expiresAt = world.now() + ACCOUNT_LINK_TTL_MS
  // Only the newest link works, as with the real provider.
  change(world, stored, {}, { plan: { token, expiresAt, refreshUrl, returnUrl } })
  return {
    object: 'account_link',
    created: seconds(world.now()),
    expires_at: seconds(expiresAt),
    url: `${world.origin()}/onboarding/${account}/${token}`,
  }
}

export type OnboardingPlan = { token: string; expiresAt: number; refreshUrl: string; returnUrl: string }

/** The account behind an onboarding link, whether the link is still good, and where it leads. */
export const onboardingOf = (
  world: World,
  id: string,
  token: string,
): { stored: Stored; plan: OnboardingPlan; expired: boolean } | undefined => {
  const stored = world.store.get(id)
  const plan = stored?.plan as OnboardingPlan | null | undefined
  if (!stored || stored.body.object !== KIND || plan?.token !== token) return undefined
  return { stored, plan, expired: plan.expiresAt < world.now() }
}

export const completeOnboarding = (world: World, stored: Stored): void => {
  if (stored.body.details_submitted) return
  const capabilities = Object.keys(stored.body.capabilities as Record<string, Json>)
  const currency = String(stored.body.default_currency)
  const body = change(world, stored, {
    capabilities: Object.fromEntries(capabilities.map((name) => [name, 'active'])),
    details_submitted: true,
    payouts_enabled: true,
    requirements: wanted([], null),
    external_accounts: {
      object: 'list',
      has_more: false,
      url: '/v1/accounts',
      data: [
        {
          id: `ba_${randomName(24)}`,
          object: 'bank_account',
          account: stored.body.id,
          bank_name: 'Sandbox bank',
          last4: '6789',
          currency,
          country: stored.body.country as string,
          default_for_currency: true,
          status: 'new',
        },
      ],
    },
  })
  emit(world, 'account.updated', body, body.id)
  for (const name of capabilities) tellCapability(world, stored, name)
}

export type Restriction = {
  /** What the provider wants to know, in its own names. */
  due: string[]
  /** Why it holds money back; null while it only asks. */
  disabledReason: string | null
  /** Until when, epoch ms. */
  deadlineAt?: number
}

/** The provider asks a seller for more; with a reason, nothing can be sent there or paid out meanwhile. */
export const restrict = (world: World, stored: Stored, { due, disabledReason, deadlineAt }: Restriction): void => {
  setHold(world, stored, disabledReason !== null, wanted(due, disabledReason, deadlineAt ?? null))
}

export const lift = (world: World, stored: Stored): void => setHold(world, stored, false, wanted([], null))

const setHold = (world: World, stored: Stored, held: boolean, requirements: Json): void => {
  const before = stored.body.capabilities as Record<string, Json>
  const status = held || !stored.body.details_submitted ? 'inactive' : 'active'
  const body = change(world, stored, {
    requirements,
    payouts_enabled: status === 'active',
    capabilities: Object.fromEntries(Object.keys(before).map((name) => [name, status])),
  })
  emit(world, 'account.updated', body, body.id)
  for (const name of Object.keys(before)) if (before[name] !== status) tellCapability(world, stored, name)
}

const tellCapability = (world: World, { body }: Stored, name: string): void => {
  const status = (body.capabilities as Record<string, Json>)[name] as Json
  const { requirements } = body
  emit(
    world,
    'capability.updated',
    { id: name, object: 'capability', account: body.id, requested: true, status, requirements: requirements as Json },
    body.id,
  )
}
