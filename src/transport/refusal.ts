/** Why a delivery failed for good: the code of its headline. */
export type FailureCode =
  /** Gmail does not accept the address of a recipient. */
  | 'bad_recipient'
  /** The email is larger than Gmail accepts. */
  | 'too_large'
  /** Its PDF could not be made; Gmail was not asked. */
  | 'no_pdf'
  /** Gmail refused it for another reason, which its answer says. */
  | 'refused';

/** An answer by which Gmail refused an email for good. */
export interface Refusal {
  readonly status: number | null;
  readonly reason: string | null;
  readonly message: string | null;
}

/** Says why a delivery failed. Pure. @param refusal null where Gmail was not asked */
export function failureOf(refusal: Refusal | null): FailureCode {
  if (refusal === null) return 'no_pdf';
  if (/Invalid (To|Cc|Bcc) header|Recipient address required/i.test(refusal.message ?? '')) return 'bad_recipient';
  return refusal.status === 413 ? 'too_large' : 'refused';
}
