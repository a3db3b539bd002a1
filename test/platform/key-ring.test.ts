import { describe, expect, it } from 'vitest';
import { KeyRingError, newKey, parseKeyRing } from '../../src/platform/key-ring.ts';

const keyOne = newKey('k1');
const keyTwo = newKey('k2');
const place = 'grant/tenant/mailbox/refresh';
const secret = '1//0token-äöü-🔑';

function refusalOf(work: () => unknown): KeyRingError {
  try {
    work();
  } catch (error) {
    if (error instanceof KeyRingError) return error;
    throw error;
  }
  throw new Error('It went well');
}

describe('a sealed value', () => {
  const ring = parseKeyRing(keyOne);

  it.each([secret, '', 'x'.repeat(5_000)])('opens to what was sealed', (plain) => {
    expect(ring.open(ring.seal(plain, place), place)).toBe(plain);
  });

  it('shows nothing of what is in it, and is never the same twice', () => {
    const [one, other] = [ring.seal(secret, place), ring.seal(secret, place)];
    expect(one.equals(other)).toBe(false);
    expect(one.includes('token')).toBe(false);
  });

  it.each(['grant/tenant/mailbox/access', 'grant/tenant/other/refresh', 'grant/other/mailbox/refresh', ''])(
    'does not open in another place (%s)',
    (other) => {
      expect(refusalOf(() => ring.open(ring.seal(secret, place), other)).message).toContain('“k1”');
    },
  );

  it('does not open with another key of the same id', () => {
    const sealed = parseKeyRing(newKey('k1')).seal(secret, place);
    expect(refusalOf(() => ring.open(sealed, place)).message).toMatch(/“k1” does not open/);
  });

  it('says which key is missing, and no key', () => {
    const { message } = refusalOf(() => parseKeyRing(keyTwo).open(ring.seal(secret, place), place));
    expect(message).toContain('“k1”');
    for (const key of [keyOne, keyTwo]) expect(message).not.toContain(key.slice(3));
  });

  it('does not open when any bit of any byte was changed, or any was cut off', () => {
    const sealed = parseKeyRing(`${keyOne},${keyTwo}`).seal(secret, place);
    const rings = parseKeyRing(`${keyOne},${keyTwo}`);
    for (let at = 0; at < sealed.length; at += 1) {
      for (const bit of [1, 2, 4, 8, 16, 32, 64, 128]) {
        const altered = Buffer.from(sealed);
        altered.writeUInt8(altered.readUInt8(at) ^ bit, at);
        expect(() => rings.open(altered, place), `byte ${at}, bit ${bit}`).toThrow(KeyRingError);
      }
      expect(() => rings.open(sealed.subarray(0, at), place), `first ${at} bytes`).toThrow(KeyRingError);
    }
    expect(() => rings.open(Buffer.concat([sealed, Buffer.from([0])]), place)).toThrow(KeyRingError);
  });
});

describe('changing keys', () => {
  it('keeps what the old key sealed readable, and seals with the new one', () => {
    const old = parseKeyRing(keyOne).seal(secret, place);
    const both = parseKeyRing(`${keyTwo}, ${keyOne}`);
    expect(both.currentId).toBe('k2');
    expect(both.open(old, place)).toBe(secret);
    const renewed = both.seal(secret, place);
    expect(parseKeyRing(keyTwo).open(renewed, place)).toBe(secret);
    expect(refusalOf(() => parseKeyRing(keyOne).open(renewed, place)).message).toContain('“k2”');
  });
});

describe('a key ring that cannot be read', () => {
  const bytes = (count: number) => Buffer.alloc(count, 7).toString('base64');
  it.each([
    ['', /id:key/],
    [bytes(32), /id:key/],
    [`k1:${bytes(31)}`, /“k1” is 31 bytes/],
    [`k1:${bytes(33)}`, /“k1” is 33 bytes/],
    [`k1:${bytes(32)},k1:${bytes(32)}`, /“k1” stands twice/],
    [`k1:${bytes(32)},`, /id:key/],
    [`k 1:${bytes(32)}`, /id:key/],
    [`k1:${bytes(32)}:more`, /id:key/],
  ])('names what is wrong with %s', (text, words) => {
    const { message } = refusalOf(() => parseKeyRing(text));
    expect(message).toMatch(words);
    expect(message).not.toContain(bytes(32).slice(0, 20));
  });
});
