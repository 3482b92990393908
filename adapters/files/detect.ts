// Says what an image is by its bytes alone. Nothing is decoded: magic numbers, the header that tells the size, and a cheap look
// at the structure that follows, so that neither a claim of billions of pixels nor a text that starts with `GIF89a` passes.

export type ImageType = 'image/png' | 'image/jpeg' | 'image/webp' | 'image/avif' | 'image/gif'
export type ImageSize = { width: number; height: number }

/** An image of more pixels is refused: decoded, each takes four bytes of somebody's memory. */
export const PIXELS_MAX = 50_000_000
/** Parts of a file looked at before giving up on it. */
const PARTS_MAX = 10_000

/** Null: no image of a type we take, a broken one, or one of too many pixels. */
export const imageType = (bytes: Uint8Array): ImageType | null => image(bytes)?.type ?? null

/** The same with its size in pixels, for a page that reserves the room. */
export const image = (bytes: Uint8Array): ({ type: ImageType } & ImageSize) | null => {
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const kind = KINDS.find(({ starts }) => starts(data))
  if (!kind) return null
  const size = sizeOf(kind, data)
  if (!size || size.width < 1 || size.height < 1 || size.width * size.height > PIXELS_MAX) return null
  return { type: kind.type, ...size }
}

type Kind = { type: ImageType; starts: (data: Buffer) => boolean; size: (data: Buffer) => ImageSize | null }

/** A header that promises more bytes than there are ends the reading: not whole, so not taken. */
const sizeOf = (kind: Kind, data: Buffer): ImageSize | null => {
  try {
    return kind.size(data)
  } catch (error) {
    if (error instanceof RangeError) return null
    throw error
  }
}

const text = (data: Buffer, from: number, to: number): string => data.toString('latin1', from, to)

// PNG: the header is the first part and 13 bytes long, and image data and the end part follow somewhere behind it

const pngSize = (data: Buffer): ImageSize | null => {
  if (data.readUInt32BE(8) !== 13 || text(data, 12, 16) !== 'IHDR') return null
  const size = { width: data.readUInt32BE(16), height: data.readUInt32BE(20) }
  let hasData = false
  for (let at = 8, parts = 0; parts < PARTS_MAX; parts++) {
    const [length, name] = [data.readUInt32BE(at), text(data, at + 4, at + 8)]
    if (!/^[A-Za-z]{4}$/.test(name)) return null
    if (name === 'IDAT') hasData = true
    at += 12 + length
    if (at > data.length) return null
    if (name === 'IEND') return hasData ? size : null
  }
  return null
}

// JPEG: segments up to the start of a scan, one of them a frame header; the end marker is the last thing of substance

const isFrameHeader = (marker: number): boolean =>
  marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)

const jpegSize = (data: Buffer): ImageSize | null => {
  let size: ImageSize | null = null
  for (let at = 2, parts = 0; parts < PARTS_MAX; parts++) {
    if (data.readUInt8(at) !== 0xff) return null
    const marker = data.readUInt8(at + 1)
    // a marker may be filled up with any number of 0xff before it
    if (marker === 0xff) {
      at += 1
      continue
    }
    const length = data.readUInt16BE(at + 2)
    if (marker < 0xc0 || length < 2) return null
    if (isFrameHeader(marker)) {
      // a second frame header is how a small image becomes a large one after the check
      if (size) return null
      size = { height: data.readUInt16BE(at + 5), width: data.readUInt16BE(at + 7) }
    }
    at += 2 + length
    if (marker === 0xda) return data.indexOf(END_OF_JPEG, at) >= 0 ? size : null
  }
  return null
}

const END_OF_JPEG = Buffer.from([0xff, 0xd9])

// GIF: screen size, then blocks (extensions and images) up to the trailer; an image may not reach beyond the screen's bound either

const gifSize = (data: Buffer): ImageSize | null => {
  const size = { width: data.readUInt16LE(6), height: data.readUInt16LE(8) }
  let at = 13 + colourTableBytes(data.readUInt8(10))
  for (let parts = 0, images = 0; parts < PARTS_MAX; parts++) {
    const block = data.readUInt8(at)
    if (block === 0x3b) return images > 0 ? size : null
    if (block === 0x21) at = afterSubBlocks(data, at + 2)
    else if (block === 0x2c) {
      if (data.readUInt16LE(at + 5) * data.readUInt16LE(at + 7) > PIXELS_MAX) return null
      at = afterSubBlocks(data, at + 11 + colourTableBytes(data.readUInt8(at + 9)))
      images += 1
    } else return null
  }
  return null
}

