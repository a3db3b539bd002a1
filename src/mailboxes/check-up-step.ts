import { z } from 'zod';

/** One step of a check-up, in words for whoever reads it. */
export interface Step {
  /** For tests and support: never changes with the words. */
  readonly name: string;
  readonly title: string;
  readonly status: 'passed' | 'failed' | 'not_possible';
  /** What was found. */
  readonly detail: string;
  /** What to do, where there is something to do. */
  readonly hint: string | null;
}

/** Says an instant, or a number, for whoever reads it. */
export type Say = (value: Date | number) => string;

/** Builders of the three kinds of steps. */
export const passed = (name: string, title: string, detail: string, hint: string | null = null): Step => ({
  ...{ name, title, status: 'passed', detail, hint },
});
/** @see passed */
export const failed = (name: string, title: string, detail: string, hint: string): Step => ({
  ...{ name, title, status: 'failed', detail, hint },
});
/** @see passed */
export const notPossible = (name: string, title: string, detail: string, hint: string | null = null): Step => ({
  ...{ name, title, status: 'not_possible', detail, hint },
});

/** A hint for the operator, which everybody may see: it is nobody's fault at the company. */
export const forOperator = (fix: string): string => `This is for whoever runs Letterhead: ${fix}`;

/** A check-up as it is kept and shown; nothing in it is secret, and nothing is of another company. */
export const checkUpShape = z.object({
  at: z.iso.datetime(),
  /** Who began it; null for the operator's command. */
  by: z.string().nullable(),
  company: z.string(),
  mailbox: z.string(),
  state: z.string(),
  version: z.string(),
  node: z.string(),
  steps: z.array(
    z.object({
      name: z.string(),
      title: z.string(),
      status: z.enum(['passed', 'failed', 'not_possible']),
      detail: z.string(),
      hint: z.string().nullable(),
    }),
  ),
});

/** @see checkUpShape */
export type CheckUp = z.infer<typeof checkUpShape>;

/** A check-up as text: for a terminal, and for a support ticket. `email` is what came of a test email, if there was one. */
export function checkUpText(checkUp: CheckUp, email: Step | null): string {
  const { at, by, company, mailbox, state, version, node, steps } = checkUp;
  const all = email ? [...steps, email] : steps;
  return [
    `Check-up of ${mailbox} (${company})`,
    `${at}${by === null ? '' : `, by ${by}`} · ${state} · Letterhead ${version}, Node.js ${node}`,
    '',
    ...all.flatMap(({ title, status, detail, hint }) => [
      `${marks[status]} ${title}: ${detail}`,
      ...(hint === null ? [] : [`               What to do: ${hint}`]),
    ]),
    '',
    tally(all),
    '',
  ].join('\n');
}

const marks = { passed: '[passed]      ', failed: '[FAILED]      ', not_possible: '[not possible]' } as const;

/** `9 passed, 1 failed, 2 not possible`. */
export function tally(steps: readonly Step[]): string {
  const count = (wanted: Step['status']) => steps.filter(({ status }) => status === wanted).length;
  return `${count('passed')} passed, ${count('failed')} failed, ${count('not_possible')} not possible`;
}
