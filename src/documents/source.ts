import { z } from 'zod';

/** Where an imported record came from. */
export const documentSourceSchema = z.object({
  fileName: z.string(),
  /** Of the file's bytes, in hexadecimal. */
  sha256: z.string(),
  /** Such as `UBL Invoice`. */
  format: z.string(),
  /** The sums as the file states them, by their UBL names. */
  declared: z.record(z.string(), z.string()),
  /** Who issued it by its own words, where that is not the company and somebody said that it is right. */
  issuer: z.string().optional(),
});
/** See {@link documentSourceSchema}. */
export type DocumentSource = z.infer<typeof documentSourceSchema>;
