import { basename } from 'node:path';

/** Contracts that are mutated together: what a mutant of theirs is compiled to, and the tests that could notice it. */
export interface Target {
  readonly sources: readonly string[];
  /** What the tests deploy of them: file and name. */
  readonly contracts: readonly (readonly [file: string, name: string])[];
  readonly settings: object;
  /** For a mutant in this function of this file, the likely killers first. */
  readonly tests: (file: string, scope: string) => readonly string[];
}

/** What the optimizer and the newer pipeline do changes no behaviour, and takes four fifths of the time. */
const FAST = { optimizer: { enabled: false } };
/**
 * The stacks of Rounds and of `verifyAll` are too deep for the older pipeline. Of the newer one's optimizer this leaves out
 * all but what finds places on the stack, and takes a third of the time; without any it takes longer, as the code is
 * larger. Even so it is larger than a contract may be, which the trial's chain allows.
 */
const FAST_VIA_IR = {
  viaIR: true,
  optimizer: { enabled: true, runs: 1, details: { yul: true, yulDetails: { optimizerSteps: 'u:' } } },
};

const inContracts = (name: string) => `contracts/${name}.sol`;
const inTests = (name: string) => `test/contracts/${name}.test.ts`;

const ROUND_TESTS = 'settle queue votes states draw open commit reject escrow pause overlap doubleVotes definitions';
/** Which of them are about a file before all. */
const ABOUT: Record<string, string> = {
  Rounds: 'settle',
  RoundClock: 'pause',
  RoundEscrow: 'escrow',
  RoundFrauds: 'overlap doubleVotes',
  RoundQueue: 'queue commit',
  RoundRecords: 'definitions states',
  RoundVotes: 'votes definitions doubleVotes',
};

function roundTests(file: string, scope: string): string[] {
  const all = ROUND_TESTS.split(' ');
  const called = all.filter((name) => scope.toLowerCase().includes(name));
  const inOrder = new Set([...called, ...ABOUT[basename(file, '.sol')]!.split(' '), ...all]);
  return [...[...inOrder].map((name) => `Rounds.${name}`), 'Rounds', 'AttestationResolver'].map(inTests);
}

export const TARGETS: readonly Target[] = [
  {
    sources: ['', 'Accuracy', 'Auroc', 'Counts', 'Ratios', 'Skill'].map((part) => inContracts(`DeltaOne${part}`)),
    contracts: [
      [inContracts('DeltaOne'), 'DeltaOne'],
      ['test/contracts/DeltaOneHarness.sol', 'DeltaOneHarness'],
    ],
    settings: FAST,
    tests: () => [inTests('DeltaOne')],
  },
  {
    sources: [inContracts('Groth16')],
    contracts: [[inContracts('CircuitRegistry'), 'CircuitRegistry']],
    settings: FAST_VIA_IR,
    tests: () => [inTests('CircuitRegistry')],
  },
  {
    sources: [inContracts('InferenceRegistry')],
    contracts: [[inContracts('InferenceRegistry'), 'InferenceRegistry']],
    settings: FAST_VIA_IR,
    tests: () => [inTests('InferenceRegistry')],
  },
  {
    sources: [inContracts('Rewards')],
    contracts: [[inContracts('Rewards'), 'Rewards']],
    settings: FAST,
    tests: () => ['Rewards', 'Rewards.attacks', 'Rounds.queue', 'Rounds'].map(inTests),
  },
  {
    sources: Object.keys(ABOUT).map(inContracts),
    contracts: [[inContracts('Rounds'), 'Rounds']],
    settings: FAST_VIA_IR,
    tests: roundTests,
  },
];
