import { fileURLToPath } from 'node:url';
import { NodeCompiler } from '@myriaddreamin/typst-ts-node-compiler';
import { readUsualFonts, usualFonts } from './fonts.ts';
import type { PdfInput } from './input.ts';
import type { Letters } from './letters.ts';
import type { Slice } from './noto.ts';
import { isPlain, setText } from './plain-text.ts';
import { printedDocument } from './printed.ts';

/** What a worker is asked: for a PDF, or for the letters that it could not print of each of several records. */
export type RenderQuestion = { readonly print: PdfInput } | { readonly missing: readonly PdfInput[] };

/** What a worker answers. */
export type RenderAnswer =
  | { readonly pdf: Uint8Array }
  | { readonly missing: readonly (readonly string[])[] }
  | { readonly failure: string };

// One process's loop: the template is compiled from our own file, the record comes in as data.
const templatePath = fileURLToPath(new URL('template.typ', import.meta.url));
const recordPath = fileURLToPath(new URL('record.json', import.meta.url));
const usual = createCompiler([]);
/** The one with more fonts that was used last. */
let unusual: { readonly key: string; readonly compiler: NodeCompiler } | undefined;

let previous: Promise<unknown> = Promise.resolve();
process.on('message', (question: RenderQuestion) => {
  // One after the other: the answers have no names.
  previous = previous.then(async () => {
    process.send?.(await answer(question));
    // What Typst laid out is native memory behind a small object of JavaScript, of whose size V8 knows nothing: left to
    // itself it collects them too late. They are young when they are done with, so the quick collection finds them.
    globalThis.gc?.({ type: 'minor' });
  });
});
// Whoever started us is gone.
process.on('disconnect', () => process.exit());

async function answer(question: RenderQuestion): Promise<RenderAnswer> {
  try {
    if ('print' in question) return await render(question.print);
    const missing: (readonly string[])[] = [];
    for (const input of question.missing) missing.push((await lettersIn(input)).missing);
    return { missing };
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) };
  }
}

async function render(input: PdfInput): Promise<RenderAnswer> {
  const printed = printedDocument(input);
  const { fonts, slices } = await lettersIn(input, printed);
  const compiler = await compilerWith(slices);
  try {
    // As a file rather than as an input: with other inputs Typst has another library, and remembers nothing.
    const set = JSON.stringify(printed, (_name, value) => (typeof value === 'string' ? setText(value) : value));
    const json = `{"fonts":${JSON.stringify(fonts)},${set.slice(1)}`;
    compiler.mapShadow(recordPath, Buffer.from(json));
    const compiled = compiler.compile({ mainFilePath: templatePath });
    const document = compiled.result;
    if (!document) return { failure: JSON.stringify(compiled.takeError()?.shortDiagnostics ?? 'no diagnostics') };
    return { pdf: compiler.pdf(document, { creationTimestamp: startOf(input.content.issueDate) }) };
  } finally {
    // What the records before had in common with this one (a run has one head, one set of labels) is of use for the next.
    compiler.evictCache(2);
  }
}

/** What looks through letters is itself loaded only for a paper that needs it. */
async function lettersIn(input: PdfInput, printed = printedDocument(input)): Promise<Letters> {
  if (isPlain(printed)) return plain;
  const { lettersOf } = await import('./letters.ts');
  return lettersOf(printed, [input.content.party.country, input.company.country]);
}

const plain: Letters = { fonts: usualFonts.map(({ name, except }) => ({ name, except })), slices: [], missing: [] };

async function compilerWith(slices: readonly Slice[]): Promise<NodeCompiler> {
  if (slices.length === 0) return usual;
  const key = slices.map(({ name }) => name).join();
  if (unusual?.key !== key) {
    const { instancesOf } = await import('./instance.ts');
    const fonts = await Promise.all(slices.map(instancesOf));
    unusual = { key, compiler: createCompiler(fonts.flat()) };
  }
  return unusual.compiler;
}

function createCompiler(more: readonly Buffer[]): NodeCompiler {
  return NodeCompiler.create({
    workspace: fileURLToPath(new URL('.', import.meta.url)),
    fontArgs: [{ fontBlobs: [...readUsualFonts(), ...more] }],
  });
}

/** The moment a PDF claims to be made, in seconds since 1970: the record's own day, so that its bytes never change. */
function startOf(date: string): number {
  return Date.parse(`${date}T00:00:00Z`) / 1_000;
}
