import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Command, ConfigError, type Env, parseConfig, readEnv } from '../../src/platform/config.ts';
import { newKey } from '../../src/platform/key-ring.ts';

const production = {
  PUBLIC_URL: 'https://letterhead.example.com',
  DATABASE_URL: 'postgres://letterhead_app:hush-app@db/letterhead',
  DATABASE_SYSTEM_URL: 'postgres://letterhead_system:hush-system@db/letterhead',
  GOOGLE_CLIENT_ID: 'the-client.apps.googleusercontent.com',
  GOOGLE_CLIENT_SECRET: 'GOCSPX-hush-google',
  TOKEN_KEYS: newKey('k1'),
  SESSION_SECRET: 'hush-session-hush-session-hush-session',
} as const satisfies Env;

function errorOf(env: Env, command: Command): ConfigError {
  try {
    parseConfig(env, command);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('It was accepted');
}

const namesIn = (error: ConfigError) => error.problems.map(({ variable }) => variable).sort();

describe('the environment', () => {
  it('is read trimmed, without what is not ours, and empty is unset', () => {
    const env = readEnv({ PORT: ' 8080 ', HOST: '', LOG_LEVEL: '  ', HOME: '/root', PATH: '/bin' });
    expect(env).toEqual({ PORT: '8080' });
  });

  it('may say nothing at all: then everything is local', () => {
    expect(parseConfig({}, 'all')).toMatchObject({
      host: '127.0.0.1',
      port: 3000,
      publicUrl: 'http://localhost:3000',
      database: null,
      google: null,
      tokenKeys: null,
      sessionSecrets: null,
      googleIssuer: 'https://accounts.google.com',
      gmailRoot: 'https://gmail.googleapis.com/',
    });
  });

  it('is enough for serve and for work with these seven variables', () => {
    for (const command of ['serve', 'work'] as const) {
      expect(parseConfig(production, command)).toMatchObject({ host: '0.0.0.0', publicUrl: production.PUBLIC_URL });
    }
  });

  it('has its addresses in one form', () => {
    const env = {
      PUBLIC_URL: 'https://Letterhead.example.com/',
      GOOGLE_ISSUER: 'http://127.0.0.1:3080/',
      GMAIL_ROOT_URL: 'http://127.0.0.1:3080',
    };
    expect(parseConfig(env, 'all')).toMatchObject({
      publicUrl: 'https://letterhead.example.com',
      googleIssuer: 'http://127.0.0.1:3080',
      gmailRoot: 'http://127.0.0.1:3080/',
    });
  });

  it('takes several session secrets, the newest first', () => {
    const [newer, older] = ['n'.repeat(32), 'o'.repeat(32)];
    expect(parseConfig({ SESSION_SECRET: `${newer}, ${older}` }, 'all').sessionSecrets).toEqual([newer, older]);
  });
});

describe('what is missing', () => {
  it.each(['serve', 'work'] as const)('for %s is listed at once, each with an example', (command) => {
    const error = errorOf({}, command);
    expect(namesIn(error)).toEqual(Object.keys(production).sort());
    for (const name of Object.keys(production))
      expect(error.message).toMatch(new RegExp(`  ${name} is not set; .+\\n +e\\.g\\. ${name}=.+`));
  });

  it.each(Object.keys(production))('is named when it is %s alone', (name) => {
    const { [name]: _left, ...rest } = { ...production } as Record<string, string>;
    expect(namesIn(errorOf(rest, 'serve'))).toEqual([name]);
  });

  it('for migrate is the owner’s way in', () => {
    const { DATABASE_URL, DATABASE_SYSTEM_URL } = production;
    expect(namesIn(errorOf({ DATABASE_URL, DATABASE_SYSTEM_URL }, 'migrate'))).toEqual(['DATABASE_OWNER_URL']);
    expect(namesIn(errorOf({}, 'migrate'))).toEqual(['DATABASE_OWNER_URL', 'DATABASE_SYSTEM_URL', 'DATABASE_URL']);
  });

  it.each([
    [{ DATABASE_URL: production.DATABASE_URL }, ['DATABASE_OWNER_URL', 'DATABASE_SYSTEM_URL']],
    [{ DATABASE_SYSTEM_URL: production.DATABASE_SYSTEM_URL }, ['DATABASE_OWNER_URL', 'DATABASE_URL']],
    [{ GOOGLE_CLIENT_ID: 'some-client' }, ['GOOGLE_CLIENT_SECRET']],
    [{ GOOGLE_CLIENT_SECRET: 'hush' }, ['GOOGLE_CLIENT_ID']],
  ])('without a command is the rest of what was begun: %o', (env, missing) => {
    expect(namesIn(errorOf(env, 'all'))).toEqual(missing);
  });
});

describe('what cannot be used', () => {
  const wrong = {
    PORT: '70000',
    TRUST_PROXY: 'yes',
    PUBLIC_URL: 'https://letterhead.example.com/app',
    GOOGLE_ISSUER: 'accounts.google.com',
    GMAIL_ROOT_URL: 'ftp://gmail.googleapis.com',
    GOOGLE_CAPABILITIES: 'send,everything',
    GOOGLE_TIMEOUT_SECONDS: '0',
    LOCAL_GOOGLE_PORT: '3080.5',
    SEND_DEADLINE_SECONDS: '-1',
    SETTLE_SECONDS: '1e3',
    LOG_LEVEL: 'loud',
    TOKEN_KEYS: 'k1:dG9vIHNob3J0',
    SESSION_SECRET: 'hush-too-short',
    DATABASE_URL: 'mysql://root:hush@db/letterhead',
    DATABASE_SYSTEM_URL: 'letterhead_system:hush@db',
    DATABASE_OWNER_URL: 'https://postgres:hush@db',
  } as const satisfies Env;

  it('is listed at once, each once, by name and with an example', () => {
    const error = errorOf(wrong, 'all');
    expect(namesIn(error)).toEqual(Object.keys(wrong).sort());
    for (const name of Object.keys(wrong)) expect(error.message).toContain(`e.g. ${name}=`);
  });

  it('is told without any secret in the message', () => {
    for (const env of [
      wrong,
      { ...production, PORT: 'x' },
      { ...production, TOKEN_KEYS: production.TOKEN_KEYS.slice(0, -8) },
    ]) {
      const text = JSON.stringify(errorOf(env, 'all')) + errorOf(env, 'all').message;
      expect(text).not.toContain('hush');
      expect(text).not.toContain('dG9vIHNob3J0');
      expect(text).not.toContain(production.TOKEN_KEYS.slice(3, 20));
    }
  });
});

describe('GOOGLE_CAPABILITIES', () => {
  const offered = (text?: string) =>
    parseConfig(text === undefined ? {} : { GOOGLE_CAPABILITIES: text }, 'all').offered;

  it('is everything there is unless told, and always in the same order', () => {
    expect(offered()).toEqual(['send', 'safe_retry', 'aliases', 'tracking']);
    expect(offered('aliases, send')).toEqual(['send', 'aliases']);
    expect(offered('send')).toEqual(['send']);
  });

  it.each(['aliases', 'send,inbox', 'send,', 'Send'])('cannot be “%s”', (text) => {
    expect(namesIn(errorOf({ GOOGLE_CAPABILITIES: text }, 'all'))).toEqual(['GOOGLE_CAPABILITIES']);
  });
});

describe('a faster clock', () => {
  const local = { ...production, GOOGLE_ISSUER: 'http://127.0.0.1:3080' };

  it('is for tests against a local Google alone', () => {
    const TIME_SCALE = '20@2026-11-21T09:00:00.000Z';
    expect(parseConfig({ ...local, TIME_SCALE }, 'work').timeScale).toEqual({
      ...{ speed: 20, since: new Date('2026-11-21T09:00:00Z') },
    });
    expect(namesIn(errorOf({ ...production, TIME_SCALE }, 'work'))).toEqual(['TIME_SCALE']);
    expect(parseConfig(local, 'work').timeScale).toBeNull();
  });

  it.each(['20', '0@2026-11-21T09:00:00Z', 'x@2026-11-21T09:00:00Z', '20@yesterday', '20@2026-99-99T09:00:00Z'])(
    'must be a speed and a moment: %s',
    (TIME_SCALE) => {
      expect(namesIn(errorOf({ ...local, TIME_SCALE }, 'work'))).toEqual(['TIME_SCALE']);
    },
  );
});

describe('.env.example', () => {
  const text = readFileSync(new URL('../../.env.example', import.meta.url), 'utf8');
  const documented = [...text.matchAll(/^#? ?([A-Z][A-Z_]+)=(.*)$/gm)].map(([, name = '', value = '']) => ({
    name,
    value,
  }));
  // Whatever is given a value and comes back is a variable we know.
  const candidates = new Set([...documented.map(({ name }) => name), ...variablesInSource()]);
  const known = Object.keys(readEnv(Object.fromEntries([...candidates].map((name) => [name, 'x'])))).sort();

  it('documents every variable, once, and no other', () => {
    expect(known.length).toBeGreaterThan(15);
    expect(documented.map(({ name }) => name).sort()).toEqual(known);
  });

  it('has examples that are accepted as they stand, but for the secrets to be made', () => {
    const env = readEnv({
      ...Object.fromEntries(documented.map(({ name, value }) => [name, value])),
      TOKEN_KEYS: newKey('k1'),
    });
    for (const command of [
      'all',
      'serve',
      'work',
      'migrate',
      'import',
      'keys',
      'troubles',
      'events',
      'delegation',
    ] as const)
      expect(() => parseConfig(env, command)).not.toThrow();
  });

  function variablesInSource(): string[] {
    const source = readFileSync(new URL('../../src/platform/config.ts', import.meta.url), 'utf8');
    return [...source.matchAll(/\b[A-Z][A-Z]+(?:_[A-Z]+)*\b/g)].map(([name]) => name);
  }
});
