import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * The files that take longest on two quiet cores, longest first, so that none of them begins last and is waited for alone.
 * As the closing list of a run says; where Vitest remembers its last run on this machine, the others go by that.
 */
const slowest: readonly string[] = [];

/** Begins with the slowest files. */
export class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => {
      const known = slowest.findIndex((file) => moduleId.endsWith(`/test/${file}`));
      return known === -1 ? slowest.length : known;
    };
    return (await super.sort(files)).toSorted((a, b) => place(a) - place(b));
  }
}
