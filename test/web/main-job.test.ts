import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { founder, type Visitor } from '../support/visitor.ts';

let letterhead: TestLetterhead;
let dana: Visitor;

beforeAll(async () => {
  letterhead = await startTestLetterhead();
  dana = await founder(letterhead);
});
afterAll(() => letterhead.close());

describe('connecting Gmail', () => {
  it('says connected, as whom and with which permissions', async () => {
    const page = await dana.connect('office@brightwater.example');
    expect(page.text).toContain('office@brightwater.example is connected.');
    expect(page.text).toContain('may send email and check which other addresses');
  });

  it('lets the person say no, and says so', async () => {
    const page = await dana.connect('office@brightwater.example', { refuse: true });
    expect(page.status).toBe(403);
    expect(page.text).toContain('you said no at Google');
  });
});
