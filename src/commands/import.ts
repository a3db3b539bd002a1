import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { formatMoney, wordsOf } from '../documents/format.ts';
import { type ImportOutcome, importFile, questionWords } from '../documents/import-document.ts';
import { createUblReader } from '../documents/ubl/reader.ts';
import type { Config } from '../platform/config.ts';
import { openDatabase } from '../platform/database.ts';
import { migrate } from '../platform/migrate.ts';
import { StartError } from '../platform/start-error.ts';
import { listTenants } from '../tenants/system.ts';
import { chooseCompany } from './choose-company.ts';
import { dataFolder, useLocalDatabase } from './local-database.ts';

/**
 * `npm run import -- FILE…`: imports UBL files as records of a company, each file whole or not at all.
 * Works beside a running Letterhead, and without one. Exits with 1 when a file was refused.
 *
 * @param args files, `--company NAME` where there are several, and `--anyway` to import what would be asked about (a file
 *   that another company issued, a number that is here already)
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
  const ubl = createUblReader();
  const anyway = values.anyway ?? false;
  try {
    const company = chooseCompany(await listTenants(system.db), values.company);
    let refused = 0;
    for (const file of files) {
      const outcome = await readFile(file)
        .then((bytes) => ({ bytes, name: path.basename(file) }))
        .then((each) => importFile({ db: app.db, ubl }, company.id, null, each, { anyway, at: new Date() }))
        .catch((error: unknown) => ({ result: 'refused' as const, message: wordsFor(error) }));
      if (outcome.result === 'imported') {
        const { number, partyName, payable, currency } = outcome.record;
        const title = wordsOf(outcome.record.content).lower;
        console.log(`  ${file}: ${title} ${number}, ${partyName}, ${formatMoney(payable, currency, 'en')}`);
      } else {
        refused += 1;
        console.error(`  ${file}: not imported. ${refusal(outcome)}`);
      }
    }
    console.log(`${files.length - refused} of ${files.length} imported into ${company.name}.`);
    if (refused > 0) process.exitCode = 1;
  } finally {
    await ubl.close();
    await app.close();
    await system.close();
    await local?.stop();
  }
}

function readArguments(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: { company: { type: 'string' }, anyway: { type: 'boolean' } },
    });
  } catch (cause) {
    throw new StartError(
      'Only --company NAME, --anyway and files are understood: npm run import -- --company "Brightwater Joinery" invoice.xml',
      { cause },
    );
  }
}

function refusal(outcome: Exclude<ImportOutcome, { result: 'imported' }>): string {
  if (outcome.result !== 'asks') return outcome.message;
  return `${outcome.questions.map(questionWords).join(' ')} To import it all the same, add --anyway.`;
}

/** A file's own trouble in words; anything else is ours and ends the command. */
function wordsFor(error: unknown): string {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 'There is no such file.';
  if (error instanceof Error && 'code' in error && error.code === 'EISDIR')
    return 'It is a folder; name the files in it.';
  if (error instanceof Error && 'code' in error && error.code === 'EACCES') return 'It may not be read by this user.';
  throw error;
}
