/**
 * What nobody can see: control characters, marks that turn the direction of text, zero-width and filler characters.
 * Variation selectors are part of the sign before them and stay.
 */
const unseen =
  /[\p{Cs}\p{Cc}[\p{Default_Ignorable_Code_Point}--[\u200C\u200D\u180B-\u180D\u180F\uFE00-\uFE0F\u{E0100}-\u{E01EF}]]]/gv;

/** Joiners belong to emoji and to the scripts that join letters; behind anything else they only hide in a word. */
const strayJoiner =
  /(?<![\p{Extended_Pictographic}\p{Emoji_Modifier}\uFE0F\p{sc=Arab}\p{sc=Syrc}\p{sc=Nkoo}\p{sc=Mong}\p{sc=Deva}\p{sc=Beng}\p{sc=Guru}\p{sc=Gujr}\p{sc=Orya}\p{sc=Taml}\p{sc=Telu}\p{sc=Knda}\p{sc=Mlym}\p{sc=Sinh}\p{sc=Khmr}\p{sc=Mymr}\p{sc=Tibt}])[\u200C\u200D]+/gv;

/** A text for one line, such as a name or a subject: nothing in it that nobody can see, blanks as single ones. */
export function oneLine(text: string): string {
  return withoutUnseen(text.replaceAll(/[\s\u0085]+/g, ' '))
    .replaceAll(/ {2,}/g, ' ')
    .trim();
}

/** The same for a text of several lines: the lines stay, whichever way they end. */
export function manyLines(text: string): string {
  return text
    .split(/\r\n|[\n\r\u2028\u2029]/)
    .map(oneLine)
    .join('\n')
    .trim();
}

/**
 * The same for a header of an email. A `=?` is taken apart, or mail programs would decode what follows (RFC 2047) into
 * something that nobody wrote.
 */
export function headerLine(text: string): string {
  return oneLine(text).replaceAll('=?', '= ?');
}

/** A text without what nobody can see; line breaks and tabs are such characters, too. */
function withoutUnseen(text: string): string {
  return text.replaceAll(unseen, '').replaceAll(strayJoiner, '');
}
