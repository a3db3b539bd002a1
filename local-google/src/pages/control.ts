import { type Request, type Response, Router, urlencoded } from 'express';
import { ZodError } from 'zod';
import { setDomainPolicy } from '../account-life.ts';
import { METHODS } from '../gmail/methods.ts';
import { newServiceAccount } from '../oauth/service-accounts.ts';
import type { DomainPolicy } from '../policies.ts';
import { GOOGLE_QUOTAS, quotaSettings } from '../quotas/settings.ts';
import type { World } from '../world.ts';
import { FAULT_PRESETS, wordsOf } from './fault-presets.ts';
import { html } from './render.ts';

const HOUR_MS = 3_600_000;

/** How far the buttons move the clock. */
const STEPS: readonly { words: string; ms: number }[] = [
  { words: '1 hour', ms: HOUR_MS },
  { words: '1 day', ms: 24 * HOUR_MS },
  { words: '7 days', ms: 7 * 24 * HOUR_MS },
  { words: '6 months', ms: 183 * 24 * HOUR_MS },
];

/** The control page: clock, modes of the apps, administrators, faults, and what was really accepted. */
export function controlPages(world: World): Router {
  const router = Router();

  router.get('/control', (req, res) => show(res, 200, { done: String(req.query['done'] ?? ''), problem: '' }));

  onForm('clock', (req) => {
    const ms = req('ms');
    world.clock.forward(ms === '' ? Number(req('hours')) * HOUR_MS : Number(ms));
  });
  onForm('unverified', (req) => {
    world.policies.unverified = req('unverified') === 'on';
  });
  onForm('app', (req) => {
    world.policies.setApp(req('project'), {
      publishing: req('publishing'),
      testUsers: words(req('testUsers')),
      internalTo: req('internalTo') || null,
      apiEnabled: req('apiEnabled') === 'on',
      accessSeconds: req('accessDays') === '' ? null : Math.round(Number(req('accessDays')) * 86_400),
      securityEventsUrl: req('securityEventsUrl') || null,
    });
  });
  onForm('domain', (req, all) => {
    setDomainPolicy(world, req('domain'), { mailApps: req('mailApps'), trustedClients: all('trusted') });
  });
  onForm('delegation', (req) => {
    const clientId = req('clientId');
    if (!/^\d+$/.test(clientId)) throw new RangeError('A client ID of a service account is a number.');
    const scopes = words(req('scopes'));
    if (scopes.length === 0) throw new RangeError('Name at least one scope.');
    setDelegations(req('domain'), (others) => [...others, { clientId, scopes }], clientId);
  });
  onForm('delegation-off', (req) => setDelegations(req('domain'), (others) => [...others], req('clientId')));
  onForm('service-account', async (req) => {
    const name = req('email');
    await newServiceAccount(world, name.includes('@') ? name : `${name}@project.iam.gserviceaccount.com`);
  });
  router.post('/control/forms/key-file', urlencoded({ extended: false }), async (req, res) => {
    const email = String(Object(req.body).email ?? '');
    if (!world.serviceAccounts.has(email)) return void res.redirect(303, '/control#service-accounts');
    const file = await newServiceAccount(world, email);
    const name = `${email.split('@')[0]?.replace(/[^\w.-]/g, '')}-${file.private_key_id.slice(0, 8)}.json`;
    res
      .attachment(name)
      .type('json')
      .send(`${JSON.stringify(file, null, 2)}\n`);
  });
  onForm('client', (req) => world.policies.setDeleted(req('client'), req('deleted') === 'on'));
  onForm('unconfirmed', (req) => {
    world.policies.setUnconfirmed({
      incrementalRefreshToken: req('incrementalRefreshToken') === 'on',
      insistedRefreshToken: req('insistedRefreshToken') === 'on',
      boxForOneScope: req('boxForOneScope') === 'on',
      issuer: req('issuer'),
      secondDraftSend: req('secondDraftSend'),
      dateHeader: req('dateHeader'),
      searchLagMs: Math.round(Number(req('searchLagMinutes') || 3) * 60_000),
    });
  });
  onForm('quotas', (req) => {
    const number = (name: string) => (req(name) === '' ? null : Number(req(name)));
    const { shape } = quotaSettings;
    world.quotas.set({
      ...Object.fromEntries(LIMITS.map(({ name }) => [name, number(name)])),
      recipientsPerMessage: number('recipientsPerMessage') ?? 500,
      userAnswer: shape.userAnswer.parse(req('userAnswer') || undefined),
      projectAnswer: shape.projectAnswer.parse(req('projectAnswer') || undefined),
      refusedCallsCount: req('refusedCallsCount') === 'on',
      overSendingLimit: shape.overSendingLimit.parse(req('overSendingLimit') || undefined),
    });
  });
  onForm('google-quotas', () => {
    world.quotas.set({ ...GOOGLE_QUOTAS.newProject, ...GOOGLE_QUOTAS.workspace, concurrentPerUser: 5 });
  });
  onForm('no-quotas', () => world.quotas.clear());
  onForm('fault', (req) => {
    const optional = (name: string) => (req(name) === '' ? {} : { [name]: Number(req(name)) });
    const effect = req('effect');
    const preset = Object.hasOwn(FAULT_PRESETS, effect) ? FAULT_PRESETS[effect] : undefined;
    if (!preset) throw new RangeError('There is no such fault.');
    world.faults.add({
      ...{ method: req('method'), effect: preset.effect },
      ...(req('account') === '' ? {} : { account: req('account') }),
      ...{ ...optional('times'), ...optional('skip') },
      ...(req('percent') === '' ? {} : { share: Number(req('percent')) / 100 }),
      ...(req('minutes') === '' ? {} : { forMs: Math.round(Number(req('minutes')) * 60_000) }),
    });
  });
  onForm('fault-off', (req) => world.faults.remove(Number(req('id'))));
  onForm('faults-clear', () => world.faults.clear());

  return router;

  /** Changes which service accounts may act for a domain's people; `change` gets those of all others. */
  function setDelegations(
    domain: string,
    change: (others: DomainPolicy['delegations']) => DomainPolicy['delegations'],
    clientId: string,
  ): void {
    const others = world.policies.domain(domain).delegations.filter((each) => each.clientId !== clientId);
    setDomainPolicy(world, domain, { delegations: change(others) });
  }

  /** A form of this page: does it, and shows the page again, or what was wrong with it. */
  function onForm(
    name: string,
    act: (field: (name: string) => string, all: (name: string) => string[]) => void | Promise<void>,
  ): void {
    router.post(`/control/forms/${name}`, urlencoded({ extended: false }), async (req: Request, res: Response) => {
      const body: Record<string, unknown> = req.body ?? {};
      const all = (field: string) => [body[field] ?? []].flat().map((value) => String(value).trim());
      try {
        await act((field) => all(field)[0] ?? '', all);
      } catch (error) {
        if (!(error instanceof RangeError || error instanceof ZodError)) throw error;
        return show(res, 400, { done: '', problem: problemOf(error) });
      }
      return res.redirect(303, `/control?done=${name}#${(Object.hasOwn(SECTIONS, name) && SECTIONS[name]) || 'main'}`);
    });
  }

  function show(res: Response, status: number, said: { done: string; problem: string }): void {
    const domains = [...new Set(world.accounts.all().flatMap(({ hd }) => hd ?? []))];
    const clients = [...world.clients.values()];
    const projects = [...new Set(clients.map(({ project }) => project))];
    const repeated = Object.entries(world.truth.tally('deliveryId')).filter(([, { times }]) => times > 1);
    const data = {
      title: 'Control',
      ...said,
      steps: STEPS,
      now: world.now(),
      ahead: world.clock.aheadMs,
      unverified: world.policies.unverified,
      unconfirmed: world.policies.unconfirmed,
      apps: projects.map((project) => ({
        project,
        names: clients.filter((client) => client.project === project).map(({ name }) => name),
        policy: world.policies.app(project),
      })),
      clients: clients.map((client) => ({ ...client, deleted: world.policies.isDeleted(client.id) })),
      domains: domains.map((domain) => ({ domain, policy: world.policies.domain(domain) })),
      serviceAccounts: [...world.serviceAccounts.values()],
      accounts: world.accounts.all(),
      presets: FAULT_PRESETS,
      methods: FAULT_METHODS,
      limits: LIMITS.map((limit) => ({ ...limit, value: world.quotas.settings[limit.name] })),
      quotas: world.quotas.settings,
      faults: world.faults.list().map((fault) => ({ ...fault, words: wordsOf(fault.effect) })),
      waiting: new Set(world.faults.waiting().map(({ id }) => id)),
      accepted: world.truth.accepted().length,
      repeated,
      counts: Object.entries(world.truth.methods()),
      events: world.securityEvents.sent().slice(-20).reverse(),
    };
    html(res, 'control', data, status);
  }
}

