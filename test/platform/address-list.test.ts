import judge from 'email-addresses';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressKey, fittingName, formatAddress, holdsOtherAddress, isAddress } from '../../src/platform/address.ts';
import { addressProblem, parseAddresses, readAddressField } from '../../src/platform/address-list.ts';
import { propertyRuns } from '../support/at-length.ts';

const mira = { name: 'Mira Okafor', email: 'mira@northgate.example' };
const bare = (...emails: string[]) => emails.map((email) => ({ name: '', email }));

describe('a list of addresses', () => {
  it.each([
    ['one bare address', 'mira@northgate.example', bare(mira.email)],
    ['angle brackets without a name', '<mira@northgate.example>', bare(mira.email)],
    ['a name', 'Mira Okafor <mira@northgate.example>', [mira]],
    ['a name with a dot', 'M. Okafor <mira@northgate.example>', [{ ...mira, name: 'M. Okafor' }]],
    ['a quoted name with a comma', '"Okafor, Mira" <mira@northgate.example>', [{ ...mira, name: 'Okafor, Mira' }]],
    ['quotes in the name', '"Mira \\"Mo\\" Okafor" <mira@northgate.example>', [{ ...mira, name: 'Mira "Mo" Okafor' }]],
    ['a remark', 'Mira (Sales) <mira@northgate.example>', [{ ...mira, name: 'Mira (Sales)' }]],
    ['a name as a remark', 'mira@northgate.example (Mira Okafor)', [mira]],
    ['the address as its own name', "'Mira@Northgate.example' <mira@northgate.example>", bare(mira.email)],
    ['quotes that are not needed', '"mira"@northgate.example', bare(mira.email)],
    [
      'commas, semicolons and new lines',
      'a@x.example, b@x.example; c@x.example\nd@x.example\r\n\r\ne@x.example,',
      bare('a@x.example', 'b@x.example', 'c@x.example', 'd@x.example', 'e@x.example'),
    ],
    ['a group', 'Office: a@x.example, b@x.example; c@x.example', bare('a@x.example', 'b@x.example', 'c@x.example')],
    ['an international domain', 'søren@bücher.example', bare('søren@bücher.example')],
    ['a name in another script', '三好 <miyoshi@例え.example>', [{ name: '三好', email: 'miyoshi@例え.example' }]],
    ['a plus', 'mira+invoices@northgate.example', bare('mira+invoices@northgate.example')],
    ['what copying brings along', '\u202Amira@\u200Bnorthgate.example\u202C\u00A0', bare(mira.email)],
    ['nothing', ' \n , ; ', []],
  ])('is understood: %s', (_what, text, addresses) => {
    expect(parseAddresses(text)).toEqual({ addresses, unreadable: [] });
  });

  const between = ['a@x.example b@y.example', 'a@x.example\tb@y.example', '<a@x.example> <b@y.example>'];
  const words = ['/', '|', '·', 'und', 'and', '&', 'or', 'et', 'cc'].map((word) => `a@x.example ${word} b@y.example`);
  const names = ['a@x.example <b@y.example>', '"a@x.example" <b@y.example>', '"a @ x.example" <b@y.example>'];
  const wide = ['"accounts＠bank.example" <b@y.example>', "'accounts@bank.example' <b@y.example>"];
  const remarks = ['b@y.example (a@x.example)', 'Mira (a@x.example) <b@y.example>', 'a@x.example und <b@y.example>'];
  const broken = [
    'mira',
    'mira@',
    '@northgate.example',
    'mira okafor',
    'Mira <mira at northgate>',
    'Mira mira@x.example',
  ];
  const strange = [
    '"a b"@x.example',
    'a@[10.0.0.1]',
    'a@10.0.0.1',
    '<@r.example:a@x.example>',
    'a@x.example>',
    '<a@x.example',
  ];
  const rules = ['a@localhost', 'a..b@x.example', 'a@x.example.', 'a@@x.example'];
  const groups = ['Office: a@x.example', 'undisclosed-recipients:;', 'https://a@x.example;', '"Okafor, mira@x.example'];
  it.each([...between, ...words, ...names, ...wide, ...remarks, ...broken, ...strange, ...rules, ...groups])(
    'is not taken where something of it is left over: %s',
    (text) => {
      const { addresses, unreadable } = parseAddresses(text);
      expect(addresses).toEqual([]);
      expect(unreadable.map((piece) => piece.text)).toEqual([
        text.replace('\t', ' ').replace(/(mailto.*);|(https.*);/, '$1$2'),
      ]);
      expect(addressProblem({ text, why: 'several' })).toContain(`“${text}”`);
    },
  );

  it('keeps the good ones beside a bad one', () => {
    expect(parseAddresses('mira@northgate.example, nonsense, Okafor, Mira <m@x.example>')).toEqual({
      addresses: [...bare(mira.email), { name: 'Mira', email: 'm@x.example' }],
      unreadable: ['nonsense', 'Okafor'].map((text) => ({ text, why: 'no_address' })),
    });
  });

  it('refuses an address that marks show the other way round', () => {
    expect(parseAddresses('\u202Eelpmaxe.x@a').addresses).toEqual([]);
    expect(parseAddresses('a@x.example\u202E').addresses).toEqual([]);
  });

  it('takes a hundred and one, and leaves it to others to say that this is too many', () => {
    const many = Array.from({ length: 101 }, (_, index) => `p${index}@x.example`).join(', ');
    expect(parseAddresses(many).addresses).toHaveLength(101);
  });

  it.each([
    'mira@northgate.example\r\nBcc: spy@evil.example',
    'Mira\r\nBcc: spy@evil.example <mira@northgate.example>',
    '"Mira\nBcc: spy@evil.example" <mira@northgate.example>',
    '"Mira\u2028Bcc: spy@evil.example" <mira@northgate.example>',
  ])('brings no line break into an address or a name, and names what it left out: %j', (text) => {
    const { addresses, unreadable } = parseAddresses(text);
    for (const { name, email } of addresses) expect(`${name}${email}`).not.toMatch(/[\r\n\u2028]|spy/);
    expect(unreadable.some((piece) => piece.text.includes('spy@evil.example'))).toBe(true);
  });

  it.each(['(', '"', '<', '@', 'a ', 'a@', '\\"', '"\\', '(a', 'a:', 'a:;', 'a.', '\u200C', ' @', 'a@b.c '])(
    'is read in time that grows with its length: %j many times',
    (sign) => {
      // Its own work, in microseconds: however busy the machine is.
      const begun = process.threadCpuUsage();
      const { addresses, unreadable } = parseAddresses(sign.repeat(60_000 / sign.length));
      const { user } = process.threadCpuUsage(begun);
      expect(addresses.length + unreadable.length).toBeLessThanOrEqual(30_000);
      expect(user).toBeLessThan(1_000_000);
    },
  );
});

