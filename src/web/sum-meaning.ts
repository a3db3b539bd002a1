import type { DocumentStatus } from '../documents/document.ts';
import { formatMoney } from '../documents/format.ts';
import { kindInstead, type PayableRecord, paymentOf, withoutSign } from '../documents/payment.ts';
import { sumNotice } from '../documents/sum-words.ts';

/**
 * What the last sum of a record or of a form means, as pages show it: `payment`; `payable`, the amount as its word goes with
 * it, which says whose a negative one is; `instead`, the kind that it should be; `meaning`, what is said of it.
 */
export function sumMeaning(
  record: PayableRecord & { readonly status?: DocumentStatus | undefined },
  sums: { readonly payable: string; readonly taxInclusive: string },
  currency: string,
  locale: string,
) {
  const { payable, taxInclusive: total } = sums;
  const instead = kindInstead(record, { payable, total });
  const amount = formatMoney(withoutSign(payable), currency, locale);
  const meaning = sumNotice(record, payable, amount, instead);
  return { payment: paymentOf(record, payable), payable: amount, instead, meaning };
}
