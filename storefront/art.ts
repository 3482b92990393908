// Cover art for demo gigs: an SVG drawn from a seed, so that a fresh market has pictures without downloading any. Pure.

const SIZE = { width: 640, height: 400 }
/** The longest seed that is drawn. */
export const SEED_MAX = 80

/** The same seed always draws the same picture. */
export const art = (seed: string): string => {
  const dice = diceOf(seed)
  const hue = dice(360)
  const [ground, second, ink] = [
    `hsl(${hue} 58% 88%)`,
    `hsl(${(hue + 40 + dice(40)) % 360} 55% 72%)`,
    `hsl(${(hue + 180 + dice(60)) % 360} 45% 38%)`,
  ]
  const shapes = [
    () => circles(dice, second, ink),
    () => waves(dice, second, ink),
    () => tiles(dice, second, ink),
    () => rays(dice, second, ink),
  ]
  const { width, height } = SIZE
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"><rect width="100%" height="100%" fill="${ground}"/>${shapes[dice(shapes.length)]!()}</svg>`
}

type Dice = (below: number) => number

const diceOf = (seed: string): Dice => {
  let state = 0x811c9dc5
  for (let at = 0; at < seed.length; at++) state = Math.imul(state ^ seed.charCodeAt(at), 0x01000193)
  return (below) => {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d)
    state = Math.imul(state ^ (state >>> 12), 0x297a2d39)
    state ^= state >>> 15
    return (state >>> 0) % below
  }
}

const times = (count: number, draw: (at: number) => string) =>
  Array.from({ length: count }, (_, at) => draw(at)).join('')

const circles = (dice: Dice, second: string, ink: string) =>
  times(
    7,
    (at) =>
      `<circle cx="${dice(640)}" cy="${dice(400)}" r="${30 + dice(110)}" fill="${at % 3 === 2 ? ink : second}" opacity="${at % 3 === 2 ? 0.8 : 0.55}"/>`,
  )

const waves = (dice: Dice, second: string, ink: string) =>
  times(5, (at) => {
    const [y, lift] = [90 + at * 65, 20 + dice(70)]
    return `<path d="M0 ${y} C160 ${y - lift} 240 ${y + lift} 360 ${y} S560 ${y - lift} 640 ${y} V400 H0Z" fill="${at === 3 ? ink : second}" opacity="${0.35 + at * 0.1}"/>`
  })

const tiles = (dice: Dice, second: string, ink: string) =>
  times(40, (at) => {
    const [x, y, kind] = [(at % 8) * 80, Math.floor(at / 8) * 80, dice(4)]
    if (kind === 0) return ''
    if (kind === 1) return `<rect x="${x}" y="${y}" width="80" height="80" fill="${second}" opacity=".7"/>`
    return `<path d="M${x} ${y} h80 a80 80 0 0 1 -80 80z" fill="${kind === 2 ? second : ink}" opacity=".75"/>`
  })

const rays = (dice: Dice, second: string, ink: string) => {
  const [x, y] = [180 + dice(280), 120 + dice(160)]
  const beams = times(
    12,
    (at) =>
      `<path d="M${x} ${y} L${x + 900} ${y - 70} L${x + 900} ${y + 70}z" fill="${second}" opacity=".5" transform="rotate(${at * 30 + dice(12)} ${x} ${y})"/>`,
  )
  return `${beams}<circle cx="${x}" cy="${y}" r="${50 + dice(40)}" fill="${ink}"/>`
}
