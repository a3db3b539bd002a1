import type { StorageEngine } from 'multer';

/**
 * Keeps uploaded files in memory, each up to a number of bytes. Multer's own limit would end the whole upload at the
 * first large file without saying which one; here that file alone comes out empty and marked.
 */
export function boundedMemory(mostBytes: number): StorageEngine {
  return {
    _handleFile(_req, file, done) {
      const parts: Buffer[] = [];
      let size = 0;
      file.stream.on('data', (part: Buffer) => {
        size += part.length;
        if (size <= mostBytes) parts.push(part);
        else parts.length = 0;
      });
      file.stream.on('error', (error: Error) => done(error));
      file.stream.on('end', () => done(null, { buffer: Buffer.concat(parts), size }));
    },
    _removeFile(_req, _file, done) {
      done(null);
    },
  };
}

/** Whether a file was larger than {@link boundedMemory} keeps. */
export function isTooLarge(file: { readonly buffer: Buffer; readonly size: number }): boolean {
  return file.size > file.buffer.length;
}
