import { type DocumentKind, documentKinds } from '../documents/document.ts';
import { kindWords } from '../documents/format.ts';
import { type RefusalReason, ruleFor, type SenderResolution, type SenderRule } from '../mailboxes/sender.ts';
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
  /** The mailbox that they were not given, where that is what is missing: its id, or `default`. */
  readonly mailboxId: string | null;
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
 * The refusals in an overview: one for each member whose own address is what is missing, and one for each other reason
 * of each column, naming whom it stops.
 *
 * @param viewerId the member who looks
 */
export function refusals(columns: readonly RuleColumn[], rows: readonly MemberSenders[], viewerId: string): Refusal[] {
  return columns.flatMap((column, index): Refusal[] => {
    const all = rows.flatMap(({ member, resolutions }) => {
      const resolution = resolutions[index];
      return resolution && !resolution.ok ? [{ member, resolution }] : [];
    });
    const ownAddress = all.filter(({ resolution }) => needsOwnAddress(column, resolution));
    const others = all.filter(({ resolution }) => !needsOwnAddress(column, resolution));
    return [
      ...ownAddress.map(({ member, resolution }) => ({
        ...{ member, who: member.name, what: column.label, mailboxId: null },
        ...addressWords(member, resolution),
      })),
      ...[...Map.groupBy(others, ({ resolution }) => resolution.because).values()].flatMap((refused) =>
        stopped(column, refused, rows.length, viewerId),
      ),
    ];
  });
}

type Refused = Extract<SenderResolution, { ok: false }>;
type Stopped = { readonly member: MemberSenders['member']; readonly resolution: Refused };

const ownAddressReasons: readonly RefusalReason[] = ['address_pending', 'member_has_no_address', 'aliases_unreadable'];

function needsOwnAddress({ rule }: RuleColumn, { reason }: Refused): boolean {
  return rule.mode === 'current_user' && ownAddressReasons.includes(reason);
}

function addressWords({ email }: MemberSenders['member'], { reason }: Refused) {
  if (reason === 'aliases_unreadable') {
    const because = `${email} is not connected, and Letterhead may not see whether a Gmail of the company can send as it.`;
    return { because, fix: '' };
  }
  if (reason !== 'address_pending') {
    return {
      because: `${email} is not connected, and no Gmail of the company that they may use may send as it.`,
      fix: '',
    };
  }
  const fix = `The confirmation mail from Gmail is in ${email}: follow its link, then press “Check again” in Settings → Email.`;
  return { because: `Gmail still waits for ${email} to be confirmed.`, fix };
}

function stopped(column: RuleColumn, refused: readonly Stopped[], everybody: number, viewerId: string): Refusal[] {
  const [first] = refused;
  if (!first) return [];
  const { member, resolution } = first;
  const onlyViewer = refused.length === 1 && member.id === viewerId;
  const names = sentence(refused.map((each) => each.member.name));
  const who = onlyViewer ? 'You' : refused.length === everybody ? 'Everybody' : names;
  const about = { member: null, who, what: column.label, mailboxId: null };
  const own = [{ ...about, because: resolution.because, fix: resolution.fix }];
  if (onlyViewer) return own;
  switch (resolution.reason) {
    case 'not_given': {
      const mailboxId = column.rule.mode === 'alias' ? column.rule.mailboxId : 'default';
      return [{ ...about, because: 'They may not use the Gmail account that it comes from.', fix: '', mailboxId }];
    }
    case 'own_default_gone': {
      const because = 'The Gmail account that they chose as their own default is not connected, or not theirs to use.';
      return [{ ...about, because, fix: 'They choose another one in Settings → Email.' }];
    }
    default:
      return own;
  }
}
