import { inject } from 'vitest';

declare module 'vitest' {
  interface ProvidedContext {
    /** Whether this is `npm run test:all`, where what takes long may take long. */
    atLength: boolean;
  }
}

/** In `npm test`: enough to meet what is likely. */
const usual = 300;

/** How often a property is tried: as often as said in `npm run test:all`, and 300 times in `npm test`. */
export function propertyRuns(atLength: number): number {
  return inject('atLength') ? atLength : Math.min(usual, atLength);
}

/**
 * The rows of a long table that are tried: all of them in `npm run test:all`, in `npm test` one in three.
 *
 * @param table which of several tables of the same rows it is: of each, others are tried
 */
export function someRows<Row>(rows: readonly Row[], table = 0): readonly Row[] {
  return inject('atLength') ? rows : rows.filter((_, index) => (index + table) % 3 === 0);
}

/** Whether pages are looked at in every window: in `npm run test:all`. */
export function looksAtLength(): boolean {
  return inject('atLength');
}
