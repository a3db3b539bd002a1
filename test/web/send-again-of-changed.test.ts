import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { unaskedOf } from '../../src/deliveries/record-now.ts';
import { setDocumentStatus } from '../../src/documents/status.ts';
import { getDocument, updateDocument } from '../../src/documents/store.ts';
import type { Database } from '../../src/platform/database.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { aMinuteLater } from '../support/answered.ts';
import { type Company, company } from '../support/company.ts';
import { deliverNow } from '../support/hand-delivery.ts';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { manyRecords } from '../support/many-records.ts';
import { deliveriesOf, started } from '../support/runs.ts';

/** An email of which nobody knows whether it was sent, and whose record became another meanwhile. */

let letterhead: TestLetterhead;
let sender: Company;
/** Each is used once. */
let recordIds: string[];
beforeAll(async () => {
  letterhead = await startTestLetterhead({ worker: false });
  sender = await company(letterhead);
  recordIds = await within((trx) => manyRecords(trx, sender.tenantId, 80));
});
afterAll(() => letterhead.close());

const within = <T>(work: (trx: Database) => Promise<T>) => inTenant(letterhead.context.db, sender.tenantId, work);
const until = () => letterhead.context.clock().toISOString();

const becomes = {
  paid: (trx, id) => setDocumentStatus(trx, sender.tenantId, id, 'paid'),
  cancelled: (trx, id) => setDocumentStatus(trx, sender.tenantId, id, 'cancelled'),
  draft: (trx, id) => setDocumentStatus(trx, sender.tenantId, id, 'draft'),
  changed: async (trx, id) => {
    const record = await getDocument(trx, sender.tenantId, id);
    if (!record) throw new Error('no record');
    const content = { ...record.content, reference: 'PO 77' };
    await updateDocument(trx, sender.tenantId, id, { content, version: record.version });
  },
} satisfies Record<string, (trx: Database, id: string) => Promise<unknown>>;
type Became = keyof typeof becomes;

const states = {
  unconfirmed: { state: 'unconfirmed', held_reason: null },
  restored: { state: 'held', held_reason: 'restored' },
} as const;

/** One of a run of one, in doubt, whose record becomes another then. */
async function inDoubt(became: Became | null, how: keyof typeof states = 'unconfirmed') {
  const recordId = recordIds.pop() ?? '';
  const runId = await started(letterhead.context, sender, { selection: { kind: 'invoice', ids: [recordId] } });
  const [first] = await deliveriesOf(letterhead.context, sender, runId);
  const id = first?.id ?? '';
  await within(async (trx) => {
    await trx
      .updateTable('deliveries')
      .set({ ...states[how], not_before: null })
      .where('id', '=', id)
      .execute();
    if (became) await becomes[became](trx, recordId);
  });
  return { id, runId, recordId };
}
type Doubted = Awaited<ReturnType<typeof inDoubt>>;

const decide = ({ id }: Doubted, form: Record<string, string>) =>
  sender.founder.post(`/deliveries/${id}/decision`, form);
async function worked({ id }: Doubted) {
  await aMinuteLater(letterhead);
  await deliverNow(letterhead, sender, id);
  const { state, replacedBy } = await sender.delivery(id);
  if (replacedBy) await deliverNow(letterhead, sender, replacedBy);
  return { state, replacedBy };
}
const textOf = async (path: string) =>
  (await sender.founder.get(path)).text.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ');

/** Takes all others off the list of what needs somebody. */
const onlyOne = (id: string) =>
  within((trx) =>
    trx
      .updateTable('deliveries')
      .set({ state: 'sent', held_reason: null })
      .where('id', '<>', id)
      .where('state', 'in', ['unconfirmed', 'held'])
      .execute(),
  );

const routes: Record<
  string,
  { readonly of: keyof typeof states; press(doubted: Doubted): Promise<{ location: string | null | undefined }> }
