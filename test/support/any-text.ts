import fc from 'fast-check';

const point = fc.integer({ min: 0, max: 0x10_ff_ff });

/**
 * Text of any code points, halves of pairs and signs that nobody gave out included. `fc.string({ unit: 'binary' })` makes
 * the same, after it has written down all 1,114,112 of them for each worker process.
 */
export const anyText = (maxLength?: number): fc.Arbitrary<string> =>
  fc.array(point, maxLength === undefined ? {} : { maxLength }).map((points) => String.fromCodePoint(...points));
