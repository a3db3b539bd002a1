import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTemplate, TemplateError } from '../../src/deliveries/merge.ts';
import { parseDecimalInput } from '../../src/documents/decimal-input.ts';
import { parseDocumentForm } from '../../src/documents/form.ts';
import { readUbl } from '../../src/documents/read-ubl.ts';
import { ImportError } from '../../src/documents/ubl/import-error.ts';
import { KeyFileError, readKeyFile } from '../../src/mailboxes/key-file.ts';
import { PageError } from '../../src/web/errors.ts';
import { parseForm } from '../../src/web/form-body.ts';
import { ownPath } from '../../src/web/own-path.ts';
import { fixture } from '../documents/content.ts';
import { hostileText, runs } from './hostile.ts';

const invoice = fixture('peppol-base-example.xml').toString();

/** An invoice in which a few places hold something else. */
const brokenInvoice = fc
  .array(fc.record({ at: fc.nat(invoice.length), length: fc.nat(40), text: hostileText }), {
    minLength: 1,
    maxLength: 5,
  })
  .map((changes) =>
    changes.reduce((xml, { at, length, text }) => `${xml.slice(0, at)}${text}${xml.slice(at + length)}`, invoice),
  );

/** Runs a parser on it; an error of another kind than these is the parser's fault. */
async function parse(work: () => unknown, ...known: (new (...args: never[]) => Error)[]): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!known.some((kind) => error instanceof kind)) throw error;
  }
}

describe('whatever comes in is read, or refused in words', () => {
  it.each<[string, fc.Arbitrary<string>, (text: string) => Promise<void>]>([
    ['a number', hostileText, (text) => parse(() => parseDecimalInput(text))],
    ['a form', hostileText, (text) => parse(() => parseForm(text), PageError)],
    [
      'an address to go back to',
      hostileText,
      (text) => parse(() => expect(new URL(ownPath(text), 'http://a.example').host).toBe('a.example')),
    ],
    ['a template', hostileText, (text) => parse(() => parseTemplate(text), TemplateError)],
    ['a key file', hostileText, (text) => parse(() => readKeyFile(text), KeyFileError)],
    ['an invoice', brokenInvoice, (text) => parse(() => readUbl(Buffer.from(text), 'a.xml'), ImportError)],
    ['a file that is none', hostileText, (text) => parse(() => readUbl(Buffer.from(text), 'a.xml'), ImportError)],
  ])('%s', async (_what, texts, read) => {
    await fc.assert(fc.asyncProperty(texts, read), { numRuns: runs });
  });

  it('the form of a record', async () => {
    const names = [
      'kind',
      'issueDate',
      'dueDate',
      'currency',
      'lines',
      'lines[0][quantity]',
      'lines[0][unitPrice]',
      'party[name]',
      'party[email]',
      'notes',
      'adjustments[0][amount]',
      'lines[x]',
    ];
    const fields = fc.array(fc.tuple(fc.constantFrom(...names), hostileText), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(fields, (form) =>
        parse(() => {
          const read = parseDocumentForm(parseForm(new URLSearchParams(form).toString()));
          if (!read.ok) expect(read.problems.length).toBeGreaterThan(0);
        }, PageError),
      ),
      { numRuns: runs },
    );
  });
});