describe('whatever is typed', () => {
  const address = fc.constantFrom('a@x.example', 'b@y.example', 'Ü@bücher.example', '"q"@x.example', 'A@X.example');
  const word = fc.constantFrom(
    'Mira',
    'und',
    'Müller',
    '"Okafor, M."',
    '(Sales)',
    '(c@z.example)',
    '"d@z.example"',
    'e@localhost',
  );
  const sign = fc.constantFrom(
    ' ',
    ',',
    ';',
    '\n',
    '\t',
    ' <',
    '> ',
    '<',
    '>',
    ' / ',
    ' | ',
    ':',
    '"',
    '(',
    ')',
    '\\',
    '\u200B',
    '\u202E',
    '＠',
    '@',
  );
  const typed = fc
    .array(
      fc.oneof(
        { weight: 3, arbitrary: address },
        word,
        { weight: 3, arbitrary: sign },
        fc.string({ unit: 'grapheme', maxLength: 3 }),
      ),
      { maxLength: 14 },
    )
    .map((parts) => parts.join(''));

  it('is all delivered to, or refused naming the text: no address is lost', () => {
    fc.assert(
      fc.property(typed, (text) => {
        const { addresses, unreadable } = parseAddresses(text);
        // An address of the reader's own making: anything with an @ between letters.
        const seen = text.replaceAll(/[\r\n\t\u0085]/g, ' ');
        const plain = seen.replaceAll(/[\p{Default_Ignorable_Code_Point}\p{Cc}]/gu, '').toLowerCase();
        const written = plain.match(/[\p{L}\p{M}\p{N}]+@[\p{L}\p{M}\p{N}]+(?:\.[\p{L}\p{M}\p{N}]+)+/gu) ?? [];
        const taken = addresses.map(({ email }) => email.toLowerCase());
        const named = unreadable.map((piece) => piece.text.toLowerCase()).join('\n');
        for (const each of written) expect(taken.includes(each) || named.includes(each)).toBe(true);
        for (const { name, email } of addresses) {
          expect(isAddress(email)).toBe(true);
          expect(holdsOtherAddress(name, email)).toBe(false);
          expect(`${name}${email}`).not.toMatch(/[\p{Cc}\u200B\u202A-\u202E\u2066-\u2069]/u);
        }
        if (addresses.length === 0) expect(unreadable.length > 0 || !/[\p{L}\p{N}]/u.test(plain)).toBe(true);
      }),
      { numRuns: propertyRuns(1_000) },
    );
  });

  it('comes back the same, once it was understood, also from a reader that is not ours', () => {
    fc.assert(
      fc.property(typed, (text) => {
        const read = readAddressField(text);
        if (!read.ok || read.email === undefined) return;
        const { addresses, unreadable } = parseAddresses(read.email);
        expect(unreadable).toEqual([]);
        expect(addresses).toHaveLength(new Set(addresses.map(({ email }) => addressKey(email))).size);
        expect(readAddressField(read.email)).toEqual(read);
        const theirs = judge.parseAddressList({ input: read.email, rfc6532: true });
        expect(theirs?.map((each) => ('address' in each ? each.address : 'a group'))).toEqual(
          addresses.map(({ email }) => email),
        );
      }),
      { numRuns: propertyRuns(500) },
    );
  });
});

