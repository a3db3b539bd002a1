import { type Capability, capabilities } from './capability.ts';
import { parseTimeScale, type TimeScale } from './clock.ts';
import { parseKeyRing } from './key-ring.ts';
import { appRole, type DatabaseUrls, systemRole } from './roles.ts';

/** What the process was asked to be. `all` is the no-argument mode: everything in one, with what is missing supplied locally. */
export type Command =
  | 'all'
  | 'serve'
  | 'work'
  | 'migrate'
  | 'import'
  | 'keys'
  | 'troubles'
  | 'restored'
  | 'events'
  | 'delegation'
  | 'doctor';

/** Each variable with the example that an error shows. `.env.example` says what each is for. */
const examples = {
  DATA_DIR: '.data',
  PORT: '3000',
  HOST: '127.0.0.1',
  PUBLIC_URL: 'https://letterhead.example.com',
  TRUST_PROXY: '1',
  DATABASE_URL: `postgres://${appRole}:password@localhost:5432/letterhead`,
  DATABASE_SYSTEM_URL: `postgres://${systemRole}:password@localhost:5432/letterhead`,
  DATABASE_OWNER_URL: 'postgres://postgres:password@localhost:5432/letterhead',
  GOOGLE_CLIENT_ID: '1234567890-abc.apps.googleusercontent.com',
  GOOGLE_CLIENT_SECRET: 'GOCSPX-…',
  GOOGLE_CAPABILITIES: 'send,safe_retry,aliases,tracking',
  GOOGLE_ISSUER: 'https://accounts.google.com',
  GMAIL_ROOT_URL: 'https://gmail.googleapis.com/',
  GOOGLE_TIMEOUT_SECONDS: '20',
  LOCAL_GOOGLE_PORT: '3080',
  TOKEN_KEYS: 'k1:$(openssl rand -base64 32)',
  SESSION_SECRET: '$(openssl rand -base64 32)',
  SEND_DEADLINE_SECONDS: '60',
  SETTLE_SECONDS: '120',
  GMAIL_UNITS_PER_MINUTE: '6000',
  GMAIL_PROJECT_UNITS_PER_MINUTE: '1200000',
  GMAIL_IN_FLIGHT: '5',
  GMAIL_DRAFTS_SEND_ONCE: 'no',
  ATTEMPTS_KEPT_DAYS: '90',
  RATE_LIMITS: 'yes',
  RECIPIENTS_PER_DAY: '20000',
  METRICS_PORT: '9464',
  LOG_LEVEL: 'info',
  TIME_SCALE: '20@2026-11-21T09:00:00.000Z',
} as const;

type Variable = keyof typeof examples;

/** The variables we read, as they stand in the environment; unset and empty are the same. */
export type Env = { readonly [name in Variable]?: string };

/** Everything the process is told from outside. */
export interface Config {
  readonly command: Command;
  /** Where the no-argument mode keeps its database, its keys and the state of Local Google. */
  readonly dataDir: string;
  readonly host: string;
  readonly port: number;
  /** Our own origin, without a slash at the end. */
  readonly publicUrl: string;
  readonly trustProxy: number;
  /** Null: the embedded PostgreSQL. */
  readonly database: DatabaseUrls | null;
  /** Null: Local Google. */
  readonly google: { readonly clientId: string; readonly clientSecret: string } | null;
  /** What pages offer, and consents ask for: what the operator’s Google app may ask for. Always with `send`. */
  readonly offered: readonly Capability[];
  readonly googleIssuer: string;
  readonly gmailRoot: string;
  readonly googleTimeoutMs: number;
  readonly localGooglePort: number;
  /** Null: made and kept under `.data/`. */
  readonly tokenKeys: string | null;
  /** First signs, the others are still accepted. Null: made and kept under `.data/`. */
  readonly sessionSecrets: readonly string[] | null;
  /** How long one attempt may talk to Gmail. */
  readonly sendDeadlineMs: number;
  /** How long after that deadline a request may still be at work inside Google, so that nobody looks or asks before. */
  readonly settleMs: number;
  /** How fast to send; null lifts a limit. */
  readonly pace: {
    readonly unitsPerMinute: number | null;
    readonly projectUnitsPerMinute: number | null;
    readonly inFlight: number | null;
  };
  /** Whether a second send of one draft is known to be refused by Gmail. */
  readonly draftsSendOnce: boolean;
  /** How many days attempts are kept that tell nothing any more. */
  readonly attemptsKeptDays: number;
  /** Whether too much in a short time is refused. */
  readonly rateLimits: boolean;
  /** How many recipients a company may have a day; null for any number. */
  readonly recipientsPerDay: number | null;
  /** Where metrics can be read, beside the pages; null for nowhere. */
  readonly metricsPort: number | null;
  readonly logLevel: string;
  /** For tests of failure: a clock that runs faster. Null: the machine's. */
  readonly timeScale: TimeScale | null;
}

