import { Big } from 'big.js';

/** Our own constructor, so that nobody's settings change ours: 60 places in a division, half away from zero. */
export const Decimal = Big();
Decimal.DP = 60;
Decimal.RM = Big.roundHalfUp;
/** An exact decimal number. */
export type Decimal = InstanceType<typeof Decimal>;

/** The sum of decimal strings or numbers, exact. */
export function sumOf(values: readonly (string | Decimal)[]): Decimal {
  return values.reduce<Decimal>((sum, value) => sum.plus(value), new Decimal(0));
}

/** How many digits a number has after the point, zeros at the end not counted: `1.250` → 2. */
export function placesOf(value: string | Decimal): number {
  const { c, e } = new Decimal(value);
  return Math.max(0, c.length - 1 - e);
}

/** Whether two decimal strings are the same number: `25.0` and `25`. */
export function sameAmount(a: string, b: string): boolean {
  return new Decimal(a).eq(b);
}

/** How far apart two decimal strings are, positive. */
export function difference(a: string, b: string): string {
  return new Decimal(a).minus(b).abs().toFixed();
}

/** `percent` per cent of `base`, exact. */
export function percentOf(base: string, percent: string): string {
  return new Decimal(base).times(percent).div(100).toFixed();
}

/** Whether decimal string `a` is at most `b`. */
export function atMost(a: string, b: string): boolean {
  return new Decimal(a).lte(b);
}

/** `25.00` → `25`. */
export function plain(decimal: string): string {
  return unsigned(new Decimal(decimal).toFixed());
}

/** big.js keeps the sign of a negative number that rounds to zero; on an invoice `-0.00` is a mistake. */
export function unsigned(decimal: string): string {
  return /^-0(\.0*)?$/.test(decimal) ? decimal.slice(1) : decimal;
}
