import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import PostalMime, { type Email as ReadEmail } from 'postal-mime';
import { describe, expect, it } from 'vitest';
import { compose, type Email, textToHtml } from '../../src/deliveries/compose.ts';
import { mostAttachedBytes } from '../../src/transport/attachments.ts';
import { deliveryHeader } from '../../src/transport/transport.ts';
import { anyText } from '../support/any-text.ts';
import { longestTurn, slowness } from '../support/longest-turn.ts';

const pdf = Uint8Array.from({ length: 5_000 }, (_, index) => (index * 37) % 256);

function email(over: Partial<Email> = {}): Email {
  return {
    deliveryId: '0f8fad5b-d9cb-469f-a165-70867728950e',
    from: { name: 'Brightwater Joinery', email: 'office@brightwater.example' },
    replyTo: 'dana@brightwater.example',
    recipients: {
      to: [{ name: 'Mira Okafor', email: 'mira@northgate.example' }],
      cc: [{ name: '', email: 'books@northgate.example' }],
      bcc: [{ name: 'Archive', email: 'archive@brightwater.example' }],
    },
    subject: 'Invoice INV-2026-0042',
    message: 'Hello Mira,\n\nplease find attached.',
    date: new Date('2026-11-21T09:00:00.000Z'),
    attachments: [{ fileName: 'INV-2026-0042.pdf', mediaType: 'application/pdf', bytes: pdf }],
    ...over,
  };
}

const read = async (over: Partial<Email> = {}): Promise<ReadEmail> => PostalMime.parse(await compose(email(over)));
const headerNames = (message: ReadEmail) => message.headers.map(({ key }) => key).sort();

describe('an email', () => {
  it('says who it is from, to whom, and where to answer, with Bcc kept for Gmail to route by', async () => {
    const message = await read();
    expect(message.from).toMatchObject({ name: 'Brightwater Joinery', address: 'office@brightwater.example' });
    expect(message.replyTo).toMatchObject([{ address: 'dana@brightwater.example' }]);
    expect(message.to).toMatchObject([{ name: 'Mira Okafor', address: 'mira@northgate.example' }]);
    expect(message.cc).toMatchObject([{ address: 'books@northgate.example' }]);
    expect(message.bcc).toMatchObject([{ name: 'Archive', address: 'archive@brightwater.example' }]);
    expect(message.date).toBe('2026-11-21T09:00:00.000Z');
  });

  it('carries our header exactly once, and no Reply-To where there is none', async () => {
    const message = await read({ replyTo: null });
    const ours = message.headers.filter(({ key }) => key === deliveryHeader.toLowerCase());
    expect(ours).toMatchObject([{ value: '0f8fad5b-d9cb-469f-a165-70867728950e' }]);
    expect(headerNames(message)).not.toContain('reply-to');
  });

  it.each([
    ['office@brightwater.example', 'brightwater.example'],
    ['rechnung@müller.example', 'xn--mller-kva.example'],
  ])('from %s has the same Message-ID at every try', async (from, domain) => {
    const sentFrom = { from: { name: '', email: from } };
    const [first, second] = [await read(sentFrom), await read({ ...sentFrom, date: new Date('2026-11-22T09:00:00Z') })];
    expect(first.messageId).toBe(`<0f8fad5b-d9cb-469f-a165-70867728950e@${domain}>`);
    expect(second.messageId).toBe(first.messageId);
  });

  it('says the same in plain text and in HTML', async () => {
    const message = await read({ message: 'Hello <Mira> & co,\n\nsee "it".\nBye' });
    expect(message.text?.replaceAll('\r\n', '\n').trim()).toBe('Hello <Mira> & co,\n\nsee "it".\nBye');
    expect(message.html?.trim()).toBe('<p>Hello &lt;Mira&gt; &amp; co,</p>\n<p>see "it".<br>\nBye</p>');
  });

  it('attaches the file byte for byte', async () => {
    const { attachments } = await read();
    expect(attachments).toHaveLength(1);
    expect(attachments[0]).toMatchObject({ filename: 'INV-2026-0042.pdf', mimeType: 'application/pdf' });
    const content = attachments[0]?.content;
    expect(content instanceof ArrayBuffer && Buffer.from(content).equals(pdf)).toBe(true);
  });

  it('with as much attached as is allowed, is no larger than Gmail and others take', async () => {
    const bytes = new Uint8Array(mostAttachedBytes);
    const attachments = [{ fileName: 'drawings.zip', mediaType: 'application/zip', bytes }];
    const message = await compose(email({ attachments, message: 'ü'.repeat(10_000) }));
    expect(message.length).toBeLessThan(25 * 1024 * 1024);
  });

  it('goes without an attachment as well', async () => {
    expect((await read({ attachments: [] })).attachments).toEqual([]);
  });

  it('brings names, subject, text and file names in any script, and addresses of international domains', async () => {
    const fileName = 'Rechnung für Ærø – 請求書.pdf';
    const message = await read({
      from: { name: '三好 工務店, Co. "M"', email: 'office@brightwater.example' },
      recipients: { to: [{ name: 'Søren Ærø', email: 'soren@bücher.example' }], cc: [], bcc: [] },
      subject: 'Rechnung für Ærø – 請求書 🪵',
      message: 'Grüße aus Galway – 敬具 🪵',
      attachments: [{ fileName, mediaType: 'application/pdf', bytes: pdf }],
    });
    expect(message.from?.name).toBe('三好 工務店, Co. "M"');
    expect(message.to).toMatchObject([{ name: 'Søren Ærø', address: 'soren@xn--bcher-kva.example' }]);
    expect(message.subject).toBe('Rechnung für Ærø – 請求書 🪵');
    expect(message.text?.trim()).toBe('Grüße aus Galway – 敬具 🪵');
    expect(message.attachments[0]?.filename).toBe(fileName);
  });

  it('is ASCII on the wire in lines that mail servers take, so that nothing on the way can spoil it', async () => {
    const message = `${'ü'.repeat(3_000)}\n${'long '.repeat(400)}`;
    const raw = await compose(email({ message, subject: 'ü'.repeat(300) }));
    expect(raw.every((byte) => byte < 128)).toBe(true);
    const longest = Math.max(
      ...raw
        .toString('latin1')
        .split('\r\n')
        .map((line) => line.length),
    );
    expect(longest).toBeLessThanOrEqual(998);
    expect((await PostalMime.parse(raw)).text?.replaceAll('\r\n', '\n').trim()).toBe(message.trim());
  });

  it('reads no file and fetches nothing, whatever the text says', async () => {
    const message = await read({ message: '<img src="file:///etc/hostname"> cid:x data:text/plain,x' });
    expect(message.attachments).toHaveLength(1);
    expect(message.html).toContain('&lt;img src="file:///etc/hostname"&gt;');
  });
});