describe('an address', () => {
  const long = `${'a'.repeat(64)}@${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(57)}.ex`;
  it.each([
    'a@b.example',
    'a.b+c@d-e.example',
    "o'brien@x.example",
    'ü@ü.example',
    'a@xn--bcher-kva.example',
    'a@1und1.example',
    long,
  ])('%s can get mail', (text) => expect(isAddress(text)).toBe(true));
  const wrong = [
    '',
    'a',
    'a@b',
    'a b@x.example',
    'a@x .example',
    'a@x.example\n',
    'a@@x.example',
    'a@.example',
    'a@x..example',
  ];
  const more = [
    'a@x.example.',
    'a@x.example>',
    'a<b@x.example',
    'a,b@x.example',
    '.a@x.example',
    'a.@x.example',
    'a@-x.example',
    'a@x_y.example',
  ];
  const long2 = [
    `${'a'.repeat(65)}@x.example`,
    `${'ü'.repeat(33)}@x.example`,
    `a@${'b'.repeat(64)}.example`,
    `x${long}`,
    'a\u200B@x.example',
    'a\uFE0F@x.example',
  ];
  it.each([...wrong, ...more, ...long2])('%j cannot', (text) => expect(isAddress(text)).toBe(false));

  it('is the same in other letters, and by either name of its domain', () => {
    expect(addressKey('Mira@Northgate.Example')).toBe(addressKey('mira@northgate.example'));
    expect(addressKey('a@bücher.example')).toBe(addressKey('a@XN--bcher-kva.example'));
    expect(addressKey('mira+a@x.example')).not.toBe(addressKey('mira@x.example'));
  });

  it('is read back as it was written out', () => {
    const email = fc.constantFrom('mira@northgate.example', 'søren@bücher.example', "o'brien@x.example");
    const written = fc
      .tuple(fc.string({ unit: 'grapheme', maxLength: 30 }), email)
      .map(([name, email]) => ({ name: fittingName(name, email), email }));
    fc.assert(
      fc.property(written, (address) => {
        expect(parseAddresses(formatAddress(address))).toEqual({ addresses: [address], unreadable: [] });
      }),
      { numRuns: propertyRuns(500) },
    );
  });
});

describe('an address that is copied from a link', () => {
  it.each([
    ['mailto:mira@northgate.example', bare(mira.email)],
    ['MAILTO: mira@northgate.example', bare(mira.email)],
    ['<mailto:mira@northgate.example>', bare(mira.email)],
    ['Mira Okafor <mailto:mira@northgate.example>', [mira]],
    ['mailto:a@x.example,b@x.example; mailto:c@x.example', bare('a@x.example', 'b@x.example', 'c@x.example')],
  ])('is the address: %s', (text, addresses) => {
    expect(parseAddresses(text)).toEqual({ addresses, unreadable: [] });
  });

  it.each([
    'mailto:',
    'mailto:a@x.example?cc=b@x.example',
    'mailto:a@x.example?subject=Hello',
    'mailto:a@x.example mailto:b@x.example',
    'http://a@x.example',
  ])('is named where there is more, or less: %s', (text) => {
    const { addresses, unreadable } = parseAddresses(text);
    expect([addresses, unreadable.length]).toEqual([[], 1]);
  });

  it('is read as it is without the prefix, whatever stands in it', () => {
    const part = fc.constantFrom('mira@x.example', 'Mira', '<', '>', '"', ' ', '(a)', '@', 'b@y.example', '?cc=');
    fc.assert(
      fc.property(
        fc.array(part, { maxLength: 6 }).map((parts) => parts.join('')),
        (text) => {
          expect(parseAddresses(`mailto:${text.trim()}`).addresses).toEqual(parseAddresses(text.trim()).addresses);
        },
      ),
      { numRuns: propertyRuns(500) },
    );
  });
});

describe('a name before an address', () => {
  const own = 'office@brightwater.example';
  it.each([
    'accounts@bank.example',
    'Pay accounts@bank.example',
    'accounts@bank.example <x>',
    'accounts ＠ bank.example',
    '(a@b.example)',
  ])('may not be another address: %s', (name) => {
    expect(holdsOtherAddress(name, own)).toBe(true);
    expect(fittingName(name, own)).toBe('');
  });
  it.each([
    'Brightwater',
    'Mira @ Brightwater',
    'office@Brightwater.example',
    'Office (office@brightwater.example)',
    '@mira',
    'booking.com',
  ])('may be anything else: %s', (name) => expect(holdsOtherAddress(name, own)).toBe(false));
});
