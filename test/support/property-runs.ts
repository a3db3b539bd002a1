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
