import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPacer } from '../../src/deliveries/pacer.ts';
import { firstInstantFrom, formatMoment, wallTimeOf } from '../../src/platform/zoned-time.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { setSendingRules } from '../../src/tenants/sending-rules.ts';
import { type Company, company } from '../support/company.ts';
import { anotherWorker, deliverNow } from '../support/hand-delivery.ts';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { anInvoice, sendRecord, sent } from '../support/send-page.ts';
import { said } from '../support/visitor.ts';

/** Nothing works by itself here: rounds of the pacer are made, and the clock is moved on, by hand. */
let letterhead: TestLetterhead;
beforeAll(async () => {
  letterhead = await startTestLetterhead({ worker: false, timeStands: true });
});
afterAll(() => letterhead.close());

const zone = 'Europe/Dublin';
const office = { days: [1, 2, 3, 4, 5], from: '08:00', to: '18:00', holidays: [] };
const now = () => new Date(letterhead.google.clock.now());
const forward = (ms: number) => void letterhead.google.clock.forward(ms);
const wall = (date: Date) => wallTimeOf(date, zone);
const ahead = (ms: number) => new Date(now().getTime() + ms);
const hour = 3_600_000;
/** One round of a worker: what is due and released is taken to Gmail. */
const round = async (sender: Company, ...ids: string[]) => {
  for (const id of await released(sender, ids)) await deliverNow(letterhead, sender, id);
};
/** Which of these the pacer takes in a round. */
const released = async (sender: Company, ids: readonly string[]) => {
  await createPacer(anotherWorker(letterhead)).tick();
  const rows = await inTenant(letterhead.database.db, sender.tenantId, (trx) =>
    trx.selectFrom('deliveries').select('id').where('released_at', 'is not', null).execute(),
  );
  return ids.filter((id) => rows.some((row) => row.id === id));
};
/** Moves the clock to a day of the week and an hour in Dublin, less than eight days ahead. */
const goTo = (weekday: number, time: string) => {
  for (let days = 0; days < 9; days += 1) {
    const [date = ''] = wall(ahead(days * 24 * hour)).split('T');
    const at = firstInstantFrom(`${date}T${time}`, zone);
    if ((new Date(`${date}T00:00:00Z`).getUTCDay() || 7) !== weekday || at <= now()) continue;
    return forward(at.getTime() - now().getTime());
  }
};
const rules = (sender: Company, over: { undoSeconds?: number; hours?: typeof office | null }) =>
  inTenant(letterhead.database.db, sender.tenantId, (trx) =>
    setSendingRules(trx, sender.tenantId, { undoSeconds: 0, hours: null, ...over }),
  );
const decide = (sender: Company, id: string, decision: string) =>
  sender.founder.post(`/deliveries/${id}/decision`, { decision });

