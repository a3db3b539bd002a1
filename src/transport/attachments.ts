import { endingOf } from '../platform/file-name.ts';

/**
 * How much an email's attachments may come to together. Gmail, and most mail systems of those who get it, take messages of
 * 25 MB; as an email is written (base64 in lines, RFC 2045) a file is 37 % longer, and the text needs room, too.
 */
export const mostAttachedBytes = 18 * 1024 * 1024;

/** The endings of files that Gmail refuses with the whole email (Google’s list: support.google.com/mail/answer/6590). */
const refused = new Set(
  (
    '.ade .adp .apk .appx .appxbundle .bat .cab .chm .cmd .com .cpl .diagcab .diagcfg .diagpkg .dll .dmg .ex .ex_ .exe ' +
    '.hta .img .ins .iso .isp .jar .jnlp .js .jse .lib .lnk .mde .mjs .msc .msi .msix .msixbundle .msp .mst .nsh .pif ' +
    '.ps1 .scr .sct .shb .sys .vb .vbe .vbs .vhd .vxd .wsc .wsf .wsh .xll'
  ).split(' '),
);

/**
 * Whether a file is refused by its name, with the whole email: it could be a program. Gmail's list is taken for every
 * provider: most of those who get the email refuse these files, too.
 */
export function isRefusedFile(fileName: string): boolean {
  return refused.has(endingOf(fileName));
}
