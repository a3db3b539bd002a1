import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answered, type Asked, type Asker, createAsker } from '../support/asker.ts';
import { someRows } from '../support/at-length.ts';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { longestTurn, slowness } from '../support/longest-turn.ts';
import { largeOrder, manyAttributes } from './large-files.ts';
import { signedInCookie } from './signed-in.ts';

/** What nobody is to wait longer for than, for the work of somebody else. */
const mostMs = 250;
const own = 'Brightwater Joinery';

let letterhead: TestLetterhead;
let asker: Asker;
let headers: Record<string, string>;
/** The company that forms name. */
let query: string;
beforeAll(async () => {
  letterhead = await startTestLetterhead({ worker: false });
  asker = createAsker();
  const { name, value } = await signedInCookie(letterhead);
  headers = { cookie: `${name}=${value}`, 'sec-fetch-site': 'same-origin' };
  query = `?company=${/company=([0-9a-f-]{36})/.exec((await get('/imports')).text)?.[1]}`;
  // What is made once, at the first page, is no one's form.
  await get('/documents/new?kind=invoice');
  await post('/documents', form(lines(2, { unitPrice: 'abc' })));
});
afterAll(async () => {
  await asker.close();
  await letterhead.close();
});

interface Page {
  readonly status: number;
  readonly location: string | null;
  readonly text: string;
}

/** Asks from another thread, and watches this one, in which Letterhead answers. */
async function watched(asked: Omit<Asked, 'url'> & { readonly path: string }): Promise<Page & { longest: number }> {
  let answered: Answered | undefined;
  const longest = await longestTurn(async () => {
    answered = await asker.ask({ ...asked, url: `${letterhead.url}${asked.path}` });
  });
  if (!answered) throw new Error('There is no answer.');
  return { ...answered, longest, text: new TextDecoder().decode(answered.bytes) };
}

const get = (path: string) => watched({ path, method: 'GET', headers });
const post = (path: string, fields: Fields) =>
  watched({
    path: `${path}${query}`,
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
    body: new TextEncoder().encode(new URLSearchParams(fields).toString()),
  });
const upload = async (file: string) => {
  const body = new FormData();
  body.append('files', new File([file], 'large.xml'));
  const sent = new Request(letterhead.url, { method: 'POST', body });
  return watched({
    path: `/imports${query}`,
    method: 'POST',
    headers: { ...headers, 'content-type': sent.headers.get('content-type') ?? '' },
    body: new Uint8Array(await sent.arrayBuffer()),
  });
};

type Fields = [string, string][];
const form = (fields: Fields): Fields => [
  ['kind', 'invoice'],
  ['issueDate', '2026-12-01'],
  ['currency', 'EUR'],
  ['party[name]', 'Elm'],
  ['party[email]', 'elm@elm.example'],
  ...fields,
];
const many = (count: number, of: (index: number) => [string, string]): Fields =>
  Array.from({ length: count }, (_, index) => of(index));
const lines = (count: number, more: Record<string, string>): Fields => {
  const line = { name: 'A chair for a@b.example', quantity: '3', taxRate: '23', description: 'x <b> & y', ...more };
  return Array.from({ length: count }, (_, index) =>
    Object.entries(line).map(([name, value]): [string, string] => [`lines[${index}][${name}]`, value]),
  ).flat();
};

/** Expects an answer, and that nobody had to wait for it. */
async function expectNobodyWaits(ask: () => ReturnType<typeof watched>, statuses: readonly number[]): Promise<Page> {
  const before = slowness();
  const { longest, ...page } = await ask();
  expect(statuses, page.text.slice(-2_000)).toContain(page.status);
  const most = mostMs * Math.max(before, slowness());
  expect(longest, `Others waited ${Math.round(longest)} ms.`).toBeLessThan(most);
  return page;
}

describe('nobody waits for somebody else’s', () => {
  const forms: readonly (readonly [what: string, path: string, fields: Fields])[] = [
    [
      'numbers that cannot be read, 20,000 of them',
      '/documents',
      lines(5_000, { unitPrice: 'abc', quantity: 'x', discountPercent: '?', taxRate: '–' }),
    ],
    ['form of 5,000 lines', '/documents', lines(5_000, { unitPrice: '' })],
    ['numbers that could be two', '/documents', [...lines(5_000, { unitPrice: '1,250' }), ['do', 'add-up']]],
    ['fields that are not known', '/documents', many(60_000, (index) => [`no${index}`, '1'])],
    ['rates above 100', '/documents', lines(5_000, { unitPrice: '1', taxRate: '101', discountPercent: '900' })],
    ['lines too long', '/documents', lines(2_000, { unitPrice: '1', name: 'x'.repeat(1_001) })],
    ['sums while they type', '/documents/totals', lines(5_000, { unitPrice: '12.345' })],
    ['marks while they type', '/documents/totals', lines(5_000, { unitPrice: 'abc' })],
    ['allowances', '/documents', many(20_000, (index) => [`adjustments[${index}][amount]`, 'x'])],
    ['field of four million letters', '/documents', [['notes', 'a@b '.repeat(900_000)]]],
    ['field sent 60,000 times', '/documents', many(60_000, () => ['notes', 'x'])],
  ];
  it.each(someRows(forms))('%s', async (_what, path, fields) => {
    await expectNobodyWaits(() => post(path, form(fields)), [200, 422, 413]);
  });

  it('record of 5,000 lines: saved, looked at, edited, printed, changed by two', async () => {
    const typed = form(lines(5_000, { unitPrice: '12.345' }));
    const record = (await expectNobodyWaits(() => post('/documents', typed), [303])).location ?? '';
    expect((await expectNobodyWaits(() => get(record), [200])).text).toContain('of 5,000 lines');
    const editor = await expectNobodyWaits(() => get(`${record}/edit`), [200]);
    expect(editor.text).toContain('lines[4999][name]');
    await expectNobodyWaits(() => get(`${record}/deliveries/new`), [200]);
    // Where the machine has much else to do, the process that prints may be stopped.
    await expectNobodyWaits(() => get(`${record}/pdf`), [200, 503]);
    const changed: Fields = [...form(lines(5_000, { unitPrice: '2' })), ['version', '1']];
    await expectNobodyWaits(() => post(record, changed), [303]);
    await expectNobodyWaits(() => post(record, changed), [409]);
  });

  const files: readonly (readonly [what: string, file: string, said: string])[] = [
    ['file of 39,000 attributes', manyAttributes(own, 39_000), 'Imported'],
    ['file of 200,000 attributes', manyAttributes(own, 200_000), 'more than a record can keep'],
    ['file of 5,000 lines', largeOrder(own), 'Imported'],
  ];
  it.each(someRows(files))('%s', async (_what, file, said) => {
    const { text } = await expectNobodyWaits(() => upload(file), [200, 422]);
    // Where the machine has much else to do, the process that reads it may be stopped.
    expect(text.includes(said) || text.includes('Reading it took too long'), text.slice(-3_000)).toBe(true);
    const record = /href="(\/documents\/[0-9a-f-]{36})"/.exec(text)?.[1];
    for (const path of record ? [record, `${record}/edit`, `${record}/pdf`] : [])
      await expectNobodyWaits(() => get(path), [200, 503]);
  });
});