describe('the moment after Send', () => {
  it('is ten seconds unless the company chose otherwise, and then the email leaves', async () => {
    const sender = await company(letterhead);
    await sender.founder.post('/settings/sending', { undoSeconds: '10' });
    const id = await sent(sender.founder, await anInvoice(letterhead, sender));
    const waiting = await sender.delivery(id);
    expect(waiting).toMatchObject({ state: 'held', heldReason: 'undo' });
    expect((waiting.notBefore?.getTime() ?? 0) - now().getTime()).toBe(10_000);
    const page = await sender.founder.get(`/deliveries/${id}`);
    expect(page.text).toMatch(/data-countdown="10"/);
    expect(page.text).toMatch(/name="decision" value="cancel"[^>]*>.*Undo/);
    forward(9_000);
    await round(sender, id);
    expect((await sender.delivery(id)).state).toBe('held');
    forward(1_000);
    await round(sender, id);
    expect((await sender.delivery(id)).state).toBe('sent');
    expect(sender.accepted(id)).toHaveLength(1);
  });

  it('takes it back at the press of a button, and the form comes back as it was filled in', async () => {
    const sender = await company(letterhead);
    await rules(sender, { undoSeconds: 10 });
    const record = await anInvoice(letterhead, sender);
    const id = await sent(sender.founder, record, { to: 'typo@northgate.example', message: 'Words of mine.' });
    const undone = await decide(sender, id, 'cancel');
    expect(undone.location).toBe(`/documents/${record.id}/deliveries/new?from=${id}`);
    const form = await sender.founder.get(undone.location ?? '');
    expect(form.text).toContain('Undone: nothing was sent.');
    expect(form.text).toContain('typo@northgate.example');
    expect(form.text).toContain('Words of mine.');
    forward(11_000);
    await round(sender, id);
    expect((await sender.delivery(id)).state).toBe('cancelled');
    expect(sender.accepted(id)).toEqual([]);
  });

  it('is over at once for whoever says so', async () => {
    const sender = await company(letterhead);
    await rules(sender, { undoSeconds: 60 });
    const id = await sent(sender.founder, await anInvoice(letterhead, sender));
    await decide(sender, id, 'send_now');
    await round(sender, id);
    expect((await sender.delivery(id)).state).toBe('sent');
  });

  it('cannot take back what has left', async () => {
    const sender = await company(letterhead);
    await rules(sender, { undoSeconds: 5 });
    const id = await sent(sender.founder, await anInvoice(letterhead, sender));
    forward(6_000);
    await round(sender, id);
    expect((await decide(sender, id, 'cancel')).location).toBe(`/deliveries/${id}`);
    expect((await sender.founder.get(`/deliveries/${id}`)).text).toContain('It has moved on meanwhile');
    expect((await sender.delivery(id)).state).toBe('sent');
  });

  it('is not given to test emails', async () => {
    const sender = await company(letterhead);
    await rules(sender, { undoSeconds: 60, hours: { ...office, from: '00:00', to: '00:01' } });
    const { location } = await sender.founder.post('/settings/email/test-deliveries');
    expect((await sender.delivery(location?.slice(12) ?? '')).state).toBe('queued');
  });
});

describe('a chosen moment', () => {
  it('is when it leaves, by itself', async () => {
    const sender = await company(letterhead);
    const at = new Date(Math.ceil(ahead(3 * hour).getTime() / 60_000) * 60_000);
    const id = await sent(sender.founder, await anInvoice(letterhead, sender), { when: 'later', sendAt: wall(at) });
    expect(await sender.delivery(id)).toMatchObject({ state: 'held', heldReason: 'scheduled', notBefore: at });
    expect((await sender.founder.get(`/deliveries/${id}`)).text).toMatch(/Leaves (\d+ \w+ )?\d\d:\d\d/);
    forward(at.getTime() - now().getTime() - 1_000);
    await round(sender, id);
    expect((await sender.delivery(id)).state).toBe('held');
    forward(1_001);
    await round(sender, id);
    expect((await sender.delivery(id)).state).toBe('sent');
  });

  it('that has passed is refused with words, and nothing typed is lost', async () => {
    const sender = await company(letterhead);
    const record = await anInvoice(letterhead, sender);
    const over = { when: 'later', sendAt: wall(ahead(-hour)), message: 'Words of mine.' };
    const page = await sendRecord(sender.founder, record, over);
    expect(page.status).toBe(422);
    expect(page.text).toContain('That has passed: it is');
    expect(page.text).toContain('Words of mine.');
    expect(page.text).toContain(`value="${over.sendAt}"`);
  });

  it('can be changed until it has come', async () => {
    const sender = await company(letterhead);
    const over = { when: 'later', sendAt: wall(ahead(3 * hour)) };
    const id = await sent(sender.founder, await anInvoice(letterhead, sender), over);
    const later = new Date(Math.ceil(ahead(30 * hour).getTime() / 60_000) * 60_000);
    await sender.founder.post(`/deliveries/${id}/schedule`, { sendAt: wall(later) });
    const moved = await sender.delivery(id);
    expect(moved).toMatchObject({ state: 'held', heldReason: 'scheduled', notBefore: later });
    expect(moved.events[0]).toMatchObject({ detail: `Leaves on ${formatMoment(later, zone)}.` });
    expect(moved.events[0]?.memberName).not.toBeNull();
    const wrong = await sender.founder.post(`/deliveries/${id}/schedule`, { sendAt: wall(ahead(-hour)) });
    expect((await sender.founder.get(wrong.location ?? '')).text).toContain('Not changed. That has passed');
    await decide(sender, id, 'cancel');
    await sender.founder.post(`/deliveries/${id}/schedule`, { sendAt: wall(later) });
    expect((await sender.delivery(id)).state).toBe('cancelled');
  });

  it('can be given to what is queued already', async () => {
    const sender = await company(letterhead);
    const id = await sent(sender.founder, await anInvoice(letterhead, sender));
    expect((await sender.delivery(id)).state).toBe('queued');
    await sender.founder.post(`/deliveries/${id}/schedule`, { sendAt: wall(ahead(hour)) });
    await round(sender, id);
    expect((await sender.delivery(id)).heldReason).toBe('scheduled');
    await decide(sender, id, 'send_now');
    await round(sender, id);
    expect((await sender.delivery(id)).state).toBe('sent');
  });

  it('belongs to the same form pressed twice, and is another form’s where it differs', async () => {
    const sender = await company(letterhead);
    const record = await anInvoice(letterhead, sender);
    const over = { key: crypto.randomUUID(), when: 'later', sendAt: wall(ahead(3 * hour)) };
    const first = await sendRecord(sender.founder, record, over);
    expect((await sendRecord(sender.founder, record, over)).location).toBe(first.location);
    expect((await sendRecord(sender.founder, record, { ...over, when: 'now' })).status).toBe(409);
  });
});

