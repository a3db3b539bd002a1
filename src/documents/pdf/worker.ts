import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parentPort } from 'node:worker_threads';
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

// One thread's loop: the template is compiled from our own file, the record comes in as data.
const template = readFileSync(fileURLToPath(new URL('template.typ', import.meta.url)), 'utf8');
const compiler = NodeCompiler.create({
  workspace: fileURLToPath(new URL('.', import.meta.url)),
  fontArgs: [{ fontBlobs: readFonts() }],
});
const port = parentPort;

port?.on('message', (request: RenderRequest) => {
  const answer = render(request);
  if ('pdf' in answer) port.postMessage(answer, [answer.pdf.buffer as ArrayBuffer]);
  else port.postMessage(answer);
});

function render(request: RenderRequest): RenderAnswer {
  try {
    const compiled = compiler.compile({ mainFileContent: template, inputs: { document: request.document } });
    const document = compiled.result;
    if (!document) return { failure: JSON.stringify(compiled.takeError()?.shortDiagnostics ?? 'no diagnostics') };
    // A copy of its own: the buffer belongs to the compiler, and is handed over to another thread.
    const pdf = Uint8Array.from(compiler.pdf(document, { creationTimestamp: request.createdAt }));
    return { pdf };
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) };
  } finally {
    // What was remembered of this record is of no use for the next; the fonts stay.
    compiler.evictCache(2);
  }
}
