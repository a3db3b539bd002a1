import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * The files that take longest on two quiet cores, longest first, so that none of them begins last and is waited for alone.
 * As the closing list of a run says; where Vitest remembers its last run on this machine, the others go by that.
 */
const slowest: readonly string[] = [
  'browser/office-manager.test.ts',
  'deliveries/every-fault.test.ts',
  'mailboxes/one-refresh.test.ts',
  'deliveries/crash.test.ts',
  'web/nobody-waits.test.ts',
  'unconfirmed/drafts.test.ts',
  'browser/attached-files.test.ts',
  'browser/runs.test.ts',
  'browser/access.test.ts',
  'documents/pdf/render.test.ts',
  'browser/remedies.test.ts',
  'local-google/test/pages-control.test.ts',
  'browser/mailbox-health.test.ts',
  'web/layout.test.ts',
  'commands/keys.test.ts',
  'commands/doctor.test.ts',
  'unconfirmed/sending.test.ts',
  'browser/google-tells.test.ts',
  'deliveries/in-doubt.test.ts',
  'web/released.test.ts',
  'web/workspace.test.ts',
  'deliveries/runs/control.test.ts',
  'mailboxes/access-token.test.ts',
  'browser/mailbox.test.ts',
  'mailboxes/delegate.test.ts',
  'deliveries/killed.test.ts',
  'deliveries/outages.test.ts',
  'browser/used-elsewhere.test.ts',
  'browser/late-contact.test.ts',
  'web/mailbox-access.test.ts',
  'browser/without-javascript.test.ts',
  'deliveries/drafts.test.ts',
];

/** Begins with the slowest files. */
export class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => {
      const known = slowest.findIndex((file) => moduleId.endsWith(`/${file}`));
      return known === -1 ? slowest.length : known;
    };
    return (await super.sort(files)).toSorted((a, b) => place(a) - place(b));
  }
}
