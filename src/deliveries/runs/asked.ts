import { z } from 'zod';
import { documentKinds, documentStatuses } from '../../documents/document.ts';

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
