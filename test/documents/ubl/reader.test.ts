import { afterAll, describe, expect, it } from 'vitest';
import { createUblReader } from '../../../src/documents/ubl/reader.ts';
import { fixture } from '../content.ts';

const base = fixture('peppol-base-example.xml');
const names =
  'xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2" xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"';
const many = (count: number, make: (index: number) => string) =>
  Array.from({ length: count }, (_, i) => make(i)).join('');
const charge =
  '<cac:AllowanceCharge><cbc:ChargeIndicator>true</cbc:ChargeIndicator><cbc:Amount currencyID="EUR">1</cbc:Amount></cac:AllowanceCharge>';

const reader = createUblReader();
afterAll(() => reader.close());
const read = (text: string) => reader.read(Buffer.from(text), 'a.xml');

describe('reading in another process', () => {
  it('gives what reading here would', async () => {
    const { content, totals, issuer } = await read(base);
    expect(content.number).toBe('Snippet1');
    expect(totals.payable).toBe('1656.25');
    expect(issuer.names[0]).toBe('SupplierOfficialName Ltd');
  });

  it.each([
    ['attributes', `<Invoice ${names} ${many(100_000, (i) => ` a${i}="1"`)}/>`, /more than 50 attributes/],
    ['namespaces', `<Invoice ${names} ${many(50_000, (i) => ` xmlns:a${i}="u${i}"`)}/>`, /more than 500 namespaces/],
    ['levels', `<Invoice ${names}>${many(100_000, () => '<cac:Party>')}`, /more than 40 levels/],
    ['elements', `<Invoice ${names}>${many(100_001, () => '<cac:Party/>')}</Invoice>`, /more than 100000 elements/],
    ['charges', base.replace('<cac:TaxTotal>', `${charge.repeat(3_000)}<cac:TaxTotal>`), /adjustments/],
    ['an entity bomb', '<!DOCTYPE a [<!ENTITY a "aaaa">]><a>&a;</a>', /DOCTYPE/],
  ])('refuses too many %s with a reason, at no cost to whoever waits here', async (_what, text, words) => {
    const before = process.cpuUsage();
    await expect(read(text)).rejects.toMatchObject({ name: 'ImportError', message: expect.stringMatching(words) });
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1_000).toBeLessThan(1_000);
  });

  it('stops a file that takes too long, and reads the next one', async () => {
    const hasty = createUblReader({ timeoutMs: 1 });
    await expect(hasty.read(Buffer.from(base), 'a.xml')).rejects.toMatchObject({
      code: 'too_complex',
      message: expect.stringContaining('took too long'),
    });
    await hasty.close();
    expect((await read(base)).content.number).toBe('Snippet1');
  });

  it('stops a file that takes too much memory, and leaves the program alone', async () => {
    const small = createUblReader({ memoryMb: 30 });
    const large = `<Invoice ${names}>${many(90_000, (i) => `<cac:Party a="${i}">${i}</cac:Party>`)}</Invoice>`;
    await expect(small.read(Buffer.from(large), 'a.xml')).rejects.toMatchObject({
      code: 'too_complex',
      message: expect.stringContaining('too much memory'),
    });
    await small.close();
  });
});
