/**
 * What a table has under a name that came from outside. `table[name]` alone would also find what every object inherits:
 * a unit named `constructor` would be a function.
 */
export function own<T>(table: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}
