import { getDocumentProxy } from 'unpdf';
import { afterAll, describe, expect, it } from 'vitest';
import { formatMoney } from '../../../src/documents/format.ts';
import { readFont, usualFonts } from '../../../src/documents/pdf/fonts.ts';
import { codePointsOf } from '../../../src/documents/pdf/instance.ts';
import { lettersOf } from '../../../src/documents/pdf/letters.ts';
import { isPlain, setText } from '../../../src/documents/pdf/plain-text.ts';
import { createPdfRenderer } from '../../../src/documents/pdf/render.ts';
import { currencyCodes } from '../../../src/platform/currencies.ts';
import { invoice } from '../content.ts';

const renderer = createPdfRenderer({ workers: 1 });
afterAll(() => renderer.close());

const company = { name: 'Brightwater Joinery', country: 'IE' };
const input = (name: string, country = 'IE') => ({
  company,
  content: invoice({ party: { name, country }, lines: [{ name, quantity: '1', unitPrice: '10' }] }),
  locale: 'en-IE',
});
const missing = async (name: string, country?: string) => (await renderer.missingLetters([input(name, country)]))[0];

interface Glyph {
  /** The glyph's number in its font; 0 is the empty box. */
  readonly id: number;
  /** What a reader copies: a letter, or several that are drawn as one. */
  readonly text: string;
}

/** Every glyph that a PDF draws, in the order in which it draws them: from left to right within a line. */
async function glyphsOf(pdf: Uint8Array): Promise<Glyph[]> {
  const document = await getDocumentProxy(Uint8Array.from(pdf));
  const page = await document.getPage(1);
  const { fnArray, argsArray } = await page.getOperatorList();
  const shown = fnArray.flatMap((operation, at) => (operation === showText ? argsArray[at][0] : []));
  return shown.flatMap((glyph) =>
    typeof glyph === 'object' && glyph ? [{ id: glyph.originalCharCode, text: glyph.unicode }] : [],
  );
}
/** The number of this operation in pdf.js. */
const showText = 44;
const drawn = async (name: string, country?: string) => glyphsOf(await renderer.render(input(name, country)));