const colourTableBytes = (flags: number): number => ((flags & 0x80) === 0 ? 0 : 3 * 2 ** ((flags & 7) + 1))

const afterSubBlocks = (data: Buffer, from: number): number => {
  let at = from
  for (let length = data.readUInt8(at); length > 0; length = data.readUInt8(at)) at += length + 1
  return at + 1
}

// WebP: a RIFF container as long as the file, with one of three first parts

const webpSize = (data: Buffer): ImageSize | null => {
  const end = data.readUInt32LE(4) + 8
  if (end > data.length || data.length - end > 1 || data.readUInt32LE(16) + 20 > data.length) return null
  const first = text(data, 12, 16)
  if (first === 'VP8 ') {
    if (data.readUIntBE(23, 3) !== 0x9d012a) return null
    return { width: data.readUInt16LE(26) & 0x3fff, height: data.readUInt16LE(28) & 0x3fff }
  }
  if (first === 'VP8L') {
    if (data.readUInt8(20) !== 0x2f) return null
    const bits = data.readUInt32LE(21)
    return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 }
  }
  if (first === 'VP8X') return { width: data.readUIntLE(24, 3) + 1, height: data.readUIntLE(27, 3) + 1 }
  return null
}

// AVIF: boxes; the sizes of all images and parts are `ispe` properties in meta/iprp/ipco, and image data follows somewhere

const isAvif = (data: Buffer): boolean => {
  if (data.length < 16 || text(data, 4, 8) !== 'ftyp') return false
  const brands = text(data, 8, Math.min(data.readUInt32BE(0), data.length, 256))
  return brands.match(/.{4}/gs)?.some((brand) => brand === 'avif' || brand === 'avis') ?? false
}

const avifSize = (data: Buffer): ImageSize | null => {
  const top = boxes(data, 0, data.length)
  const meta = top.find(({ name }) => name === 'meta')
  if (!meta || !top.some(({ name }) => name === 'mdat')) return null
  const properties = boxes(data, meta.from + 4, meta.to).find(({ name }) => name === 'iprp')
  const container = properties && boxes(data, properties.from, properties.to).find(({ name }) => name === 'ipco')
  if (!container) return null
  const sizes = boxes(data, container.from, container.to)
    .filter(({ name }) => name === 'ispe')
    .map(({ from }) => ({ width: data.readUInt32BE(from + 4), height: data.readUInt32BE(from + 8) }))
  // the largest claim counts: which of them is the picture is not worth the reading
  return sizes.sort((a, b) => b.width * b.height - a.width * a.height)[0] ?? null
}

type Box = { name: string; from: number; to: number }

const boxes = (data: Buffer, from: number, to: number): Box[] => {
  const found: Box[] = []
  for (let at = from; at + 8 <= to && found.length < PARTS_MAX;) {
    const claimed = data.readUInt32BE(at)
    const long = claimed === 1
    const length = long ? Number(data.readBigUInt64BE(at + 8)) : claimed === 0 ? to - at : claimed
    if (length < 8 || at + length > to) throw new RangeError('a box reaches beyond its end')
    found.push({ name: text(data, at + 4, at + 8), from: at + (long ? 16 : 8), to: at + length })
    at += length
  }
  return found
}

const KINDS: readonly Kind[] = [
  { type: 'image/png', starts: (data) => text(data, 0, 8) === '\x89PNG\r\n\x1a\n', size: pngSize },
  { type: 'image/jpeg', starts: (data) => data.length > 3 && data.readUIntBE(0, 3) === 0xffd8ff, size: jpegSize },
  { type: 'image/gif', starts: (data) => /^GIF8[79]a$/.test(text(data, 0, 6)), size: gifSize },
  { type: 'image/webp', starts: (data) => text(data, 0, 4) === 'RIFF' && text(data, 8, 12) === 'WEBP', size: webpSize },
  { type: 'image/avif', starts: isAvif, size: avifSize },
]
