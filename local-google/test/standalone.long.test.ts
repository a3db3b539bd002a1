import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';

const PROGRAM = fileURLToPath(new URL('../src/main.ts', import.meta.url));

const ending: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0)) await end();
});

/** Starts the program; resolves with what it printed when it is ready, or when it ended. */
async function run(...args: string[]): Promise<{ said: string; url: string; code: number | null }> {
  const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const exit = new Promise<number | null>((resolve) => child.once('close', resolve));
  ending.push(() => {
    child.kill('SIGTERM');
    return exit;
  });
  let said = '';
  const ready = new Promise<null>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        said += String(chunk);
        if (said.includes('Stop it with')) resolve(null);
      });
    }
  });
  const code = await Promise.race([ready, exit]);
  return { said, url: /ready at (\S+)/.exec(said)?.[1] ?? '', code };
}

describe('npm run google', () => {
  it('says where things are, and serves the accounts and clients it was given', async () => {
    const { said, url } = await run(
      '--port',
      '0',
      '--memory',
      '--account',
      'Kim Lee <kim@gmail.com>',
      '--client',
      'a,b,http://localhost:1/cb',
    );
    expect(said).toContain(`${url}/control`);
    expect(said).toContain('memory only');
    expect(await (await fetch(url)).text()).toContain('Kim Lee');
    const authorize = `${url}/o/oauth2/v2/auth?client_id=a&response_type=code&scope=openid&redirect_uri=`;
    expect((await fetch(authorize + encodeURIComponent('http://localhost:1/cb'))).status).toBe(200);
  });

  it('reads a seed file and keeps its folder across restarts', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'local-google-alone-'));
    ending.unshift(() => rmSync(folder, { recursive: true, force: true }));
    const seed = join(folder, 'seed.json');
    const accounts = [
      { email: 'ann@x.example', name: 'Ann', sendAs: [{ email: 'info@x.example', status: 'accepted' }] },
    ];
    writeFileSync(seed, JSON.stringify({ accounts, unverified: true }));
    const args = ['--port', '0', '--seed', seed, '--data', join(folder, 'kept')];
    const first = await run(...args);
    await fetch(`${first.url}/control/accounts/ann@x.example/disable`, { method: 'POST' });
    await ending.pop()?.();
    const second = await run(...args);
    expect(await (await fetch(`${second.url}/settings/ann@x.example/send-as`)).text()).toContain('info@x.example');
    expect(await (await fetch(`${second.url}/control/policies`)).json()).toMatchObject({ unverified: true });
    await ending.pop()?.();
  });

  it.each([
    [['--port', 'many'], 'many is no port'],
    [['--account', 'nobody'], 'nobody is no account'],
    [['--client', 'a,b'], 'a,b is no client'],
    [['--colour', 'red'], '--colour'],
    [['--seed', '/nowhere.json'], 'nowhere.json'],
  ])('says what is wrong with %o and how it is used', async (args, words) => {
    const { said, code } = await run('--memory', ...args);
    expect(code).toBe(1);
    expect(said).toContain(words);
    expect(said).toContain('npm run google');
  });
});
