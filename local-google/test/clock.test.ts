import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { connect, gmailOf, OFFICE, send, start } from './support.ts';

describe('the clock', () => {
  it('ends access tokens, and stamps new mail, at its own time', async () => {
    const google = await start({ now: () => Date.parse('2026-11-21T09:00:00Z') });
    const client = await connect(google, OFFICE, ['readonly', 'send']);
    const profile = () =>
      fetch(`${google.url}/gmail/v1/users/me/profile`, {
        headers: { authorization: `Bearer ${client.credentials.access_token}` },
      });
    google.clock.forward(3_598_000);
    expect((await profile()).status).toBe(200);
    await send(gmailOf(google, client));
    expect(google.truth.accepted()[0]?.at).toBe(Date.parse('2026-11-21T09:59:58Z'));
    google.clock.forward(1_000);
    expect((await profile()).status).toBe(401);
  });

  it('moves forward only', async () => {
    const google = await start();
    expect(() => google.clock.forward(-1)).toThrow(RangeError);
    expect(() => google.clock.forward(Number.NaN)).toThrow(RangeError);
  });

  it('wakes what waits for it: by itself, or at once when it is moved so far', async () => {
    const google = await start({ now: Date.now });
    const done: string[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    google.clock.after(3_600_000, () => void done.push('in an hour'));
    google.clock.after(7_200_000, () => void done.push('in two'));
    google.clock.after(10, resolve);
    await promise;
    expect(done).toEqual([]);
    google.clock.forward(3_600_000);
    expect(done).toEqual(['in an hour']);
  });

  it('that stands just before a moment is not asked for it over and over', async () => {
    let asked = 0;
    const google = await start({
      now: () => {
        asked += 1;
        return Date.parse('2026-11-21T09:00:00Z');
      },
    });
    const done: string[] = [];
    google.clock.after(1_000, () => void done.push('then'));
    google.clock.forward(999);
    asked = 0;
    await wait(300);
    expect(asked).toBeLessThan(20);
    google.clock.forward(1);
    expect(done).toEqual(['then']);
  });

  it('is moved over HTTP, and stays moved across a restart', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'local-google-clock-'));
    try {
      const base = Date.parse('2026-11-21T09:00:00Z');
      const before = await start({ dataDir, now: () => base });
      const move = (forwardMs: unknown) =>
        fetch(`${before.url}/control/clock`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ forwardMs }),
        });
      expect(await (await move(86_400_000)).json()).toEqual({ now: '2026-11-22T09:00:00.000Z', aheadMs: 86_400_000 });
      expect((await move(-5)).status).toBe(400);
      expect((await move('soon')).status).toBe(400);
      await before.close();
      const after = await start({ dataDir, now: () => base });
      expect(after.clock.now()).toBe(base + 86_400_000);
      await after.close();
    } finally {
      rmSync(dataDir, { recursive: true, force: true });
    }
  });
});
