/** `hokusai keys`: where proving keys come from, and what shows that nobody can forge proofs with them. */
import { readFile, stat } from 'node:fs/promises';
import { acting, SENDING, SENDING_HELP } from '../chain/act.ts';
import { registerKey } from '../chain/circuit.ts';
import { HokusaiError } from '../errors.ts';
import { CIRCUITS, type CircuitName, compiled, developmentKeyFile } from '../prove/circuits.ts';
import { circuitId, verificationKey } from '../prove/keys.ts';
import { type Command, type Parameter, place, required, text, verb, whole } from '../verb.ts';
import { contribute, finish, readTranscript, type Subject, start } from './ceremony.ts';
import { checkFiles, verifyCeremony } from './verify.ts';

const NAMES = Object.keys(CIRCUITS) as CircuitName[];
const isCircuit = (name: string): name is CircuitName => Object.hasOwn(CIRCUITS, name);
const expected = `a circuit: ${NAMES.join(', ')}`;

const circuit: Parameter<CircuitName | undefined> = { read: (name) => (isCircuit(name) ? name : undefined), expected };
const circuits: Parameter<readonly CircuitName[] | undefined> = {
  read: (given) => {
    const names = given.split(',');
    return names.every(isCircuit) ? (names as CircuitName[]) : undefined;
  },
  expected: `${expected}, with commas between several`,
};
const digits = (least: number, most: number): Parameter<string | undefined> => ({
  read: (given) => (new RegExp(`^([0-9a-f]{2}){${least},${most}}$`, 'i').test(given) ? given.toLowerCase() : undefined),
  expected: least === most ? `${2 * most} hexadecimal digits` : `${least} to ${most} bytes in hexadecimal`,
});
const contributor: Parameter<string | undefined> = {
  read: (given) => (/^[\x21-\x7e]([\x20-\x7e]{0,62}[\x21-\x7e])?$/.test(given) ? given : undefined),
  expected: 'a name of 1 to 64 ASCII characters',
};
const folder = required(place('DIR', text));

const PTAU = { ptau: required(text), acceptPtau: digits(64, 64) };
const PTAU_HELP = `  --ptau FILE          powers of tau, prepared for phase 2: one of the published powersOfTau28_hez_final_NN.ptau, whose
                       hashes are known here
  --accept-ptau HASH   blake2b-512 of another file, if you have reasons to believe that nobody kept its secret: who knows
                       it can forge proofs, whatever is contributed later`;

const dev = verb({
  summary: 'derive development keys, with which anybody can forge proofs: for local chains',
  help: `Derives the development keys of circuits into the cache, as runs do by themselves when they first need one. They come from
a public seed, are the same on every machine, and prove nothing to anybody.

  CIRCUIT,...          which (default: all; ${NAMES.join(', ')})

Example: hokusai keys dev score512`,
  takes: { circuits: place('CIRCUIT,...', circuits) },
  perform: async ({ circuits: names = NAMES }, note) => {
    const keys = [];
    for (const name of names) {
      note(`${name}: deriving its development key, unless it is in the cache.`);
      const file = await developmentKeyFile(name);
      const [{ size: bytes }, key] = [await stat(file), verificationKey(await readFile(file))];
      keys.push({ circuit: name, circuitId: circuitId(key), file, bytes });
    }
    const lines = keys.map((key) => `${key.circuit}  ${key.circuitId}\n  ${key.file}, ${key.bytes} bytes`);
    const warning = '⚠ Their secrets are public: anybody can prove anything with them. They are for local chains.';
    return { text: [...lines, warning].join('\n'), json: { keys, warning } };
  },
});

const startVerb = verb({
  summary: 'start one: make the key of a circuit that the first contributes to (coordinator)',
  help: `Checks the powers of tau and makes DIR with transcript.json and 0000.zkey. DIR, or its newest key, goes from contributor to
contributor; each has a machine of their own.

  CIRCUIT              ${NAMES.join(', ')}
${PTAU_HELP}
  --out DIR            a new folder

Example: hokusai keys ceremony start score512 --ptau powersOfTau28_hez_final_13.ptau --out keys/score512`,
  takes: { circuit: required(place('CIRCUIT', circuit)), ...PTAU, out: required(text) },
  perform: async ({ circuit, ptau, acceptPtau, out }, note) => {
    const { file, ...transcript } = await start(subjectOf(circuit), { ptau, folder: out, accepted: acceptPtau }, note);
    const text = `The ceremony of ${circuit} starts from ${file}. Next, by each contributor: hokusai keys ceremony contribute ${out} --name NAME`;
    return { text, json: { ...transcript, file } };
  },
});

