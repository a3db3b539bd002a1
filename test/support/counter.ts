/** Numbers things from 1 in each world of its own: files of tests share their modules, and each has its own Letterhead. */
export function counter(): (world: object) => number {
  const counts = new WeakMap<object, number>();
  return (world) => {
    const count = (counts.get(world) ?? 0) + 1;
    counts.set(world, count);
    return count;
  };
}
