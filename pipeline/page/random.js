/* Random numbers as NumPy makes them, so that a seed gives the same drawing or text here as on the
   command line: a `SeedSequence` with a spawn key, PCG64 (O'Neill 2014), and float32 in [0, 1). */

const MASK_64 = (1n << 64n) - 1n;
const MASK_128 = (1n << 128n) - 1n;
const PCG_MULTIPLIER = 0x2360ed051fc65da44385df649fccf645n;

/** Return a function that gives the next random float32 of the stream of a seed and a key. */
function randomStream(seed, ...key) {
  const [a, b, c, d] = seedState([seed >>> 0, 0, 0, 0, ...key]);
  const increment = ((((c << 64n) | d) << 1n) | 1n) & MASK_128;
  let state = 0n;
  const step = () => (state = (state * PCG_MULTIPLIER + increment) & MASK_128);
  step();
  state = (state + ((a << 64n) | b)) & MASK_128;
  step();
  let spare = null; // the upper half of the last 64 bits
  return () => {
    let bits = spare;
    if (bits === null) {
      step();
      const mixed = (state >> 64n) ^ (state & MASK_64);
      const turn = state >> 122n;
      const next = ((mixed >> turn) | (mixed << (64n - turn))) & MASK_64;
      bits = Number(next & 0xffffffffn);
      spare = Number(next >> 32n);
    } else {
      spare = null;
    }
    return (bits >>> 8) / 16777216;
  };
}

/** Return four integers of 64 bits from a list of integers of 32 bits, as `SeedSequence` does. */
function seedState(entropy) {
  let constant = 0x43b0d7e5;
  const hash = (value) => {
    value = (value ^ constant) >>> 0;
    constant = Math.imul(constant, 0x931e8875) >>> 0;
    value = Math.imul(value, constant) >>> 0;
    return (value ^ (value >>> 16)) >>> 0;
  };
  const mix = (x, y) => {
    const value = (Math.imul(x, 0xca01f9dd) - Math.imul(y, 0x4973f715)) >>> 0;
    return (value ^ (value >>> 16)) >>> 0;
  };
  const pool = [0, 1, 2, 3].map((i) => hash(entropy[i] ?? 0));
  for (let from = 0; from < 4; from++) {
    for (let to = 0; to < 4; to++) if (from !== to) pool[to] = mix(pool[to], hash(pool[from]));
  }
  for (const value of entropy.slice(4)) {
    for (let to = 0; to < 4; to++) pool[to] = mix(pool[to], hash(value));
  }
  constant = 0x8b51f9dd;
  const state = Array.from({ length: 8 }, (_, i) => {
    let value = (pool[i % 4] ^ constant) >>> 0;
    constant = Math.imul(constant, 0x58f38ded) >>> 0;
    value = Math.imul(value, constant) >>> 0;
    return BigInt((value ^ (value >>> 16)) >>> 0);
  });
  return [0, 2, 4, 6].map((i) => state[i] | (state[i + 1] << 32n));
}
