import { type KeyFile, KeyFileError, readKeyFile } from './key-file.ts';

/** What a worker answers to a key file's text. Nothing of it is ever logged. */
export type KeyFileAnswer = { readonly keyFile: KeyFile } | { readonly refused: string };

process.on('message', ({ text }: { readonly text: string }) => {
  void answer(text).then((answered) => process.send?.(answered));
});
// Whoever started us is gone.
process.on('disconnect', () => process.exit());

async function answer(text: string): Promise<KeyFileAnswer> {
  try {
    return { keyFile: await readKeyFile(text) };
  } catch (error) {
    if (error instanceof KeyFileError) return { refused: error.message };
    return { refused: 'This key file cannot be read. Make a new key for the service account and choose its file.' };
  }
}
