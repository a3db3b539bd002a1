import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { writeEvents } from '../../src/deliveries/state.ts';
import type { Database } from '../../src/platform/database.ts';
import type { DeliveryState } from '../../src/platform/database-types.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { blockAccount } from '../../src/tenants/system-queue.ts';
import { aMinuteLater } from '../support/answered.ts';
import { colleague } from '../support/colleague.ts';
import { type Company, company } from '../support/company.ts';
import { sharedLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { aDelivery } from '../support/rows.ts';
import { anInvoice, sent } from '../support/send-page.ts';
import type { Visitor } from '../support/visitor.ts';

let letterhead: TestLetterhead;
let sender: Company;
beforeAll(async () => {
  letterhead = await sharedLetterhead();
});
afterAll(() => letterhead.close());
beforeEach(async () => {
  sender = await company(letterhead);
});

const within = <T>(work: (trx: Database) => Promise<T>) => inTenant(letterhead.database.db, sender.tenantId, work);
const some = (count: number, state: DeliveryState, set: { held_reason?: string; from_changed_at?: Date } = {}) =>
  within(async (trx) => {
    const { tenantId, memberId, mailboxId } = sender;
    const ids: string[] = [];
    for (let made = 0; made < count; made += 1) ids.push(await aDelivery(trx, tenantId, memberId, state, mailboxId));
    if (Object.keys(set).length > 0) {
      await trx
        .updateTable('deliveries')
        .set({ ...set, sent_from: 'other@brightwater.example' })
        .where('id', 'in', ids)
        .execute();
    }
    return ids;
  });
const states = (ids: readonly string[]) =>
  within(async (trx) => {
    const rows = await trx
      .selectFrom('deliveries')
      .select(['id', 'state'])
      .where('id', 'in', [...ids])
      .execute();
    return ids.map((id) => rows.find((row) => row.id === id)?.state);
  });
const tick = (ids: readonly string[]) => Object.fromEntries(ids.map((id, index) => [`id[${index}]`, id]));
const decide = async (who: Visitor, decision: string, form: Record<string, string>) => {
  const { status, location } = await who.post('/activity/decisions', { decision, ...form });
  expect(status).toBe(303);
  return (await who.get(location ?? '')).text;
};
const inAnHour = () => new Date(letterhead.google.clock.now() + 3_600_000);
const accountOf = async (id: string) =>
  (await within((trx) => trx.selectFrom('deliveries').select('account').where('id', '=', id).executeTakeFirstOrThrow()))
    .account;
const page = async (why = '') => (await sender.founder.get(`/activity?show=attention${why && `&why=${why}`}`)).text;

describe('the list of what needs somebody', () => {
  it('names each kind with how many there are, and keeps to one that is asked for', async () => {
    const unconfirmed = await some(2, 'unconfirmed');
    const restored = await some(3, 'held', { held_reason: 'restored' });
    const [failed] = await some(1, 'failed');
    const all = await page();
    expect(all).toMatch(
      /After a restore <b class="nums">3<[\s\S]*Sent or not\? <b class="nums">2<[\s\S]*Not sent <b class="nums">1</,
    );
    for (const id of [...unconfirmed, ...restored, failed]) expect(all).toContain(`/deliveries/${id}`);
    const one = await page('unconfirmed');
    for (const id of unconfirmed) expect(one).toContain(`value="${id}"`);
    for (const id of restored) expect(one).not.toContain(id);
    expect(one).toContain('In Gmail: mark as sent');
    expect(one).not.toContain('Discard');
  });

  it('says what to do about them, with the buttons that fit, where all need somebody for the same', async () => {
    await some(60, 'held', { held_reason: 'restored' });
    const all = await page();
    expect(all).toContain('Letterhead was restored from a backup');
    expect(all).toContain('>Not in Gmail: send now<');
    expect(all).toContain('All 60…');
  });

  it('never offers to send what may have been sent without saying that it is to be looked for first', async () => {
    await some(1, 'held', { held_reason: 'restored' });
    await some(1, 'held', { held_reason: 'waited_too_long' });
    const all = await page();
    expect(all).toContain('>Not in Gmail: send now<');
    expect(all).not.toContain('>Send now<');
  });

  it('is empty when nothing does', async () => {
    await some(3, 'sent');
    expect(await page()).toContain('Nothing needs you');
  });
});

describe('several at once', () => {
  it('are decided about where they were ticked, each recorded with the member', async () => {
    const ids = await some(4, 'unconfirmed');
    const ticked = ids.slice(0, 3);
    const text = await decide(sender.founder, 'mark_as_sent', tick(ticked));
    expect(text).toContain('3 emails are marked as sent. For a minute this can be undone.');
    await aMinuteLater(letterhead);
    expect(await states(ids)).toEqual(['sent', 'sent', 'sent', 'unconfirmed']);
    const events = await within((trx) =>
      trx.selectFrom('delivery_events').select(['delivery_id', 'member_id']).where('state', '=', 'sent').execute(),
    );
    expect(events.map(({ delivery_id }) => delivery_id).sort()).toEqual([...ticked].sort());
    expect(new Set(events.map(({ member_id }) => member_id))).toEqual(new Set([sender.memberId]));
  });

  it('are left alone where the decision does not fit, and the page says so', async () => {
    const ids = [...(await some(2, 'held', { held_reason: 'restored' })), ...(await some(1, 'unconfirmed'))];
    expect(await decide(sender.founder, 'cancel', tick(ids))).toContain(
      '2 emails are discarded, and stay in Activity as cancelled. 1 other was left alone',
    );
    expect(await states(ids)).toEqual(['cancelled', 'cancelled', 'unconfirmed']);
  });

  it('can be undone for a minute, in a list of their own that asks nobody', async () => {
    const ids = await some(2, 'unconfirmed');
    const restored = await some(1, 'held', { held_reason: 'restored' });
    const line = { state: 'held', heldReason: 'restored', at: new Date(), detail: 'Restored.' } as const;
    await within((trx) => writeEvents(trx, sender.tenantId, restored, line));
    await decide(sender.founder, 'send_again', tick(ids));
    expect(await decide(sender.founder, 'send_now', tick(restored))).toContain(
      '1 email is sent again in a minute. Until then this can be undone.',
    );
    const shown = await page();
    expect(shown).toContain('Just answered <b class="nums">3<');
    // “All” counts what its list shows: what was just answered needs nobody.
    const chips = [...shown.matchAll(/>([^<>]*) <b class="nums">(\d+)</g)].map(([, name, count]) => [
      name,
      Number(count),
    ]);
    const [[, all] = [], ...kinds] = chips;
    const needing = kinds.filter(([name]) => name !== 'Just answered');
    expect(all).toBe(needing.reduce((sum, [, count]) => sum + Number(count), 0));
    const answered = await page('answered');
    expect(answered).toContain('value="take_back"');
    expect(answered).not.toContain('value="cancel"');
    expect(await decide(sender.founder, 'take_back', tick([...ids, ...restored]))).toContain('3 answers were undone.');
    expect(await states([...ids, ...restored])).toEqual(['unconfirmed', 'unconfirmed', 'held']);
    expect((await sender.delivery(restored[0] ?? '')).heldReason).toBe('restored');
    await aMinuteLater(letterhead);
    expect(await states(ids)).toEqual(['unconfirmed', 'unconfirmed']);
  });

  it('are sent where that can work; what would only be held again stays, and is said why', async () => {
    const ids = [await sender.send(), await sender.send()];
    const held = { state: 'held', held_reason: 'waited_too_long', not_before: null } as const;
    await within((trx) => trx.updateTable('deliveries').set(held).where('id', 'in', ids).execute());
    await sender.founder.post(`/mailboxes/${sender.mailboxId}/pause`);
    const stopped = await page('held');
    expect(stopped).not.toContain('value="send_now"');
    expect(stopped).toContain('>Resume</a>');
    expect(await decide(sender.founder, 'send_now', tick(ids))).toContain(
      `Nothing was sent. 2 emails still wait: ${sender.account} is paused: nothing leaves until it is resumed.`,
    );
    expect(await states(ids)).toEqual(['held', 'held']);
    await sender.founder.post(`/mailboxes/${sender.mailboxId}/resumption`);
    expect(await page('held')).toContain('value="send_now"');
    await blockAccount(letterhead.database.system, await accountOf(ids[0] ?? ''), inAnHour(), 'sending_limit');
    expect(await decide(sender.founder, 'send_now', tick(ids))).toMatch(
      /2 emails leave [\d: A-Z a-z]+: Gmail says that this account’s limit for one day is used up\./,
    );
    expect(await states(ids)).toEqual(['queued', 'queued']);
    expect((await sender.founder.get('/activity')).text).toMatch(/Queued<\/span>\s*<span class="sub">Leaves \d/);
  });

  it('names who was first, and when, where somebody else decided meanwhile', async () => {
    const { pages: dana } = await colleague(letterhead, sender, 'Dana', 'admin');
    const [mine = '', other = ''] = await some(2, 'unconfirmed');
    await decide(dana, 'mark_as_sent', tick([other]));
    expect(await decide(sender.founder, 'mark_as_sent', tick([mine, other]))).toMatch(
      /1 email is marked as sent\..* 1 other was left alone: .* Dana changed it: \d\d:\d\d\./,
    );
    expect(await decide(sender.founder, 'send_again', tick([other]))).toMatch(
      /Nothing was changed\. .*Dana changed it/,
    );
  });

  it('are not decided about when nothing is ticked', async () => {
    await some(1, 'unconfirmed');
    expect(await decide(sender.founder, 'mark_as_sent', {})).toContain('Nothing was ticked.');
  });

  it('are all of a kind, however many pages they fill, but not what came after the page was made', async () => {
    const ids = await some(60, 'held', { held_reason: 'restored' });
    const others = await some(2, 'unconfirmed');
    const text = await page('restored');
    expect(text).toContain('All 60…');
    const until = text.match(/name="until" value="([^"]+)"/)?.[1] ?? '';
    letterhead.google.clock.forward(1_000);
    const [later] = await some(1, 'held', { held_reason: 'restored' });
    await within((trx) =>
      trx
        .updateTable('deliveries')
        .set({ state_at: new Date(letterhead.google.clock.now()) })
        .where('id', '=', later ?? '')
        .execute(),
    );
    const form = { which: 'all', why: 'restored', until };
    expect(await decide(sender.founder, 'mark_as_sent', form)).toContain('60 emails are marked as sent.');
    await aMinuteLater(letterhead);
    expect(new Set(await states(ids))).toEqual(new Set(['sent']));
    expect(await states([...others, later ?? ''])).toEqual(['unconfirmed', 'unconfirmed', 'held']);
  });
});

