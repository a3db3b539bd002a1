import { z } from 'zod';
import { documentKinds, documentStatuses } from '../../documents/document.ts';
import type { RunText } from './judge.ts';
import type { RunSelection } from './records.ts';

/** What is to be sent, by whom. The same key never makes two runs. */
export interface RunRequest {
  readonly tenantId: string;
  readonly memberId: string;
  /** One per page that was shown; later a caller's own. */
  readonly idempotencyKey: string;
  readonly selection: RunSelection;
  readonly text: RunText;
  /** Which of those that were sent lately are sent again. */
  readonly again: 'all' | readonly string[];
  /** Those that are paid are sent, too. */
  readonly thoughPaid?: boolean | undefined;
  /** When it is to leave; left out: now, after the moment in which it can be undone. */
  readonly sendAt?: Date | null | undefined;
  /** It leaves whatever the sending hours say. */
  readonly anyTime?: boolean | undefined;
  /** Of what the page showed, see `survey.ts`. */
  readonly fingerprint: string;
}

/** What somebody filled in to start a run, besides its texts and its time: enough to begin again from. */
export const askedSchema = z.object({
  selection: z.object({
    kind: z.enum(documentKinds),
    status: z.enum(documentStatuses).optional(),
    overdueOn: z.string().optional(),
    partyId: z.string().optional(),
    search: z.string().optional(),
    ids: z.array(z.string()).readonly().optional(),
  }),
  again: z.union([z.literal('all'), z.array(z.string()).readonly()]),
  thoughPaid: z.boolean(),
});
/** See {@link askedSchema}. */
export type Asked = Readonly<z.infer<typeof askedSchema>>;

/** Of so many records that were left out a run keeps which they are; of all, how many. */
export const mostLeftOutKept = 300;

/** A record that was left out when a run was started, as it was then. */
export const leftOutRecordSchema = z.object({
  id: z.string(),
  number: z.string(),
  name: z.string(),
  reason: z.string(),
});
/** See {@link leftOutRecordSchema}. */
export type LeftOutRecord = Readonly<z.infer<typeof leftOutRecordSchema>>;
