import { describe, expect, it } from 'vitest';
import { whoseIs } from '../../src/documents/whose-file.ts';

const own = { name: 'Brightwater Joinery Ltd.', taxId: 'IE 1234567 FA', email: 'office@brightwater.example' };
const party = (over: Partial<Parameters<typeof whoseIs>[0]>) => ({ names: [], taxIds: [], endpoints: [], ...over });

describe('whose a file is', () => {
  it.each([
    ['the same tax number', { names: ['Another Name'], taxIds: ['IE1234567FA'] }, 'ours'],
    ['the same number without its country', { taxIds: ['1234567FA'] }, 'ours'],
    ['another tax number under our name', { names: ['Brightwater Joinery'], taxIds: ['IE7654321AB'] }, 'theirs'],
    ['the same number of another country', { names: ['Brightwater Joinery'], taxIds: ['DE1234567FA'] }, 'theirs'],
    ['our email as its electronic address', { names: ['BJ'], endpoints: ['EM:Office@Brightwater.example'] }, 'ours'],
    ['our tax number as its electronic address', { names: ['BJ'], endpoints: ['9935:IE1234567FA'] }, 'ours'],
    ['another electronic address and our name', { names: ['Brightwater'], endpoints: ['0088:123'] }, 'theirs'],
    ['our name in capitals', { names: ['BRIGHTWATER JOINERY LIMITED'] }, 'ours'],
    ['our name as its trading name', { names: ['BJ Holding plc', 'Brightwater Joinery'] }, 'ours'],
    ['a name that begins like ours', { names: ['Brightwater Joinery West'] }, 'theirs'],
    ['nothing', {}, 'unsaid'],
  ])('is told by %s', (_what, over, whose) => {
    expect(whoseIs(party(over), own)).toBe(whose);
  });

  it('is told by the name where the company has no tax number of its own', () => {
    const without = { ...own, taxId: null };
    expect(whoseIs(party({ names: ['Brightwater Joinery'], taxIds: ['IE7654321AB'] }), without)).toBe('ours');
    expect(whoseIs(party({ names: ['Hartmann KG'], taxIds: ['IE7654321AB'] }), without)).toBe('theirs');
  });
});
