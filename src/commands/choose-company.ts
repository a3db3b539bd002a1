import { StartError } from '../platform/start-error.ts';

/**
 * The company that a command is about: the one that is named, by name or id, else the only one there is.
 *
 * @throws {StartError} naming them all, where it is not clear
 */
export function chooseCompany(
  companies: readonly { readonly id: string; readonly name: string }[],
  wanted: string | undefined,
): { readonly id: string; readonly name: string } {
  const named = wanted === undefined ? companies : companies.filter(({ id, name }) => name === wanted || id === wanted);
  const [only, ...others] = named;
  if (only && others.length === 0) return only;
  if (companies.length === 0)
    throw new StartError('There is no company yet. Start Letterhead with npm start and sign in first.');
  const names = companies.map(({ id, name }) => `  ${name}   ${id}`).join('\n');
  throw new StartError(`Say which company it is about with --company and its name or id:\n\n${names}`);
}
