import { oneLine } from './plain-text.ts';

/** The longest name, in bytes of UTF-8: file systems take 255, and a mail program may put something before it. */
const mostBytes = 180;

/** Names that Windows keeps for devices, with whatever ending. */
const devices = /^(?:con|prn|aux|nul|com\d|lpt\d)(?=\.|$)/i;

/**
 * A name under which a file can be sent and saved anywhere, whoever chose it: one line without what nobody can see (a mark
 * that turns the direction of text makes `gpj.exe` of `exe.jpg`), no folders, nothing that a file system or a header of an
 * email reads as something else. Letters of any script stay, and so does the ending, which says what it opens with.
 */
export function safeFileName(text: string): string {
  const plain = oneLine(text)
    .replaceAll(/[/\\:*?"<>|]+/g, '-')
    // Mail programs would decode what follows (RFC 2047).
    .replaceAll('=?', '= ?')
    .replace(/^[ .]+/, '')
    .replace(/[ .]+$/, '');
  const named = devices.test(plain) ? `_${plain}` : plain;
  const { stem, ending } = apart(named);
  const short = cut(stem, mostBytes - Buffer.byteLength(ending)).trimEnd();
  return short === '' ? `file${ending}` : short + ending;
}

/** Names that are told apart whatever their letters' case: the second `plan.pdf` is `plan (2).pdf`. */
export function distinctNames(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    const { stem, ending } = apart(name);
    let free = name;
    for (let number = 2; taken.has(key(free)); number += 1) {
      const mark = ` (${number})${ending}`;
      free = cut(stem, mostBytes - Buffer.byteLength(mark)).trimEnd() + mark;
    }
    taken.add(key(free));
    return free;
  });
}

/** The ending of a name in small letters, with its dot; `''` where it has none. */
export function endingOf(name: string): string {
  return apart(name).ending.toLowerCase();
}

function apart(name: string): { stem: string; ending: string } {
  const [, stem = name, ending = ''] = /^(.+?)(\.[\p{L}\p{N}_-]{1,16})$/u.exec(name) ?? [];
  return { stem, ending };
}

function key(name: string): string {
  return name.normalize('NFC').toLowerCase();
}

/** Cut between signs, so that none is torn. */
function cut(text: string, most: number): string {
  if (Buffer.byteLength(text) <= most) return text;
  let kept = '';
  let bytes = 0;
  for (const { segment } of new Intl.Segmenter('und', { granularity: 'grapheme' }).segment(text)) {
    bytes += Buffer.byteLength(segment);
    if (bytes > most) break;
    kept += segment;
  }
  return kept;
}
