import { describe, expect, it } from 'vitest';
import { furtherDetails, lineDetails } from '../../../src/documents/pdf/printed-extras.ts';
import { readUbl } from '../../../src/documents/read-ubl.ts';
import { fixtures } from '../content.ts';

const contentOf = (name: string) => {
  const bytes = fixtures.find((file) => file.name === name)?.bytes;
  if (!bytes) throw new Error(`There is no ${name}.`);
  return readUbl(bytes, name).content;
};
const printed = fixtures.flatMap(({ name, bytes }) => {
  const { content } = readUbl(bytes, name);
  const ofLines = content.lines.flatMap((line) => lineDetails(line, 'en-IE'));
  return [...furtherDetails(content, 'en-IE').map(({ label, value }) => `${label}: ${value}`), ...ofLines];
});

describe('what is printed of an imported file besides the usual', () => {
  it('is in words that a customer reads: where it is delivered, when, and under which contract', () => {
    expect(furtherDetails(contentOf('peppol-base-example.xml'), 'en-IE')).toContainEqual({
      label: 'Delivered to',
      value: expect.stringContaining('Sweden'),
    });
    expect(printed.join('\n')).toContain('Billing period: 1 December 2017 – 31 December 2017');
    expect(printed.join('\n')).toMatch(/Contract: \S+/);
    expect(printed.join('\n')).toContain('Made in: Norway');
  });

  it('is never a code, an identifier of a list, or the name of an element', () => {
    expect(printed.length).toBeGreaterThan(10);
    for (const text of printed) expect(text).not.toMatch(/scheme|Endpoint|urn:|document reference|Identification| › /);
  });

  it('leaves everything on the record', () => {
    for (const { name, bytes } of fixtures) expect(readUbl(bytes, name).content.extras.length, name).toBeGreaterThan(0);
  });
});
