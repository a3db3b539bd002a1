import { describe, expect, it } from 'vitest';
import { DANA, MIRA, OFFICE, office, sendMail } from './support.ts';

/** An office with a sent invoice (PDF, to Mira, yesterday) and an answer from her (unread, today), both indexed. */
async function correspondence() {
  const begun = Date.parse('2026-11-20T09:00:00Z');
  const { google, gmail } = await office(['modify'], { now: () => begun });
  const pdf = { filename: 'invoice-141.pdf', content: '%PDF-1.7', contentType: 'application/pdf' };
  await sendMail(gmail, { text: 'The balcony railing is ready.', cc: DANA, attachments: [pdf] });
  const answer = `From: Mira Okafor <${MIRA}>\r\nTo: ${OFFICE}\r\nSubject: Thank you\r\nMessage-ID: <t@northgate>\r\n\r\nPaid today.`;
  google.clock.forward(3_000_000);
  google.mail.receive(answer, [OFFICE]);
  google.clock.forward(300_000);
  const found = async (q: string) => {
    const { data } = await gmail.users.messages.list({ userId: 'me', q });
    const ids = (data.messages ?? []).map(({ id }) => id);
    const names = google.mail
      .messages(OFFICE)
      .slice(-2)
      .map(({ id }) => id);
    return ids.filter((id) => names.includes(id ?? '')).map((id) => (id === names[0] ? 'invoice' : 'answer'));
  };
  return { google, gmail, found };
}

describe('q', () => {
  it('understands the operators that mail programs use', async () => {
    const { google, found } = await correspondence();
    const assigned = google.truth.accepted()[0]?.messageId ?? '';
    const expected: [string, string[]][] = [
      ['from:mira', ['answer']],
      [`to:${DANA}`, ['invoice']],
      ['cc:dana', ['invoice']],
      ['subject:"thank you"', ['answer']],
      ['in:sent', ['invoice']],
      ['in:inbox is:unread', ['answer']],
      ['is:read in:sent', ['invoice']],
      ['has:attachment', ['invoice']],
      ['filename:pdf', ['invoice']],
      [`rfc822msgid:${assigned}`, ['invoice']],
      [`rfc822msgid:${assigned.slice(1, -1)}`, ['invoice']],
      ['rfc822msgid:t@northgate', ['answer']],
      ['balcony', ['invoice']],
      ['"balcony railing"', ['invoice']],
      ['"railing balcony"', []],
      ['from:mira -subject:thank', []],
      ['-has:attachment from:mira', ['answer']],
    ];
    for (const [q, messages] of expected) expect([q, await found(q)]).toEqual([q, messages]);
  });

  it('understands after and before, as a day and as Unix seconds', async () => {
    const { found } = await correspondence();
    expect(await found('after:2026/11/20 before:2026/11/21')).toEqual(['answer', 'invoice']);
    expect(await found('after:2026-11-21')).toEqual([]);
    const between = Date.parse('2026-11-20T09:30:00Z') / 1000;
    expect(await found(`after:${between}`)).toEqual(['answer']);
    expect(await found(`before:${between}`)).toEqual(['invoice']);
  });

  it('looks into the trash only when asked', async () => {
    const { google, gmail, found } = await correspondence();
    const id = google.mail.messages(OFFICE).at(-1)?.id ?? '';
    await gmail.users.messages.trash({ userId: 'me', id });
    expect(await found('from:mira')).toEqual([]);
    expect(await found('in:trash from:mira')).toEqual(['answer']);
    expect(await found('in:anywhere from:mira')).toEqual(['answer']);
  });

  it('lags as far behind as it is told, while labels are found at once', async () => {
    const { google, gmail } = await office();
    const hour = 3_600_000;
    google.policies.setUnconfirmed({ searchLagMs: hour });
    await sendMail(gmail);
    const count = async (query: { q?: string; labelIds?: string[] }) =>
      (await gmail.users.messages.list({ userId: 'me', ...query })).data.messages?.length ?? 0;
    google.clock.forward(hour / 2);
    expect([await count({ q: 'in:sent' }), await count({ labelIds: ['SENT'] })]).toEqual([0, 1]);
    google.policies.setUnconfirmed({ searchLagMs: 0 });
    expect(await count({ q: 'in:sent' })).toBe(1);
  });
});
