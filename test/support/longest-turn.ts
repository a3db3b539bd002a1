/** How often it is looked, in milliseconds: in each turn, the looking would itself keep a processor busy while others work. */
const lookEveryMs = 5;

/**
 * The longest piece of work that this thread does without letting anything else have its turn, in milliseconds of processor
 * time: how busy the machine is with other things changes nothing. What was done since the look before is counted with it,
 * which is at most {@link lookEveryMs} and another turn more.
 *
 * @param work what is watched, from begin to end
 */
export async function longestTurn(work: () => Promise<unknown>): Promise<number> {
  let longest = 0;
  let before = spent();
  let watching = true;
  const look = () => {
    const now = spent();
    longest = Math.max(longest, now - before);
    before = now;
    if (watching) setTimeout(look, lookEveryMs);
  };
  setTimeout(look, lookEveryMs);
  try {
    await work();
  } finally {
    watching = false;
  }
  look();
  return longest;
}

/**
 * How much slower this machine is now than the one on which 250 ms were promised: the processor time of a fixed piece of work, of
 * the kind that pages are made of, in units of what it took there. At least 1.
 */
export function slowness(): number {
  const begun = spent();
  for (let round = 0; round < 10; round += 1) {
    const parsed: { text: string }[] = JSON.parse(fixed);
    if (parsed.map(({ text }) => text.replaceAll(/[aeiou]/g, '-')).join('') === '') throw new Error('It was read.');
  }
  return Math.max(1, (spent() - begun) / fixedMs);
}

const fixed = JSON.stringify(
  Array.from({ length: 2_000 }, (_, index) => ({ index, text: `Line ${index} of a record` })),
);
const fixedMs = 20;

function spent(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}
