import type { ArtifactMap } from 'hardhat/types/artifacts';
import type { ContractFunctionArgs, Hex } from 'viem';
import { HokusaiError } from '../errors.ts';
import type { ProvenChunk } from '../prove/inference.ts';
import { contractProof } from '../prove/prove.ts';
import type { ChainClient, Sender } from './connect.ts';
import { type Sent, send, view } from './send.ts';

/** That a model predicts on a fold what a root commits to; IInferenceRegistry.sol says what each member is. */
export type Inference = ContractFunctionArgs<
  ArtifactMap['InferenceRegistry']['abi'],
  'nonpayable',
  'proveInference'
>[0];

/** Chunks that one transaction brings: some three million gas. */
const CHUNKS_AT_ONCE = 48;

/** Whether an inference is on record, for good. */
export const isProven = (client: ChainClient, inference: Inference): Promise<boolean> =>
  view(client, { contract: 'inferenceRegistry', functionName: 'isProven', args: [inference] });

/**
 * Puts an inference on record, in as many transactions as it takes, from where the sender's last one left off. None where
 * it is on record already.
 *
 * @throws HokusaiError `INFERENCE_ELSEWHERE` (terminal) where the sender has begun another chain of proofs of the same.
 */
export async function proveInference(
  client: Sender,
  inference: Inference,
  chunks: readonly ProvenChunk[],
): Promise<Sent[]> {
  if (await isProven(client, inference)) return [];
  const args = [inference, client.account.address] as const;
  const state = await view(client, { contract: 'inferenceRegistry', functionName: 'stateOf', args });
  const next = chunks.findIndex(({ publicSignals }) => BigInt(publicSignals[3]!) === state);
  if (next < 0) throw elsewhere(inference, state);
  const sent: Sent[] = [];
  for (let from = next; from < chunks.length; from += CHUNKS_AT_ONCE) {
    const batch = chunks.slice(from, from + CHUNKS_AT_ONCE).map(({ proof, publicSignals }) => ({
      proof: contractProof(proof),
      stateOut: BigInt(publicSignals[4]!),
    }));
    sent.push(
      await send(client, {
        action: 'proveInference',
        contract: 'inferenceRegistry',
        functionName: 'proveInference',
        args: [inference, batch],
      }),
    );
  }
  return sent;
}

const elsewhere = ({ modelCommitment, foldId }: Inference, state: bigint) =>
  new HokusaiError(
    'terminal',
    'INFERENCE_ELSEWHERE',
    `This account has begun to prove model ${modelCommitment} on fold ${foldId} with other chunks.`,
    {
      details: { modelCommitment, foldId: foldId as Hex, state },
      next: 'Send from another account: each has a chain of its own.',
    },
  );
