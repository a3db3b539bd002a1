import type { DocumentContent } from '../documents/document.ts';
import {
  formOf,
  headFields,
  type LineForm,
  labels,
  type PartyForm,
  partyFields,
  type TypedForm,
} from './document-form.ts';

/** One field that two people left differently. */
export interface Difference {
  readonly label: string;
  readonly stored: string;
  readonly typed: string;
}

/** What a typed form would change in the stored record. Fields that the page did not show are no difference. */
export function differences(content: DocumentContent, typed: TypedForm): Difference[] {
  const stored = formOf(content);
  const longer = Math.max(stored.lines.length, typed.lines.length);
  return [
    ...headFields.flatMap((field) => difference(labels[field], stored.head[field], typed.head[field])),
    ...partyDifferences(stored.party, typed.party),
    ...Array.from({ length: longer }, (_, index) =>
      difference(`Line ${index + 1}`, lineText(stored.lines[index]), lineText(typed.lines[index])),
    ).flat(),
  ];
}

/** What a typed form would change in a party's details. */
export function partyDifferences(stored: PartyForm, typed: PartyForm): Difference[] {
  return partyFields.flatMap((field) => difference(labels[field], stored[field], typed[field]));
}

/** A field as it is stored and as it was typed, where that is another; none where the page did not show it. */
export function difference(label: string, before: string | null | undefined, after: string | undefined): Difference[] {
  const [stored = '', typed = ''] = [before, after].map((text) => (text ?? '').trim().replaceAll('\r\n', '\n'));
  return after === undefined || stored === typed ? [] : [{ label, stored, typed }];
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
