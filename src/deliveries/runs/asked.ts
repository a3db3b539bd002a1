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