> = {
  'its own page': { of: 'unconfirmed', press: (one) => decide(one, { decision: 'send_again' }) },
  'what is ticked': {
    of: 'unconfirmed',
    press: ({ id }) => sender.founder.post('/activity/decisions', { decision: 'send_again', 'id[0]': id }),
  },
  'all of a kind': {
    of: 'unconfirmed',
    press: () =>
      sender.founder.post('/activity/decisions', {
        ...{ decision: 'send_again', which: 'all', why: 'unconfirmed', until: until() },
      }),
  },
  'the page of its run': {
    of: 'unconfirmed',
    press: ({ runId }) => sender.founder.post(`/runs/${runId}/decision`, { decision: 'send_again', until: until() }),
  },
  'its own page, after a restore': { of: 'restored', press: (one) => decide(one, { decision: 'send_now' }) },
  'what is ticked, after a restore': {
    of: 'restored',
    press: ({ id }) => sender.founder.post('/activity/decisions', { decision: 'send_now', 'id[0]': id }),
  },
};

const says: Record<Became, RegExp> = {
  paid: /(The invoice|B-\d+) is paid/,
  cancelled: /(The invoice|B-\d+) was cancelled/,
  draft: /(The invoice|B-\d+) is a draft/,
  changed: /(The invoice|B-\d+) was changed since/,
};

describe('“Send again” of an email whose record became another', () => {
  for (const [name, { of, press }] of Object.entries(routes)) {
    for (const became of Object.keys(becomes) as Became[]) {
      it(`by ${name}, where that is ${became}: stays as it is, and the notice names it`, async () => {
        const one = await inDoubt(became, of);
        const { location } = await press(one);
        expect(await textOf(location ?? '')).toMatch(says[became]);
        expect(await sender.delivery(one.id)).toMatchObject({
          state: states[of].state,
          heldReason: states[of].held_reason,
        });
        await worked(one);
        expect(sender.accepted(one.id)).toEqual([]);
        await decide(one, { decision: 'mark_as_sent' });
      });
    }

    it(`by ${name}, where nothing became of it: leaves`, async () => {
      const one = await inDoubt(null, of);
      await press(one);
      expect(await worked(one)).toMatchObject({ state: 'sent' });
    });
  }
});

