import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * The files that take longest on two quiet cores, longest first, so that none of them begins last and is waited for alone.
 * As the closing list of a run says; where Vitest remembers its last run on this machine, the others go by that.
 */
const slowest: readonly string[] = [
  'deliveries/every-fault.test.ts',
  'browser/office-manager.test.ts',
  'browser/mailbox-health.test.ts',
  'deliveries/killed.test.ts',
  'browser/access.test.ts',
  'browser/google-tells.test.ts',
  'unconfirmed/sending.test.ts',
  'unconfirmed/connecting.test.ts',
  'deliveries/outages.test.ts',
  'deliveries/runs/control.test.ts',
  'documents/pdf/render.test.ts',
  'deliveries/looking.test.ts',
  'mailboxes/keep-alive.test.ts',
  'browser/check-up.test.ts',
  'mailboxes/access-token.test.ts',
  'deliveries/pacer.test.ts',
  'browser/mailbox.test.ts',
  'commands/keys.test.ts',
  'mailboxes/delegate.test.ts',
  'web/google-events.test.ts',
];

/** Begins with the slowest files. */
export class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => {
      const known = slowest.findIndex((file) => moduleId.endsWith(`/test/${file}`));
      return known === -1 ? slowest.length : known;
    };
    return (await super.sort(files)).toSorted((a, b) => place(a) - place(b));
  }
}
