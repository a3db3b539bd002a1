import { monitorEventLoopDelay } from 'node:perf_hooks';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Company, company } from '../support/company.ts';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { anInvoice } from '../support/send-page.ts';
import { hostileText, runs } from './hostile.ts';

/** A form as it stands on a page. */
interface Form {
  readonly action: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
}

/** What would end the walk: leaving, or taking away what the other forms are about. */
const left = /^\/(sign-out|sign-in|tenant-switch|welcome)|\/(disconnection|removal|deletion|pause|departure|leaving)\b/;
const mostPages = 120;

let letterhead: TestLetterhead;
let office: Company;
let forms: Form[];
beforeAll(async () => {
  letterhead = await startTestLetterhead({ worker: false });
  office = await company(letterhead);
  await anInvoice(letterhead, office);
  await office.send();
  forms = await findForms();
});
afterAll(() => letterhead.close());

/** Walks from page to page, and gathers every form that writes. */
async function findForms(): Promise<Form[]> {
  const [found, seen, waiting] = [new Map<string, Form>(), new Set<string>(), ['/']];
  for (let path = waiting.shift(); path !== undefined && seen.size < mostPages; path = waiting.shift()) {
    if (seen.has(path)) continue;
    seen.add(path);
    const { text } = await office.founder.get(path);
    for (const [, address = ''] of text.matchAll(/href="(\/[^"#]*)"/g)) {
      const next = address.replaceAll('&amp;', '&');
      if (!/\.(css|js|svg|pdf|woff2|txt|csv|png)|^\/assets/.test(next)) waiting.push(next);
    }
    for (const [whole, tag = '', inner = ''] of text.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/g)) {
      const action = /\saction="([^"]+)"/.exec(tag)?.[1]?.replaceAll('&amp;', '&') ?? path;
      if (!/method="?post/i.test(tag) || left.test(action) || whole.includes('type="file"')) continue;
      const fields = [...inner.matchAll(/<(?:input|textarea|select|button)\b[^>]*?\sname="([^"]+)"[^>]*>/g)].map(
        ([field, name = '']) => [name, /\svalue="([^"]*)"/.exec(field)?.[1] ?? ''] as const,
      );
      found.set(action.replaceAll(/[0-9a-f-]{36}/g, ':id'), { action, fields });
    }
  }
  return [...found.values()];
}

describe('the forms of the pages', () => {
  it('were found', () => {
    expect(forms.length).toBeGreaterThan(15);
    expect(forms.some(({ action }) => action.startsWith('/documents'))).toBe(true);
  });

  it('answer whatever is sent with a page of theirs, never with an error of ours', async () => {
    const input = fc.record({
      form: fc.nat(),
      changes: fc.array(
        fc.record({
          field: fc.nat(),
          value: hostileText,
          how: fc.constantFrom('set', 'set', 'twice', 'inside', 'gone'),
        }),
        {
          minLength: 1,
          maxLength: 4,
        },
      ),
    });
    const delay = monitorEventLoopDelay({ resolution: 10 });
    delay.enable();
    await fc.assert(
      fc.asyncProperty(input, async ({ form: number, changes }) => {
        const form = forms[number % forms.length];
        if (!form) return;
        const fields = form.fields.map(([name, value]) => [name, value]);
        for (const { field, value, how } of changes) {
          const at = fields[field % Math.max(1, fields.length)];
          if (!at) continue;
          const [name = ''] = at;
          if (how === 'set') at[1] = value;
          else if (how === 'twice') fields.push([name, value]);
          else if (how === 'inside') fields.push([`${name}[${value.slice(0, 20)}]`, value]);
          else at[0] = `not-${name}`;
        }
        const page = await office.founder.post(
          form.action,
          fields.map(([name = '', value = '']): [string, string] => [name, value]),
        );
        expect(page.status, `${form.action} ${JSON.stringify(changes)}`).toBeLessThan(500);
      }),
      { numRuns: runs },
    );
    delay.disable();
    const longest = Math.round(delay.max / 1e6);
    // A figure of this machine as it was just then, to be read, not asserted: the test's own work is in it.
    if (runs > 300) console.log(`Longest standstill of the process: ${longest} ms.`);
    expect(letterhead.logged()).not.toContain('request failed');
  });
});
