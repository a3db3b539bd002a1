import { describe, expect, it } from 'vitest';
import { GMAIL } from '../support.ts';
import { DANA, delegated, headerOf, MIRA, OFFICE, office, patient, readBack, refusal, sendMail } from './support.ts';

const ALIAS = 'accounts@brightwater.example';
const ROBOT = 'robot@project.example';

describe('settings.sendAs', () => {
  it('updates the primary: by update what is left out becomes empty, by patch it stays', async () => {
    const { google, gmail } = await office(['settings.basic', 'send']);
    const sendAs = gmail.users.settings.sendAs;
    const patched = await sendAs.patch({
      userId: 'me',
      sendAsEmail: OFFICE,
      requestBody: { signature: '<b>Yours</b>' },
    });
    expect(patched.data).toMatchObject({
      displayName: 'Brightwater Joinery',
      signature: '<b>Yours</b>',
      isPrimary: true,
    });
    const updated = await sendAs.update({ userId: 'me', sendAsEmail: OFFICE, requestBody: { displayName: 'Office' } });
    expect(updated.data).toMatchObject({ displayName: 'Office', signature: '', replyToAddress: '' });
    await sendMail(gmail);
    const arrived = await readBack(google, MIRA);
    expect(arrived.from?.name).toBe('Office');
    expect(arrived.text).not.toContain('Yours');
  });

  it('lets an ordinary token update no alias, and create, delete or verify none', async () => {
    const { gmail } = await office(['settings.basic', 'settings.sharing']);
    const sendAs = gmail.users.settings.sendAs;
    const requestBody = { displayName: 'Mine', sendAsEmail: 'new@brightwater.example' };
    for (const call of [
      sendAs.patch({ userId: 'me', sendAsEmail: ALIAS, requestBody }),
      sendAs.create({ userId: 'me', requestBody }),
      sendAs.delete({ userId: 'me', sendAsEmail: ALIAS }),
      sendAs.verify({ userId: 'me', sendAsEmail: ALIAS }),
    ]) {
      expect(await refusal(call)).toMatchObject({
        status: 403,
        message: 'Access restricted to service accounts that have been delegated domain-wide authority',
      });
    }
  });

  it('lets a service account that acts for the person create, update, verify and delete aliases', async () => {
    const { google } = await office();
    const { client_id: clientId, private_key: key } = await google.addServiceAccount(ROBOT);
    const scopes = [`${GMAIL}settings.basic`, `${GMAIL}settings.sharing`];
    google.policies.setDomain('brightwater.example', { delegations: [{ clientId, scopes }] });
    const gmail = patient(google, delegated(google, key, ROBOT, OFFICE, scopes));
    const sendAs = gmail.users.settings.sendAs;
    const create = async (sendAsEmail: string) =>
      (await sendAs.create({ userId: 'me', requestBody: { sendAsEmail, displayName: 'New' } })).data;
    expect(await create('new@brightwater.example')).toMatchObject({ verificationStatus: 'accepted' });
    expect(await create('new@else.example')).toMatchObject({ verificationStatus: 'pending' });
    expect(await refusal(create('new@else.example'))).toMatchObject({ status: 409 });
    await sendAs.verify({ userId: 'me', sendAsEmail: 'new@else.example' });
    expect(google.mail.outside()).toHaveLength(2);
    const patched = await sendAs.patch({ userId: 'me', sendAsEmail: ALIAS, requestBody: { displayName: 'Mine' } });
    expect(patched.data.displayName).toBe('Mine');
    await sendAs.delete({ userId: 'me', sendAsEmail: ALIAS });
    expect(await refusal(sendAs.get({ userId: 'me', sendAsEmail: ALIAS }))).toMatchObject({ status: 404 });
  });

  it('answers 404 for an address that the account does not have', async () => {
    const { gmail } = await office(['settings.basic']);
    const call = gmail.users.settings.sendAs.patch({ userId: 'me', sendAsEmail: DANA, requestBody: {} });
    expect(await refusal(call)).toMatchObject({ status: 404 });
  });
});

describe('a message built by nodemailer', () => {
  it('arrives with its X- headers, attachments and text, an assigned Message-ID, and no Bcc', async () => {
    const { google, gmail } = await office(['send']);
    const pdf = { filename: 'Rechnung ü.pdf', content: '%PDF-1.7', contentType: 'application/pdf' };
    await sendMail(gmail, {
      from: { name: 'Books', address: ALIAS },
      bcc: DANA,
      subject: 'Grüße aus der Werkstatt',
      html: '<p>Good morning.</p>',
      attachments: [pdf],
      headers: { 'X-Letterhead-Delivery': 'd-1' },
    });
    for (const mailbox of [MIRA, DANA]) {
      const arrived = await readBack(google, mailbox);
      expect(arrived).toMatchObject({ from: { name: 'Books', address: ALIAS }, subject: 'Grüße aus der Werkstatt' });
      expect(arrived.messageId).toBe(google.truth.accepted()[0]?.messageId);
      expect(arrived.attachments.map(({ filename }) => filename)).toEqual(['Rechnung ü.pdf']);
      expect(headerOf(arrived, 'x-letterhead-delivery')).toBe('d-1');
      expect(arrived.bcc ?? []).toEqual([]);
    }
    expect((await readBack(google, OFFICE)).bcc?.[0]?.address).toBe(DANA);
  });

  it('keeps its Date, or loses it when the switch says that Gmail writes its own', async () => {
    const { google, gmail } = await office(['send']);
    const date = new Date('2020-02-03T04:05:06Z');
    await sendMail(gmail, { date });
    expect(new Date((await readBack(google, MIRA)).date ?? '')).toEqual(date);
    google.policies.setUnconfirmed({ dateHeader: 'replaced' });
    await sendMail(gmail, { date });
    expect(new Date((await readBack(google, MIRA)).date ?? '').getFullYear()).toBeGreaterThan(2025);
  });
});
