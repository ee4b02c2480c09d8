import type { Features } from '../table/quantise.ts';
import type { ForestModel } from '../train/forest-model.ts';
import { type ForestShape, NO_CLASS, type Node } from './forest-table.ts';

/** What the rows claim, row by row: what `circuits/forest-row.circom` reads as bits. */
export interface Paths {
  /** Of row r and tree t (from 0), at r * trees + t: the place of the leaf. */
  readonly leaves: Uint32Array;
  /** At (r * trees + t) * depth + j, of the node that decided bit j of the leaf's place: 0 to 255. */
  readonly excess: Uint8Array;
  /** Of each row what ForestOutput reads: votes of each class and of none, or the sum. */
  readonly outputs: readonly (readonly number[])[];
}

/** Numbers of nodes, so that they can be looked up. */
export const keyOf = ({ tree, place }: Pick<Node, 'tree' | 'place'>): number => tree * 2 ** 32 + place;

/** Walks all rows through all trees. */
export function walk(model: ForestModel, nodes: readonly Node[], features: Features, shape: ForestShape): Paths {
  const { rows, values } = features;
  const { trees, depth } = shape;
  const byKey = new Map(nodes.map((node) => [keyOf(node), node]));
  const leaves = new Uint32Array(rows * trees);
  const excess = new Uint8Array(rows * trees * depth);
  const outputs = Array.from({ length: rows }, (_, row) => {
    const passed = Array.from({ length: trees }, (_, t) => {
      const at = row * trees + t;
      const differences: number[] = [];
      let node = byKey.get(keyOf({ tree: t + 1, place: 1 }))!;
      while (!node.leaf) {
        const difference = values[Math.floor(node.value / 256) * rows + row]! - (node.value % 256);
        differences.unshift(difference & 255);
        node = byKey.get(keyOf({ tree: t + 1, place: 2 * node.place + Number(difference >= 0) }))!;
      }
      leaves[at] = node.place;
      // Above the root stands node 0: what it claims has to add up to 0, as no record says anything of it.
      const above = depth - differences.length;
      if (above > 0) differences.push(above - 1, ...new Array<number>(above - 1).fill(255));
      excess.set(differences, at * depth);
      return node.value;
    });
    return outputOf(model, passed, shape);
  });
  return { leaves, excess, outputs };
}

function outputOf({ output, bias }: ForestModel, leafValues: readonly number[], { laneBits }: ForestShape): number[] {
  if (output === 'votes') {
    const votes = new Array<number>(NO_CLASS + 1).fill(0);
    for (const value of leafValues) votes[value / 256]!++;
    return votes;
  }
  const sum = leafValues.reduce((total, value) => total + value - 2 ** 23, bias);
  return [sum + 2 ** 32 - (laneBits === 1 ? 1 : 0)];
}

/** Bits of one number of {@link Paths.outputs}. */
export function outputBits({ laneBits, trees }: ForestShape): number {
  return laneBits === 8 ? 32 - Math.clz32(trees) : 33;
}

/** The elements of the paths of rows `from` to `from + shape.rows`: 240 bits each, zeros for rows that there are not. */
export function packPaths({ leaves, excess, outputs }: Paths, from: number, shape: ForestShape): bigint[] {
  const { rows, trees, depth } = shape;
  const width = outputBits(shape);
  const numbers = shape.laneBits === 8 ? NO_CLASS + 1 : 1;
  const rowBits = trees * (9 * depth + 1) + numbers * width;
  const bytes = Buffer.alloc(30 * Math.ceil((rows * rowBits) / 240));
  let at = 0;
  const write = (value: number, bits: number): void => {
    for (let bit = 0; bit < bits; bit++, at++) {
      if (Math.floor(value / 2 ** bit) % 2) bytes[at >> 3]! |= 1 << (at & 7);
    }
  };
  for (let row = from; row < Math.min(from + rows, outputs.length); row++) {
    for (let tree = row * trees; tree < (row + 1) * trees; tree++) {
      write(leaves[tree]!, depth + 1);
      for (let j = 0; j < depth; j++) write(excess[tree * depth + j]!, 8);
    }
    for (const number of outputs[row]!) write(number, width);
  }
  return Array.from({ length: bytes.length / 30 }, (_, e) =>
    BigInt(
      `0x${Buffer.from(bytes.subarray(30 * e, 30 * e + 30))
        .reverse()
        .toString('hex')}`,
    ),
  );
}
