import { z } from 'zod';
import { each, type Work } from '../platform/turns.ts';
import { type DocumentContent, documentContentSchema, extraSchema, lineSchema, maxLines } from './document.ts';

/** What came of checking: the content, or what is wrong with it and where. */
export type CheckedContent =
  | { readonly success: true; readonly data: DocumentContent }
  | { readonly success: false; readonly issues: readonly Issue[] };

/** One thing that is wrong. */
export interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** The whole but its long lists, of which it says how long they may be. */
const frameSchema = documentContentSchema.extend({
  lines: z.array(z.unknown()).min(1, 'needs at least one line').max(maxLines, `has more than ${maxLines} lines`),
  extras: z.array(z.unknown()).default([]),
});

/** As `documentContentSchema.safeParse`, a few lines at a time: records may have thousands. */
export function* checkedContent(value: unknown): Work<CheckedContent> {
  const frame = frameSchema.safeParse(value);
  // One that is too long is not looked through.
  const tooLong = frame.error?.issues.some(({ path }) => path[0] === 'lines' && path.length === 1);
  const given = (name: string): unknown[] => {
    const list: unknown = Object(value)[name];
    return Array.isArray(list) && !tooLong ? list : [];
  };
  const lines = yield* checkedList('lines', lineSchema, given('lines'));
  const extras = yield* checkedList('extras', extraSchema, given('extras'));
  const issues = [...(frame.error?.issues ?? []), ...lines.issues, ...extras.issues];
  if (!frame.success || issues.length > 0) return { success: false, issues };
  return { success: true, data: { ...frame.data, lines: lines.data, extras: extras.data } };
}

/** Content as it is stored. Throws where it is none. */
export function* storedContent(value: unknown): Work<DocumentContent> {
  const checked = yield* checkedContent(value);
  if (checked.success) return checked.data;
  const [first] = checked.issues;
  throw new TypeError(`What is stored is no record: ${first?.path.map(String).join('.')} ${first?.message}`);
}

function* checkedList<Item>(name: string, schema: z.ZodType<Item>, list: readonly unknown[]) {
  const issues: Issue[] = [];
  const data: Item[] = [];
  yield* each(list, (value, index) => {
    const item = schema.safeParse(value);
    if (item.success) data.push(item.data);
    else issues.push(...item.error.issues.map(({ path, message }) => ({ path: [name, index, ...path], message })));
  });
  return { data, issues };
}
