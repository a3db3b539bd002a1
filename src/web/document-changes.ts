import type { DocumentContent } from '../documents/document.ts';
import { formOf, headFields, type LineForm, labels, partyFields, type TypedForm } from './document-form.ts';

/** One field that two people left differently. */
export interface Difference {
  readonly label: string;
  readonly stored: string;
  readonly typed: string;
}

/** What a typed form would change in the stored record. Fields that the page did not show are no difference. */
export function differences(content: DocumentContent, typed: TypedForm): Difference[] {
  const stored = formOf(content);
  const found: Difference[] = [];
  const compare = (label: string, before: string | undefined, after: string | undefined) => {
    const [a = '', b = ''] = [before, after].map((text) => (text ?? '').trim().replaceAll('\r\n', '\n'));
    if (after !== undefined && a !== b) found.push({ label, stored: a, typed: b });
  };
  for (const field of headFields) compare(labels[field], stored.head[field], typed.head[field]);
  for (const field of partyFields) compare(labels[field], stored.party[field], typed.party[field]);
  const longer = Math.max(stored.lines.length, typed.lines.length);
  for (let index = 0; index < longer; index += 1) {
    compare(`Line ${index + 1}`, lineText(stored.lines[index]), lineText(typed.lines[index]));
  }
  return found;
}

/**
 * The typed form, ready to be saved over somebody else's change: each row points to the line that it now is, by its
 * name where the lines have moved, so that what only a file said of a line is never given to another.
 */
export function rebased(content: DocumentContent, typed: TypedForm): TypedForm {
  const places = new Map(content.lines.map((stored, index) => [stored.name, String(index)] as const).toReversed());
  const lines = typed.lines.map((line) => {
    const { origin, name } = line.values;
    if (origin === '' || content.lines[Number(origin)]?.name === name.trim()) return line;
    return { ...line, values: { ...line.values, origin: places.get(name.trim()) ?? '' } };
  });
  return { ...typed, lines };
}

function lineText(line: LineForm | undefined): string {
  if (!line) return '';
  const { origin: _, ...shown } = line.values;
  return Object.values(shown).filter(Boolean).join(' · ');
}
