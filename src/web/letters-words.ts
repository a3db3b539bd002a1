import type { Head } from '../documents/pdf/head.ts';
import { holdsLetters } from '../documents/pdf/plain-text.ts';

/** How many letters are named. */
const named = 12;

/** What a person is told of letters that no font has: `This letter cannot be printed: ᚠ (U+16A0).` */
export function lettersWords(letters: readonly string[]): string {
  const more = letters.length > named ? ` and ${letters.length - named} more` : '';
  const which = letters.slice(0, named).map(signOf).join(' ');
  return `${letters.length === 1 ? 'This letter' : 'These letters'} cannot be printed: ${which}${more}.`;
}

/** A notice about a record with letters that no font has: what they are, and where to change them. */
export interface LettersNotice {
  readonly words: string;
  readonly fix: string;
  readonly href: string;
}

/** See {@link LettersNotice}; null where every letter can be printed. */
export function lettersNotice(letters: readonly string[], head: Head, recordId: string): LettersNotice | null {
  if (letters.length === 0) return null;
  return holdsLetters(head, letters)
    ? { words: lettersWords(letters), fix: 'Change the company’s details', href: '/settings/company' }
    : { words: lettersWords(letters), fix: 'Write them in another way', href: `/documents/${recordId}/edit` };
}

/** The letter itself and its number: whoever has no font for it sees at least that. */
function signOf(letter: string): string {
  const numbers = [...letter].map(
    (each) => `U+${(each.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`,
  );
  return `${letter} (${numbers.join(' ')})`;
}
