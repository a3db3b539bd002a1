/** A field of a form as a browser sends it. */
export interface KeptField {
  readonly name: string;
  readonly value: string;
}

/**
 * The fields of a form that was sent, so that a page can send them once more: `{ party: { name: 'Ann' } }` is
 * `party[name]=Ann` again. Fields of one name stay several.
 *
 * @param body as Express read it; anything else has no fields
 */
export function keptFields(body: unknown): KeptField[] {
  if (typeof body !== 'object' || body === null) return [];
  return Object.entries(body).flatMap(([name, value]) => fieldsOf(name, value));
}

function fieldsOf(name: string, value: unknown): KeptField[] {
  if (typeof value === 'string') return [{ name, value }];
  if (typeof value !== 'object' || value === null) return [];
  const plain = Array.isArray(value) && value.every((each) => typeof each === 'string');
  return Object.entries(value).flatMap(([key, each]) => fieldsOf(plain ? name : `${name}[${key}]`, each));
}
