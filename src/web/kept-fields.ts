import { z } from 'zod';

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

/** A form that was refused for now, so that the page that says so can send it once more. */
export interface FormOnceMore {
  /** Where it was sent, with its company. */
  readonly action: string;
  readonly fields: readonly KeptField[];
  /** Files came with it, which nobody keeps: it has to be filled in again. */
  readonly hasFiles: boolean;
}

/**
 * A form that was sent after the session had expired: kept on the way through the sign-in, so that whoever typed it finds
 * it filled in again. It is written into no record before they send it once more.
 */
export const keptFormSchema = z.object({
  /** Where it was sent, with its company. */
  action: z.string().max(500),
  /** The page it stood on; null where the browser did not say. */
  page: z.string().max(500).nullable(),
  fields: z.array(z.object({ name: z.string(), value: z.string() })).max(1_000),
});

/** See {@link keptFormSchema}. */
export type KeptForm = z.infer<typeof keptFormSchema>;
