/**
 * How many digits each currency has after the point, by ISO 4217's list one (published by SIX for ISO; read on 1 February
 * 2026, with XAD and XCG, and without the codes that stand for no money: metals, test codes, units of account).
 *
 * Not from Intl: that tells how amounts are usually shown (no fillér, no paisa), not what amounts there are.
 */
const byDigits: Readonly<Record<number, string>> = {
  0: 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF',
  2: `AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY COP
    COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR
    JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN
    NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL
    THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG`,
  3: 'BHD IQD JOD KWD LYD OMR TND',
  4: 'CLF UYW',
};

/** Withdrawn not long ago or without digits of their own, and still on records that are shown: two digits each. */
const others = 'ANG BGN CUC HRK SLL XDR XSU ZWL';

const digitsOf = new Map(
  Object.entries({ ...byDigits, 2: `${byDigits[2]} ${others}` }).flatMap(([digits, codes]) =>
    codes.split(/\s+/).map((code) => [code, Number(digits)] as const),
  ),
);

/** Whether this is the code of a currency: `EUR`. */
export function isCurrency(code: string): boolean {
  return digitsOf.has(code);
}

/** How many digits a currency has after the point: JPY 0, EUR and HUF 2, KWD 3. */
export function minorDigits(currency: string): number {
  return digitsOf.get(currency) ?? 2;
}

/** Every currency, in the order of the alphabet. */
export const currencyCodes: readonly string[] = [...digitsOf.keys()].sort();
