import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { DocumentError } from '../documents/errors.ts';
import { formatMoney } from '../documents/format.ts';
import { importDocument } from '../documents/import-document.ts';
import { ImportError } from '../documents/ubl/import-error.ts';
import type { Config } from '../platform/config.ts';
import { openDatabase } from '../platform/database.ts';
import { migrate } from '../platform/migrate.ts';
import { StartError } from '../platform/start-error.ts';
import { inTenant } from '../tenants/scope.ts';
import { listTenants } from '../tenants/system.ts';
import { chooseCompany } from './choose-company.ts';
import { dataFolder, useLocalDatabase } from './local-database.ts';

/**
 * `npm run import -- FILE…`: imports UBL files as records of a company, each file whole or not at all.
 * Works beside a running Letterhead, and without one. Exits with 1 when a file was refused.
 *
 * @param args files, and `--company NAME` where there are several
 */
export async function runImport(config: Config, args: string[]): Promise<void> {
  const { values, positionals: files } = readArguments(args);
  if (files.length === 0) throw new StartError('Name the files to import: npm run import -- invoice.xml order.xml');
  const local = config.database ? null : await useLocalDatabase(dataFolder(config));
  const urls = config.database ?? local?.urls;
  if (!urls) throw new StartError('There is no database to import into.');
  if (local?.started) await migrate(urls);
  const app = openDatabase(urls.app, 2, () => {});
  const system = openDatabase(urls.system, 1, () => {});
  try {
    const company = chooseCompany(await listTenants(system.db), values.company);
    let refused = 0;
    for (const file of files) {
      try {
        const bytes = await readFile(file);
        const record = await inTenant(app.db, company.id, (trx) =>
          importDocument(trx, company.id, null, bytes, path.basename(file)),
        );
        console.log(
          `  ${file}: ${record.number}, ${record.partyName}, ${formatMoney(record.payable, record.currency, 'en')}`,
        );
      } catch (error) {
        refused += 1;
        console.error(`  ${file}: not imported. ${wordsFor(error)}`);
      }
    }
    console.log(`${files.length - refused} of ${files.length} imported into ${company.name}.`);
    if (refused > 0) process.exitCode = 1;
  } finally {
    await app.close();
    await system.close();
    await local?.stop();
  }
}

function readArguments(args: string[]) {
  try {
    return parseArgs({ args, allowPositionals: true, options: { company: { type: 'string' } } });
  } catch (cause) {
    throw new StartError(
      'Only --company NAME and files are understood: npm run import -- --company "Brightwater Joinery" invoice.xml',
      { cause },
    );
  }
}

/** A file's own trouble in words; anything else is ours and ends the command. */
function wordsFor(error: unknown): string {
  if (error instanceof ImportError || error instanceof DocumentError) return error.message;
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 'There is no such file.';
  if (error instanceof Error && 'code' in error && error.code === 'EISDIR')
    return 'It is a folder; name the files in it.';
  if (error instanceof Error && 'code' in error && error.code === 'EACCES') return 'It may not be read by this user.';
  throw error;
}
