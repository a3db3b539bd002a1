import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { GoogleFailure } from '../../src/google/errors.ts';
import { openTroubles, recentTroubles } from '../../src/mailboxes/operator-troubles.ts';
import { createTroubleWatch, type TroubleWatch } from '../../src/mailboxes/trouble-watch.ts';
import { standingClock } from '../support/clock.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';

let database: TestDatabase;
let lines: { level: number; msg: string; trouble?: string; times?: number; googleSaid?: string }[];
let clock: ReturnType<typeof standingClock>;
let clientId: string;
let clients = 0;
const watches: TroubleWatch[] = [];

const minute = 60_000;
/** A success counts once so much has passed since the last failure. */
const quietMs = 1_001;

beforeAll(async () => {
  database = await testDatabase();
});
beforeEach(() => {
  lines = [];
  clock = standingClock();
  clients += 1;
  clientId = `client-${clients}`;
});
afterEach(async () => {
  for (const watch of watches.splice(0)) await watch.stop();
});
afterAll(() => database.close());

/** As another process would have it. */
function process(id = clientId): TroubleWatch {
  const log = pino({ level: 'debug' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  const watch = createTroubleWatch({ system: database.system, log, clock, clientId: id });
  watches.push(watch);
  return watch;
}

const disabled: GoogleFailure = { kind: 'answered', status: 403, reason: 'accessNotConfigured', message: 'Enable it.' };
const refused: GoogleFailure = { kind: 'answered', status: 401, reason: 'invalid_client', message: 'Wrong secret.' };
const alerts = () => lines.filter(({ level }) => level === 50).map(({ trouble, msg }) => `${trouble} ${msg}`);
const open = () => openTroubles(database.system, clientId);

describe('a trouble of the operator', () => {
  it('is one row and one alert, however many calls of however many processes meet it', async () => {
    const processes = [process(), process(), process()];
    for (const { hear } of processes) for (let call = 0; call < 40; call += 1) hear('gmail', disabled);
    for (const watch of processes) await watch.stop();
    expect(await open()).toMatchObject([
      { kind: 'api_disabled', times: 120, googleSaid: '403 accessNotConfigured: Enable it.' },
    ]);
    expect(alerts()).toEqual([expect.stringMatching(/^api_disabled The Gmail API is not enabled .+ Enable\./)]);
  });

  it('is alerted again once in each hour that it lasts', async () => {
    for (const later of [0, 30, 29, 1, 1, 58, 1]) {
      clock.forward(later * minute);
      const watch = process();
      watch.hear('oauth', refused);
      await watch.stop();
    }
    expect(alerts().map((alert) => alert.slice(0, 22))).toEqual([
      'client_refused Google ',
      'client_refused Still: ',
      'client_refused Still: ',
    ]);
    expect(await open()).toMatchObject([{ times: 7, beganAt: new Date('2026-11-21T09:00:00Z') }]);
  });

  it('is over when what failed works again, in another process too, and only that', async () => {
    const failing = process();
    failing.hear('gmail', disabled);
    failing.hear('oauth', refused);
    await failing.stop();
    expect(await open()).toHaveLength(2);
    clock.forward(5 * minute);
    const other = process();
    await eventually(
      async () => {
        other.hear('gmail', null);
        return (await open()).map(({ kind }) => kind);
      },
      (kinds) => kinds.join() === 'client_refused',
    );
    const ended = (await recentTroubles(database.system, new Date(0))).filter((each) => each.clientId === clientId);
    expect(ended).toMatchObject([
      { endedAt: null },
      { kind: 'api_disabled', endedAt: new Date('2026-11-21T09:05:00Z') },
    ]);
    await other.stop();
    expect(lines.filter(({ msg }) => msg === 'Google answers again')).toHaveLength(1);
  });

  it('that is back within the hour is the same, without another alert; later it is a new one', async () => {
    const meet = async (later: number, failure: GoogleFailure | null) => {
      clock.forward(later * minute);
      const watch = process();
      if (failure) watch.hear('gmail', failure);
      else
        await eventually(
          async () => {
            watch.hear('gmail', null);
            return open();
          },
          (found) => found.length === 0,
        );
      await watch.stop();
    };
    await meet(0, disabled);
    await meet(1, null);
    await meet(19, disabled);
    expect(await open()).toMatchObject([{ times: 2, beganAt: new Date('2026-11-21T09:00:00Z') }]);
    expect(alerts()).toHaveLength(1);
    await meet(1, null);
    await meet(69, disabled);
    expect(await open()).toMatchObject([{ times: 1, beganAt: new Date('2026-11-21T10:30:00Z') }]);
    expect(alerts()).toHaveLength(2);
  });

  it('that is over is not begun anew by what was heard of it before', async () => {
    const watch = process();
    watch.hear('gmail', disabled);
    await eventually(open, (found) => found.length === 1);
    // Heard again before it is due to be written again.
    watch.hear('gmail', disabled);
    watch.hear('gmail', null);
    clock.forward(quietMs);
    await eventually(open, (found) => found.length === 0);
    await watch.stop();
    const all = await recentTroubles(database.system, new Date(0));
    expect(all.filter((each) => each.clientId === clientId)).toMatchObject([{ times: 2, endedAt: expect.any(Date) }]);
  });

  it('that ends and comes back within seconds is not lost, in one process', async () => {
    const watch = process();
    watch.hear('gmail', disabled);
    await eventually(open, (found) => found.length === 1);
    // Right after a failure it counts a moment later, and only because no other failure follows.
    watch.hear('gmail', null);
    expect(await open()).toHaveLength(1);
    clock.forward(quietMs);
    await eventually(open, (found) => found.length === 0);
    watch.hear('gmail', disabled);
    await eventually(open, (found) => found.length === 1);
    watch.hear('gmail', null);
    watch.hear('gmail', disabled);
    await watch.stop();
    expect(await open()).toMatchObject([{ times: 3 }]);
    expect(alerts()).toHaveLength(1);
  });

  it('of a client that is not used any more ends by itself', async () => {
    const former = process('former');
    former.hear('oauth', refused);
    await former.stop();
    clock.forward(61 * minute);
    await process().stop();
    expect(await openTroubles(database.system, 'former')).toEqual([]);
  });

  it('is not what befalls a mailbox', async () => {
    const watch = process();
    const failure = { kind: 'answered', status: 400, reason: 'invalid_grant', message: '' } as const;
    for (const service of ['oauth', 'gmail'] as const) watch.hear(service, failure);
    await watch.stop();
    expect(await open()).toEqual([]);
    expect(lines).toEqual([]);
  });
});