describe('sending hours', () => {
  it('keep what is sent outside of them until they begin', async () => {
    const sender = await company(letterhead);
    await rules(sender, { hours: office, undoSeconds: 10 });
    goTo(6, '12:00');
    const record = await anInvoice(letterhead, sender);
    expect((await sender.founder.get(`/documents/${record.id}/deliveries/new`)).text).toMatch(
      /Your company sends Monday to Friday, 08:00 to 18:00. This waits, and leaves on <strong>Monday .*, 08:00/,
    );
    const id = await sent(sender.founder, record);
    expect(await sender.delivery(id)).toMatchObject({ state: 'held', heldReason: 'outside_hours' });
    expect((await sender.founder.get(`/deliveries/${id}`)).text).toContain('Send now anyway');
    goTo(1, '07:59');
    await round(sender, id);
    expect((await sender.delivery(id)).state).toBe('held');
    forward(60_001);
    await round(sender, id);
    expect((await sender.delivery(id)).state).toBe('sent');
  });

  it('do not keep what somebody says leaves all the same, before or after', async () => {
    const sender = await company(letterhead);
    await rules(sender, { hours: office });
    goTo(7, '12:00');
    const told = await sent(sender.founder, await anInvoice(letterhead, sender), { anyTime: 'yes' });
    const waits = await sent(sender.founder, await anInvoice(letterhead, sender));
    await decide(sender, waits, 'send_now');
    await round(sender, told, waits);
    expect((await sender.delivery(told)).state).toBe('sent');
    expect((await sender.delivery(waits)).state).toBe('sent');
  });

  it('are no reason to touch what waits in the queue: it is not taken from there, however much it is', async () => {
    const [closed, open] = [await company(letterhead), await company(letterhead)];
    goTo(3, '12:00');
    const ids: string[] = [];
    for (let made = 0; made < 5; made += 1) ids.push(await sent(closed.founder, await anInvoice(letterhead, closed)));
    const other = await sent(open.founder, await anInvoice(letterhead, open));
    await rules(closed, { hours: { ...office, days: [5] } });
    expect(await released(open, [other])).toEqual([other]);
    expect(await released(closed, ids)).toEqual([]);
    const states = await Promise.all(ids.map(async (id) => (await closed.delivery(id)).events.length));
    expect(states).toEqual([1, 1, 1, 1, 1]);
    expect((await closed.founder.get(`/deliveries/${ids[0]}`)).text).toContain('It waits for your sending hours');

    // One of them is told to leave all the same, and leaves alone.
    await decide(closed, ids[2] ?? '', 'send_now');
    await round(closed, ...ids);
    const now = await Promise.all(ids.map(async (id) => (await closed.delivery(id)).state));
    expect(now).toEqual(['queued', 'queued', 'sent', 'queued', 'queued']);
    goTo(5, '09:00');
    await round(closed, ...ids);
    expect((await closed.delivery(ids[0] ?? '')).state).toBe('sent');
  });

  it('that end between its release and its turn hold it until they begin again', async () => {
    const sender = await company(letterhead);
    await rules(sender, { hours: office });
    goTo(4, '17:59');
    const id = await sent(sender.founder, await anInvoice(letterhead, sender));
    expect(await released(sender, [id])).toEqual([id]);
    forward(60_000);
    await deliverNow(letterhead, sender, id);
    expect(await sender.delivery(id)).toMatchObject({ state: 'held', heldReason: 'outside_hours' });
    goTo(5, '08:01');
    await round(sender, id);
    expect((await sender.delivery(id)).state).toBe('sent');
  });

  it('that are changed, or switched off, say first and afterwards what leaves for that', async () => {
    const sender = await company(letterhead);
    await rules(sender, { hours: office });
    goTo(6, '12:00');
    await sent(sender.founder, await anInvoice(letterhead, sender));
    const shown = async () => said(await sender.founder.get('/settings/sending'));
    expect(await shown()).toContain(
      'One email waits for the sending hours, and does so no more as soon as you save this.',
    );
    const days = { 'days[0]': '7', from: '08:00', to: '18:00' };
    await sender.founder.post('/settings/sending', { undoSeconds: '0', when: 'hours', ...days });
    expect(await shown()).toMatch(/Saved\. 1 email leaves .*08:00: it waits for your sending hours\./);
    await sender.founder.post('/settings/sending', { undoSeconds: '0', when: 'any' });
    expect(await shown()).toContain('1 email is going out now.');
    expect(await shown()).not.toContain('waits for the sending hours');
  });

  it('that are changed let go what they would not keep', async () => {
    const sender = await company(letterhead);
    await rules(sender, { hours: office });
    goTo(6, '12:00');
    const id = await sent(sender.founder, await anInvoice(letterhead, sender));
    const days = { 'days[0]': '6', from: '08:00', to: '18:00' };
    await sender.founder.post('/settings/sending', { undoSeconds: '0', when: 'hours', ...days });
    await round(sender, id);
    expect((await sender.delivery(id)).state).toBe('sent');
  });

  it('refuse a chosen moment outside of them, and take it where it is meant', async () => {
    const sender = await company(letterhead);
    await rules(sender, { hours: office });
    goTo(5, '12:00');
    const record = await anInvoice(letterhead, sender);
    const saturday = { when: 'later', sendAt: wall(ahead(24 * hour)) };
    const page = await sendRecord(sender.founder, record, saturday);
    expect(page.status).toBe(422);
    expect(page.text).toContain('Your company does not send at that time. It does again on Monday');
    const id = await sent(sender.founder, record, { ...saturday, anyTime: 'yes' });
    forward(24 * hour);
    await round(sender, id);
    expect((await sender.delivery(id)).state).toBe('sent');
  });
});