const contributeVerb = verb({
  summary: 'add a secret that nobody gets to know (each contributor, on a machine of their own)',
  help: `Multiplies the key's secret by one that is drawn at random here, used once, and neither shown nor written. As long as one
contributor is honest, nobody knows the product. Keep the hash that is printed: it has to be in the transcript at the end.

  DIR|KEY              folder of the ceremony, whose newest key is taken, or a key such as 0001.zkey
  --name NAME          as who you contribute; it is published

Example: hokusai keys ceremony contribute keys/score512 --name alice`,
  takes: { path: required(place('DIR|KEY', text)), name: required(contributor) },
  perform: async ({ path, name }, note) => {
    const made = await contribute(path, name, note);
    const text = `Contribution ${made.place}, by ${name}:\n  ${made.hash}\nSend ${made.file} to the next contributor, or back to the coordinator, and keep the hash.`;
    return { text, json: { ...made } };
  },
});

const finishVerb = verb({
  summary: 'end one: add a public beacon, and write the final key and the transcript (coordinator)',
  help: `The beacon is a value that nobody can know before the last contribution, and everybody after: announce beforehand which it
will be, such as the hash of a block to come, or a round of drand.

  --beacon HEX         1 to 255 bytes
  --iterations N       hash it 2^N times, 10 to 30 (default 10), so that it takes time to try values

Example: hokusai keys ceremony finish keys/score512 --beacon 9f1c… --iterations 20`,
  takes: { folder, beacon: required(digits(1, 255)), iterations: whole(10, 30) },
  perform: async ({ folder, beacon, iterations = 10 }, note) => {
    const transcript = await finish(folder, { value: beacon, iterations }, note);
    const { circuit, contributions, circuitId } = transcript;
    const text = `The key of ${circuit}, by ${contributions.length} contributors and a beacon: ${circuitId}.\nPublish ${folder}. Next, by everybody: hokusai keys verify ${folder} --ptau FILE`;
    return { text, json: transcript };
  },
});

const verify = verb({
  summary: 'check a ceremony, from the circuit and the powers of tau to the final key',
  help: `Makes the first key again, follows all contributions and the beacon to the final one, compares the hashes of the transcript,
and refuses development keys, also with contributions. What it cannot see: whether a contributor forgot their secret, and
whether the beacon was the value that had been announced.

  DIR                  with final.zkey, verification_key.json and transcript.json
${PTAU_HELP}

Example: hokusai keys verify keys/score512 --ptau powersOfTau28_hez_final_13.ptau`,
  takes: { folder, ...PTAU },
  perform: async ({ folder, ptau, acceptPtau }, note) => {
    const transcript = await readTranscript(folder);
    await verifyCeremony(folder, transcript, subjectOf(transcript.circuit), { ptau, accepted: acceptPtau }, note);
    const { circuit, contributions, beacon, circuitId } = transcript;
    const lines = contributions.map(({ name, hash }, i) => `  ${i + 1}. ${name}\n     ${hash}`);
    const text = `✔ ${circuitId} is a key of ${circuit}. Nobody can forge proofs with it if one of these forgot their secret:
${lines.join('\n')}
Beacon ${beacon.value}, hashed 2^${beacon.iterations} times: see for yourself that it is the one announced.`;
    return { text, json: { ok: true, ...transcript } };
  },
});

const register = verb({
  summary: 'put the verification key of a ceremony on a chain (anybody)',
  help: `Registers it in CircuitRegistry, where it stays as it is for ever, after the checks of \`verify\` that take no powers of tau.
Does nothing where it is registered.

  DIR                  of a finished ceremony
${SENDING_HELP}

Example: hokusai keys register keys/score512 --rpc https://node --deployment deployments/chain-1 --keystore owner.json`,
  takes: { folder, ...SENDING },
  perform: async (given, note) => {
    const transcript = await readTranscript(given.folder);
    const { circuit, circuitId } = transcript;
    const key = await checkFiles(given.folder, transcript, subjectOf(circuit));
    return acting(given, note, async (client) => {
      const sent = await registerKey(client, circuit, key);
      const text = sent ? `${circuit} is registered as ${circuitId}.` : `${circuitId} was registered before.`;
      return { text, json: { circuit, circuitId, registered: sent !== undefined }, sent: sent ? [sent] : [] };
    });
  },
});

/** @throws HokusaiError `CIRCUIT_UNKNOWN` (configuration) where this release has no such circuit */
function subjectOf(name: string): Subject {
  if (isCircuit(name)) return { circuit: name, r1cs: compiled(name, 'r1cs') };
  throw new HokusaiError('configuration', 'CIRCUIT_UNKNOWN', `This release knows no circuit ${name}.`, {
    details: { circuit: name, known: NAMES },
    next: 'Verify the ceremony with the release that it was made with.',
  });
}

export const KEYS: Command = {
  about: 'Where proving keys come from, and what shows that nobody can forge proofs with them. All verbs take --json.',
  verbs: {
    dev,
    ceremony: {
      about: 'make a production key in a ceremony: start, contribute, finish',
      verbs: { start: startVerb, contribute: contributeVerb, finish: finishVerb },
    },
    verify,
    register,
  },
};
