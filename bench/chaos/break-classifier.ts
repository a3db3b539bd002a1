import { registerHooks } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * Loaded before a worker (`node --import`): puts a broken classifier in the place of the product's, so that the chaos run
 * can show that it would notice one. The product has no switch for that.
 */
const real = pathToFileURL(path.join(import.meta.dirname, '../../src/transport/gmail/classify.ts')).href;
const broken = pathToFileURL(path.join(import.meta.dirname, 'broken-outcome.ts')).href;

registerHooks({
  resolve(specifier, context, next) {
    const resolved = next(specifier, context);
    return resolved.url === real && context.parentURL !== broken ? { ...resolved, url: broken } : resolved;
  },
});
