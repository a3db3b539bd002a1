import { fileURLToPath } from 'node:url';
import { NodeCompiler } from '@myriaddreamin/typst-ts-node-compiler';
import { readFonts } from './fonts.ts';

/** What a worker is asked: the record as JSON text, and the moment it claims to be made. */
export interface RenderRequest {
  /** A `PrintedDocument` as JSON. */
  readonly document: string;
  /** In seconds since 1970. */
  readonly createdAt: number;
}

/** What a worker answers. */
export type RenderAnswer = { readonly pdf: Uint8Array } | { readonly failure: string };

// One process's loop: the template is compiled from our own file, the record comes in as data.
const templatePath = fileURLToPath(new URL('template.typ', import.meta.url));
const compiler = NodeCompiler.create({
  workspace: fileURLToPath(new URL('.', import.meta.url)),
  fontArgs: [{ fontBlobs: readFonts() }],
});

process.on('message', (request: RenderRequest) => {
  process.send?.(render(request));
});
// Whoever started us is gone.
process.on('disconnect', () => process.exit());

function render(request: RenderRequest): RenderAnswer {
  try {
    const compiled = compiler.compile({ mainFilePath: templatePath, inputs: { document: request.document } });
    const document = compiled.result;
    if (!document) return { failure: JSON.stringify(compiled.takeError()?.shortDiagnostics ?? 'no diagnostics') };
    return { pdf: compiler.pdf(document, { creationTimestamp: request.createdAt }) };
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) };
  } finally {
    // What was remembered of this record is of no use for the next.
    compiler.evictCache(0);
  }
}
