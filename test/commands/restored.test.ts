import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { runRestored } from '../../src/commands/restored.ts';
import { holdRestored } from '../../src/deliveries/restored.ts';
import { parseConfig, readEnv } from '../../src/platform/config.ts';
import { type Company, company } from '../support/company.ts';
import { deliverNow } from '../support/hand-delivery.ts';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';

let letterhead: TestLetterhead;
let sender: Company;
beforeAll(async () => {
  letterhead = await startTestLetterhead({ worker: false, timeStands: true });
  sender = await company(letterhead);
  await holdRestored(letterhead.context);
});
afterAll(() => letterhead.close());

/** `node src/main.ts restored …`, in this process. @returns what it printed */
async function restored(...args: string[]): Promise<string> {
  const { app, system } = letterhead.database.urls;
  const config = parseConfig(readEnv({ DATABASE_URL: app, DATABASE_SYSTEM_URL: system }), 'restored');
  const lines: string[] = [];
  const print = vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line));
  try {
    await runRestored(config, args);
  } finally {
    print.mockRestore();
  }
  return lines.join('\n');
}
const states = async (...ids: string[]) =>
  Promise.all(ids.map(async (id) => (await sender.delivery(id)).heldReason ?? (await sender.delivery(id)).state));

it('says what it would do, does it with --yes, and counts what is in doubt apart', async () => {
  const effect = { kind: 'drop', when: 'after' } as const;
  letterhead.google.faults.add({ method: 'messages.send', account: sender.account, effect });
  const doubted = await sender.send();
  await deliverNow(letterhead, sender, doubted);
  const queued = await sender.send();
  const sendAt = new Date(Date.now() + 86_400_000);
  const later = await sender.send({ sendAt });
  const all = [doubted, queued, later];

  for (const ask of [[], ['--dry-run'], ['--yes', '--dry-run']]) {
    const said = await restored(...ask);
    expect(said).toMatch(/would hold 2 emails[\s\S]*1 email in doubt[\s\S]*Nothing was changed[\s\S]*restored --yes/);
  }
  expect(await states(...all)).toEqual(['sending', 'queued', 'scheduled']);

  expect(await restored('--yes')).toMatch(/^2 emails held now, 2 emails in all for a restore\.[\s\S]*1 email in doubt/);
  expect(await states(...all)).toEqual(['sending', 'restored', 'restored']);
  expect(await restored()).toMatch(/would hold 0 emails[\s\S]*2 emails held for a restore already/);

  expect(await restored('--nothing-lost')).toMatch(
    /would let 2 emails go on: 1 leave as soon as “work” runs, 1 wait again[\s\S]*1 email in doubt[\s\S]*--nothing-lost --yes/,
  );
  expect(await states(...all)).toEqual(['sending', 'restored', 'restored']);
  expect(await restored('--nothing-lost', '--yes')).toMatch(/^2 emails go on as they were[\s\S]*1 email in doubt/);
  expect(await states(...all)).toEqual(['sending', 'queued', 'scheduled']);
});

it('says what it does not understand', async () => {
  await expect(restored('--everything-lost')).rejects.toThrow('That is no way to call it');
});
