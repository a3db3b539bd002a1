import { SaxesParser } from 'saxes';
import { ImportError } from './import-error.ts';

/** The largest file that is read. */
const maxBytes = 5_000_000;
const maxDepth = 40;
const maxElements = 100_000;
const maxAttributes = 50;
const maxNamespaces = 500;

/** Read as `cac:` and `cbc:` whatever prefix the file uses; the same document may call them `a` and `b`. */
const prefixes = new Map([
  ['urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2', 'cac:'],
  ['urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2', 'cbc:'],
  ['urn:oasis:names:specification:ubl:schema:xsd:CommonExtensionComponents-2', 'ext:'],
]);
const schemaInstance = 'http://www.w3.org/2001/XMLSchema-instance';
const namespaceDeclaration = 'http://www.w3.org/2000/xmlns/';

/** One element of the file, with what was said of it and whether anybody has read it. */
export class XmlElement {
  /** `cbc:ID`; without a prefix for a namespace that UBL does not use. */
  readonly name: string;
  readonly namespace: string;
  readonly line: number;
  /** Namespace declarations and `xsi:` hints left out: they speak to parsers. */
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: XmlElement[] = [];
  text = '';
  /** Whether the text has a place in the record. What nobody has taken becomes an extra. */
  taken = false;
  readonly takenAttributes = new Set<string>();

  constructor(name: string, namespace: string, line: number, attributes: ReadonlyMap<string, string>) {
    this.name = name;
    this.namespace = namespace;
    this.line = line;
    this.attributes = attributes;
  }

  /** The elements at a path of names, `cac:Party/cac:PartyName/cbc:Name`. */
  all(path: string): XmlElement[] {
    let found: XmlElement[] = [this];
    for (const name of path.split('/'))
      found = found.flatMap((element) => element.children.filter((c) => c.name === name));
    return found;
  }

  /** The first element at a path. */
  first(path: string): XmlElement | undefined {
    return this.all(path)[0];
  }
}

/**
 * Reads an XML file into elements. Nothing outside the file is ever looked at, no entity is expanded but XML's own
 * five, and a DOCTYPE is refused, which is where entity bombs and external entities live.
 *
 * Throws {@link ImportError}: `empty`, `too_large`, `not_text`, `not_xml`, `doctype`, `too_complex`.
 */
export function parseXml(bytes: Uint8Array): XmlElement {
  if (bytes.length === 0) throw new ImportError('empty', 'The file is empty. Export it again and choose the new file.');
  if (bytes.length > maxBytes) {
    throw new ImportError(
      'too_large',
      `The file is ${inMegabytes(bytes.length)}; at most ${inMegabytes(maxBytes)} can be imported. Leave out embedded attachments and export it again.`,
    );
  }
  const source = decode(bytes);
  const parser = new SaxesParser({ xmlns: true, position: true });
  const open: XmlElement[] = [];
  let root: XmlElement | undefined;
  let elements = 0;

  parser.on('error', (error) => {
    // saxes says "3:14: unclosed tag"; the line is told once, by us.
    const reason = error.message.replace(/^(undefined:)?\d+:\d+: /, '').replace(/\.$/, '');
    throw new ImportError(
      'not_xml',
      `This is not well-formed XML (${reason}). Export the file again, or ask whoever made it for a correct one.`,
      { line: parser.line, cause: error },
    );
  });
  parser.on('doctype', () => {
    throw new ImportError(
      'doctype',
      'The file has a DOCTYPE, which a UBL document must not have and which can be used to attack the reader. Ask whoever made it for a file without one.',
      { line: parser.line },
    );
  });
  let attributesOfTag = 0;
  let namespaces = 0;
  // Counted one by one as they are read: a tag with a million of them must not be read to its end.
  parser.on('attribute', ({ name }) => {
    if (/^xmlns(:|$)/.test(name)) namespaces += 1;
    else attributesOfTag += 1;
    if (attributesOfTag > maxAttributes || namespaces > maxNamespaces) {
      throw new ImportError(
        'too_complex',
        `The file has ${namespaces > maxNamespaces ? `more than ${maxNamespaces} namespaces` : `an element with more than ${maxAttributes} attributes`}. Ask whoever made it for a simpler one.`,
        { line: parser.line },
      );
    }
  });
  parser.on('opentag', (tag) => {
    attributesOfTag = 0;
    elements += 1;
    if (open.length >= maxDepth || elements > maxElements) {
      throw new ImportError(
        'too_complex',
        `The file has more than ${open.length >= maxDepth ? `${maxDepth} levels` : `${maxElements} elements`}. Split it, and import the parts.`,
        { line: parser.line },
      );
    }
    const attributes = Object.values(tag.attributes)
      .filter(
        ({ uri, prefix, local }) =>
          uri !== namespaceDeclaration && uri !== schemaInstance && prefix !== 'xmlns' && local !== 'xmlns',
      )
      .map(({ local, value }) => [local, value] as const);
    const element = new XmlElement(
      (prefixes.get(tag.uri) ?? '') + tag.local,
      tag.uri,
      parser.line,
      new Map(attributes),
    );
    const parent = open.at(-1);
    if (parent) parent.children.push(element);
    else root = element;
    open.push(element);
  });
  parser.on('closetag', () => {
    const element = open.pop();
    if (element) element.text = element.text.trim();
  });
  const addText = (text: string): void => {
    const element = open.at(-1);
    if (element) element.text += text;
  };
  parser.on('text', addText);
  parser.on('cdata', addText);
  parser.write(source).close();
  if (!root) throw new ImportError('not_xml', 'The file has no XML element. Choose a UBL file.');
  return root;
}

function decode(bytes: Uint8Array): string {
  const encoding = encodingOf(bytes);
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new ImportError(
      'not_text',
      `The file cannot be read as ${encoding} text. Choose the XML file itself (not a PDF or an archive), saved as UTF-8.`,
      { cause },
    );
  }
}

function encodingOf(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  const start = Buffer.from(bytes.subarray(0, 200)).toString('latin1');
  return /^(?:\xef\xbb\xbf)?<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']/.exec(start)?.[1] ?? 'utf-8';
}

function inMegabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
