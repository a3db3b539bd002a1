import type { Work } from '../platform/turns.ts';
import { sameAmount } from './decimal.ts';
import type { DocumentContent } from './document.ts';
import { type DocumentTotals, totalsOf } from './totals.ts';

/** A sum that an imported file states, and to what our arithmetic would come from its lines and rates. */
export interface Difference {
  readonly sum: 'lineTotal' | 'taxTotal' | 'payable';
  readonly stated: string;
  readonly own: string;
}

const compared = ['lineTotal', 'taxTotal', 'payable'] as const satisfies readonly (keyof DocumentTotals)[];

/** Where a record prints what its file states, and we would come to another sum: none for a record of our own. */
export function* differencesFromOwn(content: DocumentContent): Work<Difference[]> {
  const { statedTaxes, statedSums } = content;
  if (!statedTaxes && !statedSums && content.lines.every(({ statedNet }) => statedNet === undefined)) return [];
  const stated = yield* totalsOf(content);
  const own = yield* totalsOf({
    ...content,
    ...{ statedTaxes: undefined, statedSums: undefined, digits: undefined },
    lines: content.lines.map((line) => ({ ...line, statedNet: undefined })),
  });
  return compared.flatMap((sum) =>
    sameAmount(stated[sum], own[sum]) ? [] : [{ sum, stated: stated[sum], own: own[sum] }],
  );
}

const words: Record<Difference['sum'], string> = { lineTotal: 'the lines', taxTotal: 'the tax', payable: 'the total' };

/** `The file says 119.00 for the total; by our arithmetic it is 119.01.` */
export function differenceWords({ sum, stated, own }: Difference, money: (amount: string) => string): string {
  return `The file says ${money(stated)} for ${words[sum]}; from its prices and rates we come to ${money(own)}. The file’s figure is kept, printed and sent.`;
}
