// Who is at the other end: the peer, or, behind a trusted proxy, the nearest address that no trusted proxy vouches for.
import { BlockList, isIP } from 'node:net'
import type { RequestHeaders } from './index.ts'

/** Says the client's address from the peer's and the X-Forwarded-For header, which is only asked for when it counts. */
export type ClientAddress = (peer: string, headers: () => RequestHeaders) => string

/** Entries are addresses or CIDRs; a malformed one throws. */
export const clientAddress = (trusted: readonly string[]): ClientAddress => {
  if (trusted.length === 0) return (peer) => peer
  const list = new BlockList()
  for (const entry of trusted) trust(list, entry.trim())
  const isTrusted = (address: string) => list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
  return (peer, headers) => {
    let client = peer
    // each proxy appends whom it heard, so only what a trusted one wrote is believed, from the right
    const hops = headers().get('x-forwarded-for')?.split(',') ?? []
    while (isIP(client) && isTrusted(client) && hops.length > 0) {
      const hop = addressText(hops.pop()!.trim())
      if (!isIP(hop)) break
      client = hop
    }
    return client
  }
}

const trust = (list: BlockList, entry: string) => {
  const [network = '', bits] = entry.split('/')
  const version = isIP(network)
  const widest = version === 6 ? 128 : 32
  if (version === 0 || (bits !== undefined && !(/^\d{1,3}$/.test(bits) && Number(bits) <= widest))) {
    throw new Error(`'${entry}' is not an address or CIDR of a trusted proxy`)
  }
  list.addSubnet(network, Number(bits ?? widest), version === 6 ? 'ipv6' : 'ipv4')
}

/** One spelling per address: no port, no brackets, IPv4-mapped as IPv4, IPv6 in its short form. */
export const addressText = (text: string): string => {
  const bare = /^\[(.*)\](?::\d+)?$/.exec(text)?.[1] ?? /^([\d.]+):\d+$/.exec(text)?.[1] ?? text
  if (!bare.includes(':')) return bare
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(bare)?.[1]
  if (mapped) return mapped
  if (isIP(bare) !== 6 || bare.includes('%')) return bare
  const short = new URL(`http://[${bare}]`).hostname.slice(1, -1)
  const hex = /^::ffff:([\da-f]{1,4}):([\da-f]{1,4})$/.exec(short)
  return hex ? dotted(parseInt(hex[1]!, 16), parseInt(hex[2]!, 16)) : short
}

const dotted = (high: number, low: number) => `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`

/** The text of 4 or 16 address bytes. */
export const addressOfBytes = (bytes: Uint8Array): string => {
  if (bytes.length === 4) return `${bytes[0]}.${bytes[1]}.${bytes[2]}.${bytes[3]}`
  if (bytes.length !== 16) return ''
  const groups = Array.from({ length: 8 }, (_, n) => ((bytes[n * 2]! << 8) | bytes[n * 2 + 1]!).toString(16))
  return addressText(groups.join(':'))
}

/** Peers whose text is known. One connection asks many times, and a text that was asked for before need not be hashed again. */
const PEERS_MAX = 4096

/** `addressOfBytes` of the bytes that uWebSockets gives, remembered for the latest IPv4 peers. */
export const peers = (): ((bytes: ArrayBuffer) => string) => {
  const known = new Map<number, string>()
  return (bytes) => {
    if (bytes.byteLength !== 4) return addressOfBytes(new Uint8Array(bytes))
    const number = new Uint32Array(bytes)[0]!
    let text = known.get(number)
    if (text === undefined) {
      text = addressOfBytes(new Uint8Array(bytes))
      if (known.size >= PEERS_MAX) known.clear()
      known.set(number, text)
    }
    return text
  }
}
