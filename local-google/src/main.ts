import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type AccountSeed, type ClientSeed, demoAccounts, type LocalGoogle, startLocalGoogle } from './local-google.ts';
import { parseSeed } from './seed.ts';

const USAGE = `Local Google: Google's sign-in and the Gmail API on this computer. No mail leaves it.

  npm run google -- [options]

  --port <number>       where it listens; 3090 if left out, 0 for any free port
  --account <address>   an account, as address or "Name <address>"; may be repeated; left out: a demo company
  --client <id,secret,redirect[,redirect…]>
                        an OAuth client; may be repeated; left out: local-client, local-secret,
                        http://localhost:3000/callback
  --seed <file>         JSON with accounts, clients and unverified, as README.md describes it
  --data <folder>       keeps everything there across restarts; .data/local-google if left out
  --memory              keeps nothing: everything ends with the program
  --headers-only        forgets the text of messages and keeps their headers, for very many of them
  --unverified          apps meet the unverified-app page
  --time-scale <n@time> its clock runs n times as fast since that time, such as 20@2026-11-21T09:00:00.000Z
  --help                this text`;

const options = {
  port: { type: 'string', default: '3090' },
  account: { type: 'string', multiple: true },
  client: { type: 'string', multiple: true },
  seed: { type: 'string' },
  data: { type: 'string', default: '.data/local-google' },
  memory: { type: 'boolean', default: false },
  'headers-only': { type: 'boolean', default: false },
  unverified: { type: 'boolean' },
  'time-scale': { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;

const DEFAULT_CLIENT: ClientSeed = {
  id: 'local-client',
  secret: 'local-secret',
  name: 'Local app',
  redirectUris: ['http://localhost:3000/callback'],
};

try {
  await main();
} catch (error) {
  console.error(explain(error));
  process.exitCode = 1;
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options });
  if (values.help) return console.log(USAGE);
  const seed = values.seed === undefined ? {} : parseSeed(readFileSync(values.seed, 'utf8'));
  const accounts = [...(seed.accounts ?? []), ...(values.account ?? []).map(readAccount)];
  const clients = [...(seed.clients ?? []), ...(values.client ?? []).map(readClient)];
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new RangeError(`${values.port} is no port.`);
  const known = clients.length > 0 ? clients : [DEFAULT_CLIENT];
  const google = await startLocalGoogle({
    port,
    accounts: accounts.length > 0 ? accounts : demoAccounts,
    clients: known,
    unverified: values.unverified ?? seed.unverified ?? false,
    headersOnly: values['headers-only'],
    ...(values['time-scale'] === undefined ? {} : { now: readTimeScale(values['time-scale']) }),
    ...(values.memory ? {} : { dataDir: values.data }),
  });
  console.log(whereThingsAre(google, known, values.memory ? null : values.data));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void google.close());
}

/** `dana@x.example` or `Dana Reyes <dana@x.example>`. */
function readAccount(text: string): AccountSeed {
  const [, name, email] = /^\s*(.*?)\s*<([^<>\s]+@[^<>\s]+)>\s*$/.exec(text) ?? [undefined, '', text.trim()];
  if (!email || !/^[^@\s]+@[^@\s]+$/.test(email)) throw new RangeError(`${text} is no account: give an address.`);
  return { email, name: name || email.slice(0, email.indexOf('@')) };
}

function readClient(text: string): ClientSeed {
  const [id, secret, ...redirectUris] = text.split(',').map((part) => part.trim());
  if (!id || !secret || redirectUris.length === 0) {
    throw new RangeError(`${text} is no client: give id,secret,redirect address.`);
  }
  return { id, secret, name: id, redirectUris };
}

/** A clock that runs faster since a moment, for tests in several processes that must agree. */
function readTimeScale(text: string): () => number {
  const [, speed, time = ''] = /^(\d+)@(.+)$/.exec(text) ?? [];
  const since = Date.parse(time);
  if (!Number(speed) || Number.isNaN(since))
    throw new RangeError(`${text} is no time scale: give a speed, @ and a time.`);
  return () => Math.round(since + (Date.now() - since) * Number(speed));
}

function whereThingsAre({ url }: LocalGoogle, clients: readonly ClientSeed[], folder: string | null): string {
  const lines = [
    ['Mailboxes', `${url}/`],
    ['Control page', `${url}/control`],
    ['OAuth discovery', `${url}/.well-known/openid-configuration`],
    ['Gmail rootUrl', `${url}/`],
    ['Accepted mail', `${url}/control/accepted`],
    ['Kept in', folder ?? 'memory only'],
    ...clients.map(({ id, secret, redirectUris }) => ['OAuth client', `${id}, ${secret}, ${redirectUris.join(', ')}`]),
  ];
  const rows = lines.map(([what = '', where]) => `  ${what.padEnd(16)} ${where}`);
  return [`Local Google is ready at ${url}`, '', ...rows, '', 'Stop it with Ctrl+C.'].join('\n');
}

function explain(error: unknown): string {
  const code = Reflect.get(Object(error), 'code');
  if (code === 'EADDRINUSE') return 'The port is busy. Give another one with --port, or 0 for any free one.';
  const words = error instanceof Error ? error.message : String(error);
  return `Local Google did not start. ${words}\n\n${USAGE}`;
}
