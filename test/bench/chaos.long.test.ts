import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { expect, it } from 'vitest';

const chaos = path.join(import.meta.dirname, '../../bench/chaos.ts');

it('every document leaves once while Google misbehaves and workers, PostgreSQL and everything are killed', async () => {
  const child = spawn(process.execPath, [chaos, '--quick'], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      output += String(chunk);
    });
  const [code] = await once(child, 'close');
  expect(code, output).toBe(0);
}, 600_000);