/** One variable that cannot be used. */
export interface ConfigProblem {
  readonly variable: Variable;
  readonly problem: string;
}

/** The environment is not usable. The message lists every problem at once, by variable, with an example. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'config';
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    const lines = problems.map(
      ({ variable, problem }) => `  ${variable} ${problem}\n      e.g. ${variable}=${examples[variable]}`,
    );
    super(`The environment cannot be used:\n\n${lines.join('\n')}\n\nEvery variable is described in .env.example.`);
    this.problems = problems;
  }
}

/** The first of two steps: picks our variables out of an environment, trimmed. */
export function readEnv(environment: NodeJS.ProcessEnv): Env {
  const names = Object.keys(examples) as Variable[];
  return Object.fromEntries(names.map((name) => [name, environment[name]?.trim()]).filter(([, value]) => value));
}

/**
 * The second step: from variables to a configuration. Pure.
 *
 * @throws {ConfigError} with every problem, not only the first
 */
export function parseConfig(env: Env, command: Command): Config {
  const problems: ConfigProblem[] = [];
  const report = (variable: Variable, problem: string) => {
    if (!problems.some((each) => each.variable === variable)) problems.push({ variable, problem });
  };
  const local = command === 'all';

  const whole = (variable: Variable, fallback: number, min: number, max: number): number => {
    const text = env[variable];
    if (text === undefined) return fallback;
    if (/^\d{1,9}$/.test(text) && Number(text) >= min && Number(text) <= max) return Number(text);
    report(variable, `is “${text}” and must be a whole number from ${min} to ${max}`);
    return fallback;
  };
  const yesOrNo = (variable: Variable, fallback: 'yes' | 'no' = 'no'): boolean => {
    const text = env[variable] ?? fallback;
    if (text !== 'yes' && text !== 'no') report(variable, `is “${text}” and must be yes or no`);
    return text === 'yes';
  };
  const url = (variable: Variable, protocols: readonly string[]): string | undefined => {
    const text = env[variable];
    if (text === undefined) return undefined;
    if (URL.canParse(text) && protocols.includes(new URL(text).protocol)) return text;
    // The value stays out of the message: a database URL holds a password.
    report(variable, `is not an address that starts with ${protocols.join('// or ')}//`);
    return undefined;
  };
  const needed = (variable: Variable, why: string): string => {
    const text = env[variable];
    if (text === undefined) report(variable, `is not set; ${why}`);
    return text ?? '';
  };

  const port = whole('PORT', 3000, 1, 65_535);
  const database = readDatabase(command, url, needed, env);

  const serving = command === 'serve' || command === 'work';
  // What talks to Google with the tokens of this installation, and is not the one that supplies everything.
  const asking = serving || (command === 'doctor' && env.DATABASE_URL !== undefined);
  const clientId =
    asking || env.GOOGLE_CLIENT_SECRET
      ? needed('GOOGLE_CLIENT_ID', 'it names your OAuth client at Google')
      : env.GOOGLE_CLIENT_ID;
  const clientSecret =
    asking || clientId ? needed('GOOGLE_CLIENT_SECRET', 'it belongs to GOOGLE_CLIENT_ID') : undefined;
  const http = ['http:', 'https:'];

  if (asking) needed('PUBLIC_URL', 'Google sends people back to it');
  const publicUrl = url('PUBLIC_URL', http);
  if (publicUrl && new URL(publicUrl).pathname !== '/')
    report('PUBLIC_URL', 'has a path; Letterhead needs an origin of its own');

  if (asking) needed('TOKEN_KEYS', 'it encrypts the Gmail tokens');
  if (env.TOKEN_KEYS) {
    try {
      parseKeyRing(env.TOKEN_KEYS);
    } catch (error) {
      report('TOKEN_KEYS', `cannot be read: ${error instanceof Error ? error.message : 'unknown form'}`);
    }
  }
  if (serving) needed('SESSION_SECRET', 'it signs the session cookies');
  const sessionSecrets = env.SESSION_SECRET?.split(',').map((secret) => secret.trim()) ?? null;
  if (sessionSecrets?.some((secret) => secret.length < 32))
    report('SESSION_SECRET', 'must have at least 32 characters');

  const logLevel = env.LOG_LEVEL ?? (local ? 'warn' : 'info');
  const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];
  if (!levels.includes(logLevel)) report('LOG_LEVEL', `is “${logLevel}” and must be one of ${levels.join(', ')}`);

  const timeScale = env.TIME_SCALE === undefined ? null : (parseTimeScale(env.TIME_SCALE) ?? 'wrong');
  if (timeScale === 'wrong') report('TIME_SCALE', `is “${env.TIME_SCALE}” and must be a speed, @ and a moment in UTC`);
  else if (timeScale && timeScale.speed > 1 && (env.GOOGLE_ISSUER ?? googleItself) === googleItself)
    report('TIME_SCALE', 'is for tests against a local Google; Google itself keeps to the usual time');

  const config: Config = {
    command,
    dataDir: env.DATA_DIR ?? '.data',
    host: env.HOST ?? (local ? '127.0.0.1' : '0.0.0.0'),
    port,
    publicUrl: publicUrl ? new URL(publicUrl).origin : `http://localhost:${port}`,
    // The server itself speaks plain http: where people use https, something stands in front.
    trustProxy: whole('TRUST_PROXY', publicUrl?.startsWith('https:') ? 1 : 0, 0, 10),
    database,
    google: clientId && clientSecret ? { clientId, clientSecret } : null,
    offered: readOffered(env.GOOGLE_CAPABILITIES, report),
    googleIssuer: url('GOOGLE_ISSUER', http)?.replace(/\/$/, '') ?? googleItself,
    gmailRoot: url('GMAIL_ROOT_URL', http)?.replace(/\/?$/, '/') ?? 'https://gmail.googleapis.com/',
    googleTimeoutMs: whole('GOOGLE_TIMEOUT_SECONDS', 20, 1, 300) * 1000,
    localGooglePort: whole('LOCAL_GOOGLE_PORT', 3080, 1, 65_535),
    tokenKeys: env.TOKEN_KEYS ?? null,
    sessionSecrets,
    sendDeadlineMs: whole('SEND_DEADLINE_SECONDS', 60, 1, 600) * 1000,
    settleMs: whole('SETTLE_SECONDS', 120, 0, 3600) * 1000,
    pace: {
      unitsPerMinute: whole('GMAIL_UNITS_PER_MINUTE', 6_000, 0, 1_000_000) || null,
      projectUnitsPerMinute: whole('GMAIL_PROJECT_UNITS_PER_MINUTE', 1_200_000, 0, 100_000_000) || null,
      inFlight: whole('GMAIL_IN_FLIGHT', 5, 0, 1_000) || null,
    },
    draftsSendOnce: yesOrNo('GMAIL_DRAFTS_SEND_ONCE'),
    attemptsKeptDays: whole('ATTEMPTS_KEPT_DAYS', 90, 1, 36_500),
    rateLimits: yesOrNo('RATE_LIMITS', 'yes'),
    recipientsPerDay: whole('RECIPIENTS_PER_DAY', 20_000, 0, 100_000_000) || null,
    metricsPort: env.METRICS_PORT === undefined ? null : whole('METRICS_PORT', 9_464, 1, 65_535),
    logLevel,
    timeScale: timeScale === 'wrong' ? null : timeScale,
  };
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