describe('who may decide', () => {
  it('is not a viewer, and nobody about emails through a Gmail that is not theirs', async () => {
    const { pages: viewer } = await colleague(letterhead, sender, 'Viewer', 'viewer');
    const { pages: member } = await colleague(letterhead, sender, 'Member');
    const ids = await some(2, 'unconfirmed');
    expect((await viewer.get('/activity?show=attention')).text).not.toContain('name="id"');
    expect((await viewer.post('/activity/decisions', { decision: 'mark_as_sent', ...tick(ids) })).status).toBe(403);

    // The founder's own Gmail from now on.
    await within((trx) =>
      trx
        .updateTable('mailboxes')
        .set({ kind: 'personal', member_id: sender.memberId, is_default: false })
        .where('id', '=', sender.mailboxId)
        .execute(),
    );
    expect((await member.get('/activity?show=attention')).text).not.toContain('name="id"');
    expect(await decide(member, 'mark_as_sent', tick(ids))).toContain('Nothing was changed');
    await decide(member, 'mark_as_sent', { which: 'all', why: 'unconfirmed', until: new Date().toISOString() });
    expect(await states(ids)).toEqual(['unconfirmed', 'unconfirmed']);
    await decide(sender.founder, 'mark_as_sent', tick(ids));
    await aMinuteLater(letterhead);
    expect(await states(ids)).toEqual(['sent', 'sent']);
  });
});

