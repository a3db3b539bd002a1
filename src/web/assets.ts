import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import express, { type Request, type Response, Router } from 'express';

const root = path.join(import.meta.dirname, '../..');

/** A folder that browsers may read from, under an address that changes when its files do. */
interface Bundle {
  readonly folder: string;
  readonly version: () => string;
  /** Only these; packages hold more than browsers need. */
  readonly files: RegExp;
}

const bundles: ReadonlyMap<string, Bundle> = new Map([
  ['letterhead', { folder: path.join(root, 'public'), version: publicVersion(), files: /\.(css|js|svg)$/ }],
  ['htmx', fromPackage('htmx.org', 'dist', /^\/htmx\.min\.js$/)],
  ['inter', fromPackage('@fontsource-variable/inter', '.', /^\/(wght\.css|files\/[\w-]+\.woff2)$/)],
  ['serif', fromPackage('@fontsource-variable/source-serif-4', '.', /^\/(wght\.css|files\/[\w-]+\.woff2)$/)],
]);

/**
 * The address of a file for browsers: `asset('letterhead/letterhead.css')`. It holds the version, so that browsers
 * may keep the file for a year and still see the next one at once.
 *
 * The layout takes it from `app.locals`.
 *
 * @param file the bundle (`letterhead` is `public/`, `htmx`, `inter`, `serif`) and the path within
 * @throws on an unknown bundle: a mistake in a view
 */
export function asset(file: string): string {
  const slash = file.indexOf('/');
  const name = file.slice(0, slash);
  const bundle = bundles.get(name);
  if (!bundle) throw new TypeError(`No such bundle of assets: ${file}`);
  return `/assets/${name}@${bundle.version()}${file.slice(slash)}`;
}

/** Serves `/assets/<bundle>@<version>/…`: our own stylesheet and scripts, htmx and the fonts. Mount it before sessions. */
export function assets(): Router {
  const router = Router();
  for (const [name, bundle] of bundles) {
    router.use(
      `/assets/${name}@:version`,
      (req: Request, _res: Response, next) => next(bundle.files.test(req.path) ? undefined : 'router'),
      (req: Request, res: Response, next) => {
        // A page made by another version, while two run side by side, must not get this one's file for a year.
        const current = req.params['version'] === bundle.version();
        res.set('Cache-Control', current ? 'public, max-age=31536000, immutable' : 'no-cache');
        next();
      },
      express.static(bundle.folder, { index: false, redirect: false, cacheControl: false, fallthrough: true }),
    );
  }
  return router;
}

function fromPackage(name: string, within: string, files: RegExp): Bundle {
  const folder = path.join(root, 'node_modules', name);
  const manifest: unknown = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
  const version =
    typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : '0';
  return { folder: path.join(folder, within), version: () => version, files };
}

/** While developing, a file that changes has a new address after this time, in milliseconds: pages name many files. */
const freshMs = 1_000;

/** The hash of everything in `public/`; while developing it is taken again and again, as the files change under us. */
function publicVersion(): () => string {
  const folder = path.join(root, 'public');
  const hash = () => {
    const sum = createHash('sha256');
    for (const file of readdirSync(folder).sort()) sum.update(file).update(readFileSync(path.join(folder, file)));
    return sum.digest('hex').slice(0, 12);
  };
  let known = hash();
  if (process.env['NODE_ENV'] === 'production') return () => known;
  let takenAt = performance.now();
  return () => {
    const now = performance.now();
    if (now - takenAt > freshMs) [known, takenAt] = [hash(), now];
    return known;
  };
}
