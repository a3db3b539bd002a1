/**
 * A TrueType font under another name. Slices of one family bear its one name, and Typst would take one of them and know
 * nothing of the rest.
 *
 * @see https://learn.microsoft.com/en-us/typography/opentype/spec/otff and its page on the table `name`
 */
export function named(font: Uint8Array, family: string): Buffer {
  const bytes = Buffer.from(font);
  const count = bytes.readUInt16BE(4);
  const name = nameTable([
    [1, family],
    [2, 'Regular'],
    [4, family],
    [6, family.replaceAll(/[^A-Za-z0-9]/g, '')],
  ]);
  for (let record = 12; record < 12 + count * 16; record += 16) {
    if (bytes.toString('latin1', record, record + 4) !== 'name') continue;
    // The new table stands at the end; the old one is left where it is, and nothing points to it.
    const end = Math.ceil(bytes.length / 4) * 4;
    bytes.writeUInt32BE(end, record + 8);
    bytes.writeUInt32BE(name.length, record + 12);
    return Buffer.concat([bytes, Buffer.alloc(end - bytes.length), name]);
  }
  throw new TypeError('A font without names.');
}

/** Format 0, every name once: for Windows (3), in Unicode (1), in American English (0x409). */
function nameTable(names: readonly (readonly [id: number, text: string])[]): Buffer {
  const texts = names.map(([, text]) => Buffer.from(text, 'utf16le').swap16());
  const head = Buffer.alloc(6 + names.length * 12);
  head.writeUInt16BE(names.length, 2);
  head.writeUInt16BE(head.length, 4);
  let offset = 0;
  for (const [at, [id]] of names.entries()) {
    const length = texts[at]?.length ?? 0;
    [3, 1, 0x409, id, length, offset].forEach((value, column) => {
      head.writeUInt16BE(value, 6 + at * 12 + column * 2);
    });
    offset += length;
  }
  return Buffer.concat([head, ...texts]);
}