/** Incoming mail is not built yet, so there is nothing that its permission would buy. */
const offerable = capabilities.filter((capability) => capability !== 'inbox');

function readOffered(text: string | undefined, report: (variable: Variable, problem: string) => void) {
  if (text === undefined) return offerable;
  const words = text.split(',').map((word) => word.trim());
  const unknown = words.find((word) => !offerable.some((capability) => capability === word));
  if (unknown !== undefined)
    report('GOOGLE_CAPABILITIES', `names “${unknown}” and may name only ${offerable.join(', ')}`);
  else if (!words.includes('send'))
    report('GOOGLE_CAPABILITIES', 'leaves out “send”, and without it nothing can be sent');
  return offerable.filter((capability) => words.includes(capability));
}

type ReadUrl = (variable: Variable, protocols: readonly string[]) => string | undefined;
type Needed = (variable: Variable, why: string) => string;

const googleItself = 'https://accounts.google.com';

/** All or nothing: with one of them set, or a command that needs them, those that the command uses are asked for. */
function readDatabase(command: Command, url: ReadUrl, needed: Needed, env: Env): DatabaseUrls | null {
  const protocols = ['postgres:', 'postgresql:'];
  const app = url('DATABASE_URL', protocols);
  const system = url('DATABASE_SYSTEM_URL', protocols);
  const owner = url('DATABASE_OWNER_URL', protocols);
  const given = env.DATABASE_URL || env.DATABASE_SYSTEM_URL || env.DATABASE_OWNER_URL;
  const maySupply = ['all', 'import', 'keys', 'troubles', 'restored', 'events', 'delegation', 'doctor'].includes(
    command,
  );
  if (!given && maySupply) return null;
  needed('DATABASE_URL', 'pages and worker use PostgreSQL through it');
  needed('DATABASE_SYSTEM_URL', 'it is the way in for the few queries that cross tenants');
  if (command === 'all' || command === 'migrate')
    needed('DATABASE_OWNER_URL', 'migrations run as the owner of the database');
  return { app: app ?? '', system: system ?? '', owner: owner ?? '' };
}
