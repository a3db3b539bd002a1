import { type DocumentKind, documentKinds } from '../documents/document.ts';
import { kindWords } from '../documents/format.ts';
import { ruleFor, type SenderRule } from '../mailboxes/sender.ts';
import { isSameRule, type listRules, type MemberSenders } from '../mailboxes/sender-rules.ts';
import { sentence } from './words.ts';

/** Kinds of records that the same rule decides for: one column of the overview. */
export interface RuleColumn {
  readonly kinds: readonly DocumentKind[];
  readonly label: string;
  readonly rule: SenderRule;
}

/** Who would be refused, for what, why, and what mends it. */
export interface Refusal {
  /** The one member it is about, where they can mend it themselves. */
  readonly member: MemberSenders['member'] | null;
  readonly who: string;
  readonly what: string;
  readonly because: string;
  readonly fix: string;
}

/** Puts together the kinds that have the same rule, in the kinds' order. */
export function ruleColumns(rules: Awaited<ReturnType<typeof listRules>>): RuleColumn[] {
  const columns: { kinds: DocumentKind[]; rule: SenderRule }[] = [];
  for (const kind of documentKinds) {
    const rule = ruleFor(kind, rules);
    const column = columns.find((each) => isSameRule(each.rule, rule));
    if (column) column.kinds.push(kind);
    else columns.push({ kinds: [kind], rule });
  }
  return columns.map((column) => ({
    ...column,
    label: columns.length === 1 ? 'Every kind' : kindsWords(column.kinds),
  }));
}

/** `Invoices, quotes and purchase orders`. */
export function kindsWords(kinds: readonly DocumentKind[]): string {
  return sentence(
    kinds.map((kind, index) => (index === 0 ? kindWords[kind].plural : kindWords[kind].plural.toLowerCase())),
  );
}

/**
 * The refusals in an overview: one for each member whose own address is what is missing, and one for each column
 * whose rule fails for reasons of its own, naming whom it stops.
 */
export function refusals(columns: readonly RuleColumn[], rows: readonly MemberSenders[]): Refusal[] {
  return columns.flatMap((column, index): Refusal[] => {
    const refused = rows.flatMap(({ member, resolutions }) => {
      const resolution = resolutions[index];
      return resolution && !resolution.ok ? [{ member, resolution }] : [];
    });
    if (column.rule.mode === 'current_user') {
      return refused.map(({ member, resolution }) => ({
        ...{ member, who: member.name, what: column.label },
        because:
          resolution.reason === 'address_pending'
            ? `Gmail still waits for ${member.email} to be confirmed.`
            : `${member.email} is not connected, and no Gmail of the company may send as it.`,
        fix:
          resolution.reason === 'address_pending'
            ? `The confirmation mail from Gmail is in ${member.email}: follow its link, then press “Check again” in Settings → Email.`
            : '',
      }));
    }
    const [first] = refused;
    if (!first) return [];
    const who = refused.length === rows.length ? 'Everybody' : sentence(refused.map(({ member }) => member.name));
    const { because, fix } = first.resolution;
    return [{ member: null, who, what: column.label, because, fix }];
  });
}
