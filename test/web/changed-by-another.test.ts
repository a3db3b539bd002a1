import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Colleague, colleague } from '../support/colleague.ts';
import { type Company, company } from '../support/company.ts';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { type Page, said, type Visitor } from '../support/visitor.ts';

let letterhead: TestLetterhead;
let office: Company;
let ada: Colleague;
beforeAll(async () => {
  letterhead = await startTestLetterhead({ worker: false });
  office = await company(letterhead);
  ada = await colleague(letterhead, office, 'Ada', 'admin');
});
afterAll(() => letterhead.close());

const seenIn = ({ text }: Page) => /name="seen"[^>]* value="([^"]*)"/.exec(text)?.[1] ?? '';

/** A form that two people have open: where it is, where it is sent, what both write, and what each shows as theirs. */
interface Form {
  readonly page: string;
  readonly action: string;
  readonly fields: Record<string, string>;
  readonly field: string;
}
const forms: Record<string, () => Promise<Form>> = {
  async contact() {
    const made = await office.founder.post('/parties', { 'party[name]': 'Elm', 'party[city]': 'Kiel' });
    const action = made.location ?? '';
    return {
      page: `${action}/edit`,
      action,
      fields: { 'party[name]': 'Elm', 'party[phone]': '1' },
      field: 'party[city]',
    };
  },
  async company() {
    const empty = { street: '', extraStreet: '', postalCode: '', region: '', taxId: '', email: '', website: '' };
    const needed = { name: 'Company', country: 'IE', currency: 'EUR', timeZone: 'Europe/Dublin' };
    const fields = { ...empty, ...needed, phone: '1', paymentDetails: '' };
    return { page: '/settings/company', action: '/settings/company', fields, field: 'city' };
  },
};

describe.each(Object.keys(forms))('a %s that two change', (what) => {
  it('says who changed it and when, beside what both wrote, and nothing is lost or overwritten unseen', async () => {
    const { page, action, fields, field } = (await forms[what]?.()) ?? { page: '', action: '', fields: {}, field: '' };
    const open = async (pages: Visitor) => seenIn(await pages.get(page));
    const [hers, his] = [await open(ada.pages), await open(office.founder)];
    expect(hers).not.toBe('');
    const write = (pages: Visitor, city: string, seen: string) =>
      pages.post(action, { ...fields, [field]: city, seen });
    expect((await write(ada.pages, 'Galway', hers)).status).toBe(303);

    const conflict = await write(office.founder, 'Passau', his);
    expect(conflict.status).toBe(409);
    expect(said(conflict)).toContain('was changed while you had');
    expect(said(conflict)).toMatch(/Ada changed it: .*\d\d:\d\d/);
    expect(said(conflict)).toMatch(/City Galway Passau/);
    expect(conflict.text).toContain('value="Passau"');
    expect((await ada.pages.get(page)).text).toContain('value="Galway"');

    // A mistake of their own does not make the page forget what it had seen.
    const refused = await write(office.founder, 'x'.repeat(300), his);
    expect([422, 409]).toContain(refused.status);
    if (refused.status === 422) expect(seenIn(refused)).toBe(his);

    const over = await write(office.founder, 'Passau', seenIn(conflict));
    expect(over.status).toBe(303);
    expect((await ada.pages.get(page)).text).toContain('value="Passau"');
    // Saved to what it is already, or by a program that shows no form, it is no conflict.
    expect((await write(office.founder, 'Passau', await open(office.founder))).status).toBe(303);
    expect((await write(ada.pages, 'Kiel', '')).status).toBe(303);
  });

  it('at the same instant is changed by one, and the other is told', async () => {
    const { page, action, fields, field } = (await forms[what]?.()) ?? { page: '', action: '', fields: {}, field: '' };
    const seen = seenIn(await ada.pages.get(page));
    const write = (pages: Visitor, city: string) => pages.post(action, { ...fields, [field]: city, seen });
    const answers = await Promise.all([write(ada.pages, 'One'), write(office.founder, 'Two')]);
    expect(answers.map(({ status }) => status).sort()).toEqual([303, 409]);
  });
});
