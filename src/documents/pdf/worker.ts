import { fileURLToPath } from 'node:url';
import { NodeCompiler } from '@myriaddreamin/typst-ts-node-compiler';
import { readFonts } from './fonts.ts';
import type { PdfInput } from './input.ts';
import { printedDocument } from './printed.ts';

/** What a worker answers. */
export type RenderAnswer = { readonly pdf: Uint8Array } | { readonly failure: string };

// One process's loop: the template is compiled from our own file, the record comes in as data.
const templatePath = fileURLToPath(new URL('template.typ', import.meta.url));
const recordPath = fileURLToPath(new URL('record.json', import.meta.url));
const compiler = NodeCompiler.create({
  workspace: fileURLToPath(new URL('.', import.meta.url)),
  fontArgs: [{ fontBlobs: readFonts() }],
});

process.on('message', (input: PdfInput) => {
  process.send?.(render(input));
  // What Typst laid out is native memory behind a small object of JavaScript, of whose size V8 knows nothing: left to itself
  // it collects them too late. They are young when they are done with, so the quick collection finds them.
  globalThis.gc?.({ type: 'minor' });
});
// Whoever started us is gone.
process.on('disconnect', () => process.exit());

function render(input: PdfInput): RenderAnswer {
  try {
    // As a file rather than as an input: with other inputs Typst has another library, and remembers nothing.
    compiler.mapShadow(recordPath, Buffer.from(JSON.stringify(printedDocument(input))));
    const compiled = compiler.compile({ mainFilePath: templatePath });
    const document = compiled.result;
    if (!document) return { failure: JSON.stringify(compiled.takeError()?.shortDiagnostics ?? 'no diagnostics') };
    return { pdf: compiler.pdf(document, { creationTimestamp: startOf(input.content.issueDate) }) };
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) };
  } finally {
    // What the records before had in common with this one (a run has one head, one set of labels) is of use for the next.
    compiler.evictCache(2);
  }
}

/** The moment a PDF claims to be made, in seconds since 1970: the record's own day, so that its bytes never change. */
function startOf(date: string): number {
  return Date.parse(`${date}T00:00:00Z`) / 1_000;
}
