import { describe, expect, it } from 'vitest';
import { addressKey, isVouchedFor } from '../../src/tenants/address-key.ts';

describe('the same mailbox', () => {
  it.each([
    ['johnsmith@gmail.com', 'jo.hn.smith@gmail.com'],
    ['johnsmith@gmail.com', 'JohnSmith@GMAIL.com'],
    ['johnsmith@gmail.com', 'johnsmith+letterhead@gmail.com'],
    ['petra@gmail.com', 'petra@googlemail.com'],
    ['petra@gmail.com', 'Pe.Tra+a+b@GoogleMail.com'],
    ['petra@müller.example', 'Petra@xn--mller-kva.example'],
    ['petra@firm.example', ' PETRA@Firm.Example '],
  ])('is behind %s and %s', (one, other) => {
    expect(addressKey(one)).toBe(addressKey(other));
  });

  it.each([
    ['petra.k@firm.example', 'petrak@firm.example'],
    ['petra@firm.example', 'petra+a@firm.example'],
    ['petra@gmail.com', 'petra@gmail.com.example'],
    ['petra@gmail.com', 'petra@mail.gmail.com'],
    ['petra@gmail.com', 'petr@gmail.com'],
    ['+a@gmail.com', '+b@gmail.com'],
    ['a@b@gmail.com', 'a@gmail.com'],
  ])('is not behind %s and %s', (one, other) => {
    expect(addressKey(one)).not.toBe(addressKey(other));
  });
});

describe('Google vouches', () => {
  it.each([
    ['for Gmail', 'jo.hn@gmail.com', null, true],
    ['for Gmail by its other name', 'petra@googlemail.com', null, true],
    ['for a Workspace of that domain', 'petra@firm.example', 'firm.example', true],
    ['for it in other letters', 'petra@müller.example', 'Müller.example', true],
    ['not for an address of no Workspace', 'petra@firm.example', null, false],
    ['not for one of another domain', 'petra@firm.example', 'evil.example', false],
    ['not for one of a domain below', 'petra@firm.example', 'mail.firm.example', false],
    ['not for one of a domain above', 'petra@mail.firm.example', 'firm.example', false],
    ['not for what only looks like Gmail', 'petra@gmail.com.example', null, false],
  ] as const)('%s: %s, %s', (_what, email, hd, expected) => {
    expect(isVouchedFor({ email, hd })).toBe(expected);
  });
});
