import { execFile } from 'node:child_process';
import { inspect, promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { describeError } from '../../src/platform/log.ts';

const run = promisify(execFile);

/** An error as Google's libraries throw it, with everything hung on it that must not be seen. */
function laden(): Error {
  const request = { headers: { Authorization: 'Bearer ya29.SECRET' }, data: 'refresh_token=1//0SECRET' };
  return Object.assign(
    new Error('invalid_grant', { cause: Object.assign(new Error('socket'), { request, code: 'ECONNRESET' }) }),
    {
      code: '400',
      config: request,
      response: { status: 400, config: request, data: { access_token: 'ya29.SECRET' } },
      tokens: ['ya29.SECRET'],
    },
  );
}

describe('an error in the log', () => {
  it('is name, code, message, stack and cause, and nothing that was hung on it', () => {
    const logged = describeError(laden());
    expect(Object.keys(Object(logged)).sort()).toEqual(['cause', 'code', 'message', 'name', 'stack']);
    expect(logged).toMatchObject({
      name: 'Error',
      code: '400',
      message: 'invalid_grant',
      cause: { code: 'ECONNRESET' },
    });
    expect(inspect(logged, { depth: 10 })).not.toContain('SECRET');
  });

  it('comes out of the log itself like that', async () => {
    const script = `
      import { createLog } from ${JSON.stringify(new URL('../../src/platform/log.ts', import.meta.url).href)};
      const request = { headers: { Authorization: 'Bearer ya29.SECRET' } };
      const error = Object.assign(new Error('refused', { cause: Object.assign(new Error('below'), { request }) }), { request, code: 'E_X' });
      const log = createLog('info');
      log.error({ err: error, deliveryId: 'd1' }, 'deliver job failed');
      log.debug('not this one');
    `;
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script]);
    const lines = stdout.trim().split('\n');
    expect(lines).toHaveLength(1);
    const line: unknown = JSON.parse(lines[0] ?? '');
    expect(line).toMatchObject({
      msg: 'deliver job failed',
      deliveryId: 'd1',
      err: { code: 'E_X', cause: { message: 'below' } },
    });
    expect(stdout).not.toContain('SECRET');
  });

  it('ends at a cause that goes round in circles', () => {
    const error = new Error('round');
    error.cause = error;
    expect(inspect(describeError(error), { depth: 20 }).match(/message: 'round'/g)).toHaveLength(5);
  });

  it.each([
    ['a text', 'a text'],
    [{ token: 'SECRET' }, 'object'],
    [undefined, 'undefined'],
    [null, 'object'],
  ])('may be anything that was thrown: %o', (thrown, logged) => {
    expect(describeError(thrown)).toBe(logged);
  });
});
