import test from 'ava'
import fc from 'fast-check'
import { deflateSync } from 'node:zlib'
import { image, imageType, PIXELS_MAX } from './detect.ts'

// three by two pixels, made by a common image library
const samples = {
  png:
    'iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAIAAAASFvFNAAAACXBIWXMAAAPoAAAD6AG1e1JrAAAAEklEQVQImWP4z8AAQVDqPwMDAEHSBfsYFw' +
    'TiAAAAAElFTkSuQmCC',
  jpeg:
    '/9j/2wBDACgcHiMeGSgjISMtKygwPGRBPDc3PHtYXUlkkYCZlo+AjIqgtObDoKrarYqMyP/L2u71////m8H////6/+b9//j/2wBDASstLTw1PH' +
    'ZBQXb4pYyl+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj/wAARCAACAAMDASIAAhEBAxEB/8QAFQAB' +
    'AQAAAAAAAAAAAAAAAAAAAAT/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/8QAFQEBAQAAAAAAAAAAAAAAAAAABAX/xAAUEQEAAAAAAAAAAAAAAAAAAA' +
    'AA/9oADAMBAAIRAxEAPwCUAdYf/9k=',
  progressive:
    '/9j/2wBDACgoKCgrKC0yMi0/RDxEP11VTk5VXYxkbGRsZIzVhZuFhZuF1bzkua255Lz//+vr////////////////////////2wBDASgoKCgrKC' +
    '0yMi0/RDxEP11VTk5VXYxkbGRsZIzVhZuFhZuF1bzkua255Lz//+vr////////////////////////wgARCAACAAMDASIAAhEBAxEB/8QAFQAB' +
    'AQAAAAAAAAAAAAAAAAAAAAT/xAAVAQEBAAAAAAAAAAAAAAAAAAAEBf/aAAwDAQACEAMQAAAAlBrP/8QAFBABAAAAAAAAAAAAAAAAAAAAAP/aAA' +
    'gBAQABPwB//8QAFBEBAAAAAAAAAAAAAAAAAAAAAP/aAAgBAgEBPwB//8QAFBEBAAAAAAAAAAAAAAAAAAAAAP/aAAgBAwEBPwB//9k=',
  gif: 'R0lGODlhAwACAIAAAExpcf8AACH5BAUAAAAALAAAAAADAAIAAAICjF8AOw==',
  webp: 'UklGRjQAAABXRUJQVlA4ICgAAACQAQCdASoDAAIABUB8JaACdLoAA5gA/ujXHXlPibb/5mj9JvpN5gAA',
  lossless: 'UklGRhwAAABXRUJQVlA4TA8AAAAvAkAAAAcQ/Y/+ByKi/wEA',
  extended:
    'UklGRlYAAABXRUJQVlA4WAoAAAAQAAAAAgAAAQAAQUxQSAcAAAAAf39/f39/AFZQOCAoAAAAkAEAnQEqAwACAAVAfCWgAnS6AAOYAP7o1x15T4' +
    'm2/+Zo/Sb6TeYAAA==',
  avif:
    'AAAAHGZ0eXBhdmlmAAAAAG1pZjFhdmlmbWlhZgAAANZtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAACJpbG9jAA' +
    'AAAERAAAEAAQAAAAAA+gABAAAAAAAAACIAAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABhdjAxAAAAAA5waXRtAAAAAAABAAAAVmlwcnAA' +
    'AAA4aXBjbwAAAAxhdjFDgSACAAAAABRpc3BlAAAAAAAAAAMAAAACAAAAEHBpeGkAAAAAAwgICAAAABZpcG1hAAAAAAAAAAEAAQOBAgMAAAAqbW' +
    'RhdBIACgg4BCtICGg0gDIUHYJixOAAFgAAkDWOPH9NIdgROgw=',
}
const bytes = (name: keyof typeof samples): Buffer => Buffer.from(samples[name], 'base64')
const types = {
  png: 'image/png',
  jpeg: 'image/jpeg',
  progressive: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  lossless: 'image/webp',
  extended: 'image/webp',
  avif: 'image/avif',
} as const
const names = Object.keys(types) as (keyof typeof samples)[]

const pngPart = (name: string, data: Buffer): Buffer => {
  const part = Buffer.alloc(12 + data.length)
  part.writeUInt32BE(data.length)
  part.write(name, 4, 'latin1')
  data.copy(part, 8)
  return part
}