describe('the letters of a paper', () => {
  it.each([
    ['株式会社 青空 デスクチェア ﾊﾝｶｸ　全角「」', 'JP'],
    ['上海贸易有限公司，“深圳”（分公司）', 'CN'],
    ['臺灣貿易股份有限公司', 'TW'],
    ['서울상사 주식회사', 'KR'],
    ['ร้านค้า ผู้ซื้อสินค้า น้ำ', 'TH'],
    ['🧾 👍🏽 ☎️ 👨‍👩‍👧 ❤️ ❤️‍🔥 🇩🇪 1️⃣', 'IE'],
    ['क्षत्रिय किताब', 'IN'],
    ['شركة الأمل (فرع 12)', 'EG'],
    ['חברת שלום בע"מ (סניף 7)', 'IL'],
    ['বাংলা கொடு తెలుగు ಕನ್ನಡ മലയാളം සිංහල ગુજરાતી ਪੰਜਾਬੀ ଓଡ଼ିଆ', 'IN'],
    ['ខ្មែរ ລາວ ນໍ້າ မြန်မာ አማርኛ ދިވެހި བོད་ཡིག', 'IE'],
    ['Երևան ֏ თბილისი ᲗᲑᲘᲚᲘᲡᲘ ₾ ₴ → ① ★ ✓ ☐ ⅓ ≥', 'AM'],
    ['e\u0301 A\u030a n\u0303 \u025b\u0303\u0301 x\u0304 A\u0332', 'IE'],
  ])('are all there: %s', async (name, country) => {
    expect(await missing(name, country)).toEqual([]);
    const glyphs = await drawn(name, country);
    expect(glyphs.length).toBeGreaterThan(50);
    expect(glyphs.filter(({ id }) => id === 0)).toEqual([]);
  });

  it('are named where no font has them, and those are the empty boxes', async () => {
    expect(await missing('ᚠᚢ 𐎀 Oak ᚠ')).toEqual(['ᚠ', 'ᚢ', '𐎀']);
    expect((await drawn('ᚠᚢ')).filter(({ id }) => id === 0)).not.toEqual([]);
  });

  it('are named wherever they stand: in the letterhead, a unit, a note, the terms, an extra', async () => {
    const plain = input('Oak');
    const extra = { path: 'cac:ProjectReference/cbc:ID', label: 'Project', value: 'ᚦ' };
    const found = await renderer.missingLetters([
      plain,
      { ...plain, company: { ...company, street: 'ᚠ 1' } },
      { ...plain, content: invoice({ lines: [{ name: 'Oak', quantity: '1', unit: 'ᚢ', unitPrice: '1' }] }) },
      { ...plain, content: invoice({ notes: ['Now: 木 ᚱ'], paymentTerms: 'ᚲ', extras: [extra] }) },
    ]);
    expect(found).toEqual([[], ['ᚠ'], ['ᚢ'], ['ᚲ', 'ᚱ', 'ᚦ']]);
  });

  it('keep their accents where one font has the accent and not the letter', async () => {
    const text = (await drawn('\u025b\u0303\u0301 \u0254\u0301')).map((glyph) => glyph.text).join('');
    expect(text).toContain('\u025b');
    expect(text).toContain('\u0254');
  });

  it('are shaped: Devanagari draws fewer glyphs than it has characters', async () => {
    const glyphs = (await drawn('क्षि')).filter(({ text }) => /[\u0900-\u097f]/.test(text));
    // Twice on the paper: क, virama, ष and ि are a sign and a ligature each time.
    expect(glyphs.length).toBeLessThan(8);
  });

  it('run from right to left, with a number and a word of ours in their midst the right way round', async () => {
    const document = await getDocumentProxy(Uint8Array.from(await renderer.render(input('אבג 12 Oak (דה)'))));
    const { items } = await (await document.getPage(1)).getTextContent();
    const places = items.flatMap((item) => ('str' in item ? [{ text: item.str, x: item.transform[4] }] : []));
    const x = (part: string) => places.find(({ text }) => text.includes(part))?.x;
    expect([x('דה'), x('Oak'), x('12'), x('אבג')]).toEqual(
      [x('דה'), x('Oak'), x('12'), x('אבג')].sort((a, b) => a - b),
    );
    expect(x('דה')).toBeLessThan(x('אבג'));
  });

  it('leave what stands beside them alone', () => {
    expect(setText('Oak 12')).toBe('Oak 12');
    expect(setText('שלום (7)')).toBe('\u2067שלום (7)\u2069');
    expect(setText('Oak שלום')).toBe('\u2066Oak שלום\u2069');
    expect(setText('Oak \u202e12.00')).toBe('Oak 12.00');
  });

  it('are drawn as who writes them does', async () => {
    const first = async (text: string, country?: string) => (await lettersOf(text, [country])).slices[0]?.name;
    expect(await first('骨')).toMatch(/^Noto Sans SC /);
    expect(await first('骨', 'JP')).toMatch(/^Noto Sans JP /);
    expect(await first('骨', 'TW')).toMatch(/^Noto Sans TC /);
    expect(await first('骨', 'KR')).toMatch(/^Noto Sans KR /);
    expect(await first('骨のデスク', 'CN')).toMatch(/^Noto Sans JP /);
  });

  it('cost nothing where nobody needs them, and little where somebody does', async () => {
    const [latin, japanese] = [
      await renderer.render(input('Oak')),
      await renderer.render(input('株式会社 青空', 'JP')),
    ];
    expect(latin.length).toBeLessThan(40_000);
    expect(japanese.length).toBeLessThan(latin.length + 15_000);
  });
});

describe('text that needs no looking through', () => {
  it('is in the usual fonts, as it is', () => {
    const fonts = usualFonts.map(({ regular, bold }) => [regular, bold].map((file) => codePointsOf(readFont(file))));
    const plain = Array.from({ length: 0x3000 }, (_, code) => code).filter((code) =>
      isPlain(String.fromCharCode(code)),
    );
    const lacking = plain.filter((code) => code > 0x1f && !fonts.some((both) => both.every((has) => has.has(code))));
    expect(plain.length).toBeGreaterThan(500);
    expect(lacking.map((code) => code.toString(16))).toEqual([]);
  });

  it('asks no worker', async () => {
    const closed = createPdfRenderer({ workers: 1 });
    await closed.close();
    expect(await closed.missingLetters([input('Łódź Café Αθήνα Київ – “€ 5”')])).toEqual([[]]);
  });

  it('says nothing of the signs of currencies, which are added later: a font has each', async () => {
    const countries = ['IE', 'US', 'DE', 'IN', 'JP', 'KR', 'TH', 'IL', 'EG', 'GE', 'AM', 'UA', 'KZ', 'VN', 'NG'];
    const written = countries.flatMap((country) =>
      currencyCodes.map((currency) => formatMoney('1234.5', currency, `en-${country}`)),
    );
    expect((await lettersOf(written, [])).missing).toEqual([]);
  });
});