/** Where on the page a form is. */
const SECTIONS: Readonly<Record<string, string>> = {
  clock: 'clock',
  unverified: 'apps',
  app: 'apps',
  client: 'apps',
  domain: 'administrators',
  delegation: 'administrators',
  'delegation-off': 'administrators',
  'service-account': 'service-accounts',
  unconfirmed: 'unconfirmed',
  quotas: 'quotas',
  'google-quotas': 'quotas',
  'no-quotas': 'quotas',
  fault: 'faults',
  'fault-off': 'faults',
  'faults-clear': 'faults',
};

const FAULT_METHODS = [
  ...Object.values(METHODS).map(({ name }) => name),
  ...['token', 'revoke', 'userinfo', 'tokeninfo', 'certs', '*'],
];

/** The limits of the form, each a number or nothing. */
const LIMITS = [
  { name: 'userUnitsPerMinute', words: 'Units a minute per user' },
  { name: 'projectUnitsPerMinute', words: 'Units a minute per project' },
  { name: 'projectUnitsPerDay', words: 'Units a day per project' },
  { name: 'concurrentPerUser', words: 'Requests at once per user' },
  { name: 'messagesPerDay', words: 'Messages a day per account' },
  { name: 'recipientsPerDay', words: 'Recipients a day per account' },
  { name: 'externalRecipientsPerDay', words: 'Outside recipients a day' },
] as const;

function words(text: string): string[] {
  return text.split(/[\s,;]+/).filter((word) => word !== '');
}

function problemOf(error: RangeError | ZodError): string {
  if (error instanceof RangeError) return error.message;
  return error.issues.map(({ path, message }) => `${path.join(' ')}: ${message}`).join('. ');
}
