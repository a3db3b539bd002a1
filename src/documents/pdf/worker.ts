import { fileURLToPath } from 'node:url';
import { NodeCompiler } from '@myriaddreamin/typst-ts-node-compiler';
import { readFonts } from './fonts.ts';
import type { PdfInput } from './input.ts';
import { printedDocument } from './printed.ts';

/** What a worker answers. */
export type RenderAnswer = { readonly pdf: Uint8Array } | { readonly failure: string };

// One process's loop: the template is compiled from our own file, the record comes in as data.
const templatePath = fileURLToPath(new URL('template.typ', import.meta.url));
const compiler = NodeCompiler.create({
  workspace: fileURLToPath(new URL('.', import.meta.url)),
  fontArgs: [{ fontBlobs: readFonts() }],
});

// What Typst laid out is native memory behind a small object of JavaScript, of whose size V8 knows nothing: left to itself
// it collects them too late, and the process grows by 0.4 MB with each render. A line leaves about half of what a render does.
const rendersPerCollection = 50;
let uncollected = 0;

process.on('message', (input: PdfInput) => {
  process.send?.(render(input));
  uncollected += 1 + input.content.lines.length / 2;
  if (uncollected < rendersPerCollection) return;
  uncollected = 0;
  globalThis.gc?.();
});
// Whoever started us is gone.
process.on('disconnect', () => process.exit());

function render(input: PdfInput): RenderAnswer {
  try {
    const compiled = compiler.compile({
      mainFilePath: templatePath,
      inputs: { document: JSON.stringify(printedDocument(input)) },
    });
    const document = compiled.result;
    if (!document) return { failure: JSON.stringify(compiled.takeError()?.shortDiagnostics ?? 'no diagnostics') };
    return { pdf: compiler.pdf(document, { creationTimestamp: startOf(input.content.issueDate) }) };
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) };
  } finally {
    // What was remembered of this record is of no use for the next.
    compiler.evictCache(0);
  }
}

/** The moment a PDF claims to be made, in seconds since 1970: the record's own day, so that its bytes never change. */
function startOf(date: string): number {
  return Date.parse(`${date}T00:00:00Z`) / 1_000;
}