const pngOf = (width: number, height: number): Buffer => {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width)
  header.writeUInt32BE(height, 4)
  header[8] = 8
  const start = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')
  const parts = [
    pngPart('IHDR', header),
    pngPart('IDAT', deflateSync(Buffer.alloc(10))),
    pngPart('IEND', Buffer.alloc(0)),
  ]
  return Buffer.concat([start, ...parts])
}

for (const name of names) {
  test(`${name}: a whole image is known by its bytes, with its size`, (t) => {
    t.deepEqual(image(bytes(name)), { type: types[name], width: 3, height: 2 })
    t.is(imageType(new Uint8Array(bytes(name))), types[name])
  })

  test(`${name}: cut short it is no image`, (t) => {
    const whole = bytes(name)
    for (let length = 0; length < whole.length - 2; length++)
      t.is(imageType(whole.subarray(0, length)), null, `${length} bytes`)
  })

  test(`${name}: a text that starts like one is no image`, (t) => {
    const start = bytes(name).subarray(0, 12)
    for (const text of ['<script>alert(1)</script>', '=1;alert(1)//'.repeat(500), '\0'.repeat(2_000)]) {
      t.is(imageType(Buffer.concat([start, Buffer.from(text)])), null)
    }
  })
}

test('an image of fifty million pixels passes, one of a pixel row more does not', (t) => {
  t.is(imageType(pngOf(PIXELS_MAX / 1_000, 1_000)), 'image/png')
  t.is(imageType(pngOf(PIXELS_MAX / 1_000, 1_001)), null)
  t.is(imageType(pngOf(50_000, 50_000)), null)
  t.is(imageType(pngOf(0xffffffff, 0xffffffff)), null)
  t.is(imageType(pngOf(0, 10)), null)
})

test('each format’s claim of 65,000 by 65,000 pixels is refused', (t) => {
  const side = 65_000
  const [jpeg, gif, frame, extended, avif] = [
    bytes('jpeg'),
    bytes('gif'),
    bytes('gif'),
    bytes('extended'),
    bytes('avif'),
  ]
  const header = jpeg.indexOf(Buffer.from([0xff, 0xc0]))
  jpeg.writeUInt16BE(side, header + 5)
  jpeg.writeUInt16BE(side, header + 7)
  gif.writeUInt16LE(side, 6)
  gif.writeUInt16LE(side, 8)
  const first = frame.indexOf(Buffer.from([0x2c, 0, 0, 0, 0]))
  frame.writeUInt16LE(side, first + 5)
  frame.writeUInt16LE(side, first + 7)
  extended.writeUIntLE(side, 24, 3)
  extended.writeUIntLE(side, 27, 3)
  const size = avif.indexOf('ispe')
  avif.writeUInt32BE(side, size + 8)
  avif.writeUInt32BE(side, size + 12)
  for (const claim of [jpeg, gif, frame, extended, avif]) t.is(imageType(claim), null)
})

test('a JPEG with two frame headers is refused: the second would not have been checked', (t) => {
  const jpeg = bytes('jpeg')
  const header = jpeg.indexOf(Buffer.from([0xff, 0xc0]))
  const second = jpeg.subarray(header, header + 19)
  t.is(imageType(Buffer.concat([jpeg.subarray(0, header), second, jpeg.subarray(header)])), null)
})

test('other types of file are no images', (t) => {
  const svg = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
  for (const other of [svg, '%PDF-1.7', 'PK\x03\x04', 'BM', '', '\0\0\0\x1cftypheic' + 'heic'.repeat(20)]) {
    t.is(imageType(Buffer.from(other, 'latin1')), null)
  }
})

test('whatever bytes are changed, the answer is an image within the bound or none, and never an error', (t) => {
  const change = fc.record({ at: fc.nat(), to: fc.nat(255) })
  fc.assert(
    fc.property(fc.constantFrom(...names), fc.array(change, { minLength: 1, maxLength: 8 }), (name, changes) => {
      const data = bytes(name)
      for (const { at, to } of changes) data[at % data.length] = to
      const seen = image(data)
      return seen === null || (seen.width > 0 && seen.height > 0 && seen.width * seen.height <= PIXELS_MAX)
    }),
    { numRuns: 5_000 },
  )
  t.pass()
})