describe('what somebody has seen', () => {
  it('is off the list, and says who saw it', async () => {
    const [failed = ''] = await some(1, 'failed');
    const [changed = ''] = await some(1, 'sent', { from_changed_at: new Date() });
    expect(await page('from_changed')).toContain('Gmail sent it from other@brightwater.example');
    const own = (await sender.founder.get(`/deliveries/${changed}`)).text;
    expect(own).toContain('Gmail sent it from other@brightwater.example instead of office@brightwater.example.');
    await sender.founder.post(`/deliveries/${changed}/decision`, { decision: 'seen' });
    await decide(sender.founder, 'seen', tick([failed]));
    expect(await page()).toContain('Nothing needs you');
    expect(await states([failed, changed])).toEqual(['failed', 'sent']);
    const { events } = await sender.delivery(changed);
    expect(events[0]).toMatchObject({ state: 'sent', detail: expect.stringContaining('Seen') });
    expect(events[0]?.memberName).not.toBeNull();
    expect((await sender.founder.get(`/deliveries/${changed}`)).text).not.toContain('I have seen it');
  });
});

describe('the file of an email', () => {
  it('is served as it was sent, with its digest, and not at all once it is damaged', async () => {
    const id = await sent(sender.founder, await anInvoice(letterhead, sender));
    const [file] = (await sender.delivery(id)).attachments;
    const address = `/deliveries/${id}/attachments/${file?.fileName}`;
    expect((await sender.founder.get(`/deliveries/${id}`)).text).toContain(file?.sha256 ?? 'no digest');
    const good = await sender.founder.get(address);
    expect(good.status).toBe(200);
    const digest = Buffer.from(file?.sha256 ?? '', 'hex').toString('base64');
    expect(good.headers.get('repr-digest')).toBe(`sha-256=:${digest}:`);
    await within((trx) =>
      trx
        .updateTable('delivery_attachments')
        .set({ bytes: Buffer.from('%PDF other') })
        .where('delivery_id', '=', id)
        .execute(),
    );
    const bad = await sender.founder.get(address);
    expect(bad.status).toBe(500);
    expect(bad.text).toContain('This file is damaged');
    expect(bad.text).not.toContain('%PDF');
    expect(letterhead.logged()).toContain('an attachment is not the bytes that were kept');
  });
});
