// The two pages a person sees of the sandbox provider: onboarding of a seller and authentication of a card.
import { completeOnboarding, onboardingOf } from './accounts.ts'
import { authenticate, awaitingAuthentication } from './intents.ts'
import type { World } from './world.ts'

export type PageAnswer = { status: number; html?: string; location?: string }
export type PageRequest = { method: string; path: string; form: Record<string, unknown> }

export const page = (world: World, request: PageRequest): PageAnswer | undefined => {
  const [, name, id = '', token = '', ...more] = request.path.split('/')
  if (more.length > 0 || (request.method !== 'GET' && request.method !== 'POST')) return undefined
  if (name === 'onboarding') return onboardingPage(world, request, { id, token })
  return name === 'authenticate' ? authenticationPage(world, request, { id, token }) : undefined
}

/** Opening the link is enough to be onboarded; the button (or a POST) leads back to the platform. */
const onboardingPage = (world: World, request: PageRequest, link: { id: string; token: string }): PageAnswer => {
  const found = onboardingOf(world, link.id, link.token)
  if (!found)
    return {
      status: 404,
      html: html('Link not found', '<p>This onboarding link is not known, or a newer one replaced it.</p>'),
    }
  if (found.expired) return { status: 303, location: found.plan.refreshUrl }
  completeOnboarding(world, found.stored)
  if (request.method === 'POST') return { status: 303, location: found.plan.returnUrl }
  return {
    status: 200,
    html: html(
      'Bank details (sandbox)',
      `<p>This is the payment provider's sandbox: made-up bank details and identity were just filled in for you.
      No real person, bank or money is involved.</p>
      <form method="post"><button>Back to the marketplace</button></form>`,
    ),
  }
}

const authenticationPage = (world: World, request: PageRequest, link: { id: string; token: string }): PageAnswer => {
  const stored = awaitingAuthentication(world, link.id, link.token)
  if (!stored)
    return { status: 404, html: html('Nothing to confirm', '<p>This payment is not waiting for a confirmation.</p>') }
  const answer = request.form.answer
  if (answer !== 'approve' && answer !== 'decline')
    return { status: 200, html: askToApprove(Number(stored.body.amount), String(stored.body.currency)) }
  const returnUrl = (stored.plan as { returnUrl: string | null }).returnUrl
  const body = authenticate(world, { ...link, approved: answer === 'approve' })
  const done = html(answer === 'approve' ? 'Approved' : 'Declined', '<p>You can close this page.</p>')
  return returnUrl && body ? { status: 303, location: withResult(returnUrl, body) } : { status: 200, html: done }
}

const askToApprove = (amount: number, currency: string): string =>
  html(
    'Confirm your payment (sandbox)',
    `<p>Your bank asks you to confirm a payment of ${shown(amount, currency)}. This is a sandbox: no money moves.</p>
    <form method="post"><button name="answer" value="approve">Approve</button>
    <button name="answer" value="decline">Decline</button></form>`,
  )

const shown = (amount: number, currency: string): string => {
  const format = new Intl.NumberFormat('en', { style: 'currency', currency })
  return escape(format.format(amount / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2)))
}

const withResult = (returnUrl: string, body: { id: string; [field: string]: unknown }): string => {
  if (!URL.canParse(returnUrl)) return returnUrl
  const url = new URL(returnUrl)
  url.searchParams.set('payment_intent', body.id)
  url.searchParams.set('payment_intent_client_secret', String(body.client_secret))
  url.searchParams.set('redirect_status', body.status === 'succeeded' ? 'succeeded' : 'failed')
  return url.href
}

const escape = (text: string): string => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)

const html = (title: string, body: string): string => `<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>${title}</title>
<style>body{font:1.1rem/1.5 system-ui;max-width:34rem;margin:3rem auto;padding:0 1rem}
button{font:inherit;padding:.6rem 1rem}</style>
<main><h1>${title}</h1>${body}</main></html>`