describe('the page of such an email', () => {
  it.each(['unconfirmed', 'restored'] as const)('says it beforehand, and what can be done (%s)', async (of) => {
    const again = of === 'restored' ? 'send now' : 'send again';
    for (const [became, offered, refused] of [
      ['paid', `Send it although it is paid It is not there: ${again}`, 'send the new version'],
      ['cancelled', 'so this email is not sent again', `It is not there: ${again}`],
      ['draft', 'so this email is not sent again', `It is not there: ${again}`],
      [
        'changed',
        'It is not there: send it as it was It is not there: send the new version',
        `It is not there: ${again}`,
      ],
    ] as const) {
      const { id } = await inDoubt(became, of);
      const text = await textOf(`/deliveries/${id}`);
      expect(text).toMatch(says[became]);
      expect(text).toContain(offered);
      expect(text).not.toContain(refused);
      expect(await textOf('/activity?show=attention')).toMatch(says[became]);
      // A button for many asks nothing, so it is not offered for one of which more has to be said.
      await onlyOne(id);
      const { text: list } = await sender.founder.get('/activity?show=attention');
      expect(list).not.toMatch(/value="send_(again|now)"/);
      expect(list.includes('value="send_new_version"')).toBe(became === 'changed');
    }
  });

  it('sends what is paid where that was ticked', async () => {
    const one = await inDoubt('paid');
    await decide(one, { decision: 'send_again', thoughPaid: 'yes' });
    expect(await worked(one)).toMatchObject({ state: 'sent' });
  });

  it('sends the old version where somebody said so', async () => {
    const one = await inDoubt('changed');
    await decide(one, { decision: 'send_again', version: 'old' });
    expect(await worked(one)).toEqual({ state: 'sent', replacedBy: null });
  });

  it.each(['unconfirmed', 'restored'] as const)(
    'sends the new version in its place, after a minute (%s)',
    async (of) => {
      const one = await inDoubt('changed', of);
      await decide(one, { decision: 'send_new_version' });
      expect(await sender.delivery(one.id)).toMatchObject({ state: 'held', heldReason: 'not_found_new' });
      const { state, replacedBy } = await worked(one);
      expect(state).toBe('cancelled');
      expect(await sender.delivery(replacedBy ?? '')).toMatchObject({ state: 'sent' });
      expect(sender.accepted(one.id)).toEqual([]);
      expect(sender.accepted(replacedBy ?? '')).toHaveLength(1);
      const reference = await within((trx) =>
        trx
          .selectFrom('deliveries')
          .select(sql<string>`document_snapshot ->> 'reference'`.as('said'))
          .where('id', '=', replacedBy)
          .executeTakeFirst(),
      );
      expect(reference?.said).toBe('PO 77');
    },
  );

  it('sends the email itself where the record says again what it said', async () => {
    const one = await inDoubt('changed');
    await decide(one, { decision: 'send_new_version' });
    await within((trx) =>
      sql`update documents set content = (select document_snapshot from deliveries where id = ${one.id}) where id = ${one.recordId}`.execute(
        trx,
      ),
    );
    expect(await worked(one)).toEqual({ state: 'sent', replacedBy: null });
  });

  it('lets the new version be undone within the minute', async () => {
    const one = await inDoubt('changed');
    await decide(one, { decision: 'send_new_version' });
    await decide(one, { decision: 'take_back' });
    expect(await sender.delivery(one.id)).toMatchObject({ state: 'unconfirmed', replacedBy: null });
  });

  it.each(['paid', 'cancelled', 'draft'] as const)('ends what is not to be sent any more (%s)', async (became) => {
    const one = await inDoubt(became);
    await decide(one, { decision: 'do_not_send' });
    expect(await worked(one)).toMatchObject({ state: 'cancelled' });
    expect(sender.accepted(one.id)).toEqual([]);
  });
});

describe('what becomes of the record within the minute', () => {
  it.each(['cancelled', 'draft'] as const)('stops it: %s', async (became) => {
    const one = await inDoubt(null);
    await decide(one, { decision: 'send_again' });
    await within((trx) => becomes[became](trx, one.recordId));
    expect(await worked(one)).toMatchObject({ state: 'cancelled' });
    expect(sender.accepted(one.id)).toEqual([]);
  });

  it('holds it, where it was paid, until somebody says so', async () => {
    const one = await inDoubt(null);
    await decide(one, { decision: 'send_again' });
    await within((trx) => becomes.paid(trx, one.recordId));
    await worked(one);
    expect(await sender.delivery(one.id)).toMatchObject({ state: 'held', heldReason: 'record_paid' });
    const page = await textOf(`/deliveries/${one.id}`);
    expect(page).toContain('The invoice was paid before this left');
    await decide(one, { decision: 'send_now' });
    expect(await sender.delivery(one.id)).toMatchObject({ state: 'held', heldReason: 'record_paid' });
    await decide(one, { decision: 'send_now', thoughPaid: 'yes' });
    await deliverNow(letterhead, sender, one.id);
    expect((await sender.delivery(one.id)).state).toBe('sent');
  });
});

it('one rule says what is asked', () => {
  const table = [
    ['open', false, {}, null],
    ['accepted', true, {}, 'changed'],
    ['open', true, { asItWas: true }, null],
    ['paid', false, {}, 'paid'],
    ['paid', true, { thoughPaid: true }, 'changed'],
    ['paid', true, { thoughPaid: true, asItWas: true }, null],
    ['cancelled', false, { thoughPaid: true, asItWas: true }, 'cancelled'],
    ['draft', true, { thoughPaid: true, asItWas: true }, 'draft'],
  ] as const;
  for (const [status, isChanged, said, why] of table) expect(unaskedOf({ status, isChanged }, said)).toBe(why);
});