describe('the settings', () => {
  const fields = { undoSeconds: '20', when: 'hours', 'days[0]': '1', 'days[1]': '5', from: '09:00', to: '00:00' };

  it('keep the undo window, days, hours and the holidays that are still to come', async () => {
    const sender = await company(letterhead);
    const today = wall(now()).slice(0, 10);
    const [past, next] = [wall(ahead(-48 * hour)), wall(ahead(400 * hour))].map((each) => each.slice(0, 10));
    const holidays = { 'holidays[0]': next ?? '', 'holidays[1]': '', 'holidays[2]': past ?? '', 'holidays[3]': today };
    const saved = await sender.founder.post('/settings/sending', { ...fields, ...holidays });
    expect(saved.location).toBe('/settings/sending');
    const { text } = await sender.founder.get('/settings/sending');
    expect(text).toContain('<option value="20" selected>');
    expect(text).toMatch(/name="to" type="time" value="00:00"/);
    expect([...text.matchAll(/name="holidays" value="([^"]+)"/g)].map(([, date]) => date)).toEqual([today, next]);
  });

  it.each([
    ['days', { 'days[0]': '', 'days[1]': '' }, 'Choose at least one day.'],
    ['an end', { to: '08:00' }, 'The end must be later than the beginning, on the same day.'],
    ['a beginning', { from: '' }, 'Write a time such as 08:00.'],
  ])('without %s are not saved, and the page says why', async (_words, over, message) => {
    const sender = await company(letterhead);
    const page = await sender.founder.post('/settings/sending', { ...fields, ...over });
    expect(page.status).toBe(422);
    expect(page.text).toContain(message);
    expect((await sender.founder.get('/settings/sending')).text).toContain('value="any" checked');
  });
});