describe('what people write', () => {
  const nasty = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    anyText(),
    fc
      .tuple(fc.string(), fc.constantFrom('\r\n', '\n', '\r', '\u0085', '\u2028', '\r\n\r\n', '\0', '\t\r\n '))
      .map(([text, line]) => `${text}${line}Bcc: spy@evil.example${line}X-Spy: 1`),
  );

  it('never makes another header, another recipient or another part', async () => {
    const plain = await read();
    await fc.assert(
      fc.asyncProperty(nasty, nasty, nasty, nasty, async (subject, fromName, toName, fileName) => {
        const message = await read({
          subject: `x${subject}`,
          from: { name: fromName, email: 'office@brightwater.example' },
          recipients: { ...email().recipients, to: [{ name: toName, email: 'mira@northgate.example' }] },
          attachments: [{ fileName: `f${fileName}`, mediaType: 'application/pdf', bytes: pdf }],
        });
        expect(headerNames(message)).toEqual(headerNames(plain));
        expect(message.from?.address).toBe('office@brightwater.example');
        expect(message.to?.map(({ address }) => address)).toEqual(['mira@northgate.example']);
        expect(message.bcc?.map(({ address }) => address)).toEqual(['archive@brightwater.example']);
        expect(message.attachments).toHaveLength(1);
        expect(message.text?.trim()).toBe(email().message);
      }),
      { numRuns: 150 },
    );
  });

  it('ends every line as mail does, whatever ended it where it was written', async () => {
    const lines = fc.array(
      fc.tuple(fc.string({ unit: 'grapheme' }), fc.constantFrom('\n', '\r', '\r\n', '\n\r', '\u2028')),
    );
    await fc.assert(
      fc.asyncProperty(lines, nasty, async (written, subject) => {
        const message = written.flat().join('');
        const attachments = [
          { fileName: 'a.pdf', mediaType: 'application/pdf', bytes: pdf },
          { fileName: 'a.xml', mediaType: 'application/xml', bytes: Buffer.from(message) },
        ];
        const raw = (await compose(email({ message, subject, attachments }))).toString('latin1');
        expect(raw).not.toMatch(/\r(?!\n)|(?<!\r)\n/);
        expect(Buffer.from(raw, 'latin1').every((byte) => byte < 128)).toBe(true);
        const read = await PostalMime.parse(raw);
        expect(Buffer.from(read.attachments[1]?.content as ArrayBuffer).toString()).toBe(
          Buffer.from(message).toString(),
        );
      }),
      { numRuns: 100 },
    );
  });

  it('keeps nobody waiting, however large what is attached is', async () => {
    const bytes = randomBytes(18_000_000);
    const attachments = [{ fileName: 'a.pdf', mediaType: 'application/pdf', bytes }];
    let mime: Buffer = Buffer.alloc(0);
    const before = slowness();
    let longest = Number.POSITIVE_INFINITY;
    // The shortest of three: a collection of garbage that is others' only ever adds to it.
    for (let time = 0; time < 3; time += 1) {
      const turn = await longestTurn(async () => {
        mime = await compose(email({ attachments }));
      });
      longest = Math.min(longest, turn);
    }
    expect(longest, `Others waited ${Math.round(longest)} ms.`).toBeLessThan(250 * Math.max(before, slowness()));
    const text = mime.toString('latin1');
    const from = text.indexOf('\r\n\r\n', text.indexOf('Content-Type: application/pdf')) + 4;
    expect(Buffer.from(text.slice(from, text.indexOf('\r\n--', from)), 'base64').equals(bytes)).toBe(true);
  });

  it('is never markup in the HTML part', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const html = textToHtml(text);
        expect(html.replaceAll(/<\/?p>|<br>/g, '')).not.toMatch(/[<>]/);
        expect(html.replaceAll(/&(amp|lt|gt);/g, '')).not.toContain('&');
      }),
    );
  });
});
