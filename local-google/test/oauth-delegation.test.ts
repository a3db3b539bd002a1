import { JWT } from 'google-auth-library';
import { describe, expect, it } from 'vitest';
import type { LocalGoogle } from '../src/local-google.ts';
import { DANA, GMAIL, gmailOf, MIRA, OFFICE, refusal, send, start } from './support.ts';

const SERVICE = 'letterhead@project.iam.gserviceaccount.com';

/** The official client for service accounts; its token address is fixed, so a call to it is turned to Local Google. */
async function serviceClient(google: LocalGoogle, subject: string, scopes: readonly string[]) {
  const keyFile = await google.addServiceAccount(SERVICE);
  const client = new JWT({ email: SERVICE, key: keyFile.private_key, subject, scopes: [...scopes] });
  client.transporter.interceptors.request.add({
    resolved: async (config) => {
      if (String(config.url).startsWith('https://oauth2.googleapis.com/token'))
        config.url = new URL(`${google.url}/token`);
      return config;
    },
  });
  return { client, clientId: keyFile.client_id };
}

describe('domain-wide delegation', () => {
  it('lets a service account send as a person whose administrator authorised it', async () => {
    const google = await start();
    const { client, clientId } = await serviceClient(google, DANA, [`${GMAIL}send`]);
    google.policies.setDomain('brightwater.example', { delegations: [{ clientId, scopes: [`${GMAIL}send`] }] });
    await send(gmailOf(google, client), { From: DANA });
    expect(google.truth.accepted()).toMatchObject([{ account: DANA, clientId }]);
  });

  it('answers unauthorized_client where nobody authorised it, or not for that scope', async () => {
    const google = await start();
    const { client, clientId } = await serviceClient(google, MIRA, [`${GMAIL}send`]);
    expect(await refusal(client.authorize())).toMatchObject({ status: 401, reason: 'unauthorized_client' });
    google.policies.setDomain('northgate.example', { delegations: [{ clientId, scopes: [`${GMAIL}readonly`] }] });
    expect(await refusal(client.authorize())).toMatchObject({ status: 401, reason: 'unauthorized_client' });
  });

  it('refuses another person in the path with Delegation denied', async () => {
    const google = await start();
    const { client, clientId } = await serviceClient(google, DANA, [`${GMAIL}readonly`]);
    google.policies.setDomain('brightwater.example', { delegations: [{ clientId, scopes: [`${GMAIL}readonly`] }] });
    expect(await refusal(gmailOf(google, client).users.getProfile({ userId: OFFICE }))).toMatchObject({
      status: 403,
      message: `Delegation denied for ${DANA}`,
    });
  });

  it('refuses unknown people, foreign keys and old assertions', async () => {
    const google = await start();
    const { client } = await serviceClient(google, 'nobody@brightwater.example', [`${GMAIL}send`]);
    expect(await refusal(client.authorize())).toMatchObject({ status: 400, reason: 'invalid_grant' });
    const stranger = await serviceClient(google, DANA, [`${GMAIL}send`]);
    await google.addServiceAccount(SERVICE);
    expect(await refusal(stranger.client.authorize())).toMatchObject({ message: 'Invalid JWT Signature.' });
    const late = await serviceClient(google, DANA, [`${GMAIL}send`]);
    google.clock.forward(2 * 60 * 60 * 1000);
    expect((await refusal(late.client.authorize())).message).toContain('Token must be a short-lived token');
  });
});

describe('the control page', () => {
  it('makes a service account, gives its key file, and lets an administrator authorise it and take that back', async () => {
    const google = await start();
    const submit = (form: string, fields: Record<string, string>) =>
      fetch(`${google.url}/control/forms/${form}`, { method: 'POST', body: new URLSearchParams(fields) });
    await submit('service-account', { email: 'letterhead' });
    const answer = await submit('key-file', { email: 'letterhead@project.iam.gserviceaccount.com' });
    expect(answer.headers.get('content-disposition')).toMatch(/^attachment; filename="?letterhead-\w{8}\.json"?$/);
    const { client_id: clientId } = JSON.parse(await answer.text());
    expect(await (await fetch(`${google.url}/control`)).text()).toContain(clientId);
    const scopes = `${GMAIL}send, ${GMAIL}compose`;
    await submit('delegation', { domain: 'brightwater.example', clientId, scopes });
    const policy = () => google.policies.setDomain('brightwater.example', {}).delegations;
    expect(policy()).toEqual([{ clientId, scopes: [`${GMAIL}send`, `${GMAIL}compose`] }]);
    expect((await submit('delegation', { domain: 'brightwater.example', clientId: 'x', scopes })).status).toBe(400);
    await submit('delegation-off', { domain: 'brightwater.example', clientId });
    expect(policy()).toEqual([]);
  });
});
