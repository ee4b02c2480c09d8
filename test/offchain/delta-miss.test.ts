import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { missRate, mostMisses, POPULATIONS } from '../../scripts/bench/miss.ts';

// `npm run test:long` repeats oftener, and on 4,000 rows too.
const ROWS = 300;
const REPETITIONS = 400;

describe('lower bounds are above the true gain no oftener than alpha, or than is known', () => {
  for (const population of POPULATIONS) {
    it(`${population.metric}: ${population.name}`, () => {
      const rate = missRate(population, ROWS, REPETITIONS);
      assert(rate <= mostMisses(population, ROWS, REPETITIONS), String(rate));
    });
  }
});
