// Where a browser says that notes go is an address somebody else chose: only public machines are ever connected to. The
// name is looked up once, and what was looked at is what is connected to.
import { lookup as systemLookup } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'

const PRIVATE_V4: readonly [network: string, prefix: number][] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
]
/** Within 2000::/3, which is all that is public: tunnels that carry other addresses, and documentation. */
const PRIVATE_V6: readonly [network: string, prefix: number][] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
]

const closed = new BlockList()
for (const [network, prefix] of PRIVATE_V4) closed.addSubnet(network, prefix, 'ipv4')
for (const [network, prefix] of PRIVATE_V6) closed.addSubnet(network, prefix, 'ipv6')
const open = new BlockList()
open.addSubnet('2000::', 3, 'ipv6')

export const isPublicAddress = (address: string): boolean => {
  const family = isIP(address)
  if (family === 4) return !closed.check(address, 'ipv4')
  return family === 6 && open.check(address, 'ipv6') && !closed.check(address, 'ipv6')
}

/** The address of a push service; null for anything else. */
export const endpointOf = (text: string): URL | null => {
  const url = URL.canParse(text) ? new URL(text) : null
  if (!url || url.protocol !== 'https:' || url.username || url.password || url.hash) return null
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (isIP(host)) return isPublicAddress(host) ? url : null
  // A name without a dot is one of this network's own.
  return host.includes('.') && !/\.(localhost|local|internal|home\.arpa)\.?$/i.test(host) ? url : null
}

/** Looks a name up like `dns.lookup`, and refuses it when any of its addresses is not public. */
export const publicLookup =
  (lookup: LookupFunction = systemLookup as LookupFunction): LookupFunction =>
  (hostname, options, done) =>
    lookup(hostname, { ...options, all: true }, (error, found) => {
      if (error) return done(error, [])
      const addresses = found as unknown as { address: string; family: number }[]
      const closedOne = addresses.length === 0 || addresses.some(({ address }) => !isPublicAddress(address))
      if (closedOne) return done(Object.assign(new Error('not a public address'), { code: NOT_PUBLIC }), [])
      if (options.all) return done(null, addresses)
      done(null, addresses[0]!.address, addresses[0]!.family)
    })

export const NOT_PUBLIC = 'NOT_PUBLIC'
