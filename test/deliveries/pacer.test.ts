import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPacer } from '../../src/deliveries/pacer.ts';
import { company } from '../support/company.ts';
import { anotherWorker } from '../support/hand-delivery.ts';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';

let letterhead: TestLetterhead;
beforeAll(async () => {
  letterhead = await startTestLetterhead({ worker: false });
});
afterAll(() => letterhead.close());

describe('a backlog longer than what is handed out at once', () => {
  it('is released a stretch at a time, and never stands still for its own length', async () => {
    const sender = await company(letterhead);
    for (let made = 0; made < 140; made += 1) await sender.send();
    const pacer = createPacer(anotherWorker(letterhead));
    expect((await pacer.tick()).released).toBe(100);
    expect((await pacer.tick()).released).toBe(0);
    await letterhead.database.system.updateTable('deliveries').set({ released_at: null }).execute();
    expect((await pacer.tick()).released).toBe(100);
  });
});
