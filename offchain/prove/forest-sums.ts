import type { Features } from '../table/quantise.ts';
import { inverse, inverseAll, mod } from './field.ts';
import { keyOf, type Paths } from './forest-paths.ts';
import type { ForestShape, Node } from './forest-table.ts';

/** The points at which sums of fractions are compared, each a hash of all that was claimed before. */
export interface Challenges {
  /** Of decisions, by their nodes. */
  readonly gamma: bigint;
  /** Of decisions, by their rows. */
  readonly alpha: bigint;
  /** Of columns. */
  readonly eta: bigint;
  /** Of visits, by their rows. */
  readonly mu: bigint;
  /** Of visits, by their nodes. */
  readonly delta: bigint;
}

/** A forest's nodes, and what the rows of a fold claim to pass. */
export interface Claims {
  readonly nodes: readonly Node[];
  /** What the nodes are committed to by. */
  readonly records: readonly number[];
  readonly paths: Paths;
  readonly bias: number;
}

/** A node as the field element that stands for it in sums. */
const pointOf = (tree: number, place: number): bigint => (BigInt(tree) << 64n) + BigInt(place);
const LEAF = 1n << 120n;

/** The sums over a fold's rows and a forest's nodes, in the order in which the challenges for them become known. */
export class ForestSums {
  readonly #claims: Claims;
  readonly #features: Features;
  readonly #shape: ForestShape;
  readonly #index: Map<number, number>;

  constructor(claims: Claims, features: Features, shape: ForestShape) {
    this.#claims = claims;
    this.#features = features;
    this.#shape = shape;
    this.#index = new Map(claims.nodes.map((node, i) => [keyOf(node), i]));
  }

  /** 1 / (challenge - i) for each of so many rows or columns. */
  static inverses(challenge: bigint, count: number): bigint[] {
    return inverseAll(Array.from({ length: count }, (_, i) => mod(challenge - BigInt(i))));
  }

  /**
   * Of each row, the sum over its nodes of (what it claims as difference) / (gamma - node), and for each column, that of
   * thresholds last, the sum over the nodes that read it of 1 / (gamma - node), times the threshold for the last.
   */
  decisions(gamma: bigint): { decisions: bigint[]; weights: bigint[][] } {
    const { nodes, paths } = this.#claims;
    const { columns } = this.#shape;
    const known = inverseAll(nodes.map(({ tree, place }) => mod(gamma - pointOf(tree, place))));
    const roots = this.#roots(gamma);
    const decisions: bigint[] = [];
    const weights = paths.outputs.map((_, row) => {
      const own = new Array<bigint>(columns + 1).fill(0n);
      let sum = 0n;
      this.#passed(row, (tree, place, difference) => {
        const index = this.#index.get(keyOf({ tree, place }));
        const strange = place === 0 ? roots[tree - 1]! : undefined;
        const weight = index === undefined ? (strange ?? inverse(mod(gamma - pointOf(tree, place)))) : known[index]!;
        sum += BigInt(difference) * weight;
        if (index === undefined || nodes[index]!.leaf) return;
        const { value } = nodes[index]!;
        own[value >> 8]! += weight;
        own[columns]! += weight * BigInt(value & 255);
      });
      decisions.push(mod(sum));
      return own.map(mod);
    });
    return { decisions, weights };
  }

  /** The poles of the sum over rows of featureSum * answer / (alpha - row), see ForestInference. */
  poles(weights: readonly (readonly bigint[])[], alphaInverses: readonly bigint[]): bigint[] {
    const { columns } = this.#shape;
    const { rows, values } = this.#features;
    const size = columns + 1;
    const products = Array.from({ length: size }, () => new Array<bigint>(size).fill(0n));
    for (const [row, own] of weights.entries()) {
      const weighted = own.map((weight) => mod(weight * alphaInverses[row]!));
      for (let j = 0; j < size; j++) {
        const feature = j === columns ? -1n : BigInt(values[j * rows + row] ?? 0);
        if (feature === 0n) continue;
        const line = products[j]!;
        for (let k = 0; k < size; k++) line[k]! += feature * weighted[k]!;
      }
    }
    const apart = inverseAll(Array.from({ length: columns }, (_, i) => BigInt(i + 1)));
    const difference = (j: number, k: number) => (j > k ? apart[j - k - 1]! : -apart[k - j - 1]!);
    const simple = products.map((line, j) => {
      let sum = 0n;
      for (let k = 0; k < size; k++) if (k !== j) sum += mod(line[k]! + products[k]![j]!) * difference(j, k);
      return mod(sum);
    });
    return [...products.map((line, j) => mod(line[j]!)), ...simple];
  }

  /** Of each row, the sum over columns of its features, and -1 for thresholds, over eta - column. */
  featureSums(etaInverses: readonly bigint[]): bigint[] {
    const { columns } = this.#shape;
    const { rows, values } = this.#features;
    return Array.from({ length: rows }, (_, row) => {
      let sum = -etaInverses[columns]!;
      for (let j = 0; j * rows < values.length; j++) sum += BigInt(values[j * rows + row]!) * etaInverses[j]!;
      return mod(sum);
    });
  }

  /** Of each row what its leaves add up to, see ForestOutput. */
  leafSums(etaInverses: readonly bigint[]): bigint[] {
    const { paths, bias } = this.#claims;
    const { laneBits } = this.#shape;
    return paths.outputs.map((numbers) => {
      if (laneBits !== 8) return mod(BigInt(numbers[0]! + (laneBits === 1 ? 1 : 0)) - 2n ** 32n - BigInt(bias));
      return mod(numbers.reduce((sum, votes, c) => sum + BigInt(votes) * etaInverses[c]!, 0n));
    });
  }

  /** Of each node the sum over the rows that pass it of 1 / (mu - row). */
  visits(muInverses: readonly bigint[]): bigint[] {
    const visits = new Array<bigint>(this.#claims.nodes.length).fill(0n);
    const visit = (tree: number, place: number, row: number): void => {
      const index = this.#index.get(keyOf({ tree, place }));
      if (index !== undefined) visits[index]! += muInverses[row]!;
    };
    for (const row of muInverses.keys()) {
      this.#passed(row, (tree, place) => visit(tree, place, row));
      this.#leaves(row, (tree, place) => visit(tree, place, row));
    }
    return visits.map(mod);
  }

  /** Of each row the sum over its leaves of 1 / (delta - leaf), less that over all trees of 1 / (delta - what is above). */
  leaves(delta: bigint): bigint[] {
    const { nodes, paths } = this.#claims;
    const known = inverseAll(nodes.map(({ tree, place }) => mod(delta - LEAF - pointOf(tree, place))));
    const roots = this.#roots(delta).reduce((sum, root) => sum + root, 0n);
    return paths.outputs.map((_, row) => {
      let sum = -roots;
      this.#leaves(row, (tree, place) => {
        const index = this.#index.get(keyOf({ tree, place }));
        sum += index === undefined ? inverse(mod(delta - LEAF - pointOf(tree, place))) : known[index]!;
      });
      return mod(sum);
    });
  }

  /** Of each node what it adds to the three sums over the table: nodeSum, visitSum, leafSum. */
  terms(visits: readonly bigint[], { gamma, delta }: Challenges, etaInverses: readonly bigint[]): bigint[][] {
    const { nodes } = this.#claims;
    const { columns, laneBits } = this.#shape;
    const inverses = (of: (node: Node) => bigint) => inverseAll(nodes.map((node) => mod(of(node))));
    const own = inverses(({ tree, place, leaf }) => delta - pointOf(tree, place) - (leaf ? LEAF : 0n));
    const above = inverses(({ tree, place }) => delta - pointOf(tree, Math.floor(place / 2)));
    const passed = inverses(({ tree, place }) => gamma - pointOf(tree, place));
    return nodes.map(({ leaf, value }, i) => {
      const visitTerm = mod(visits[i]! * (above[i]! - own[i]!));
      const column = etaInverses[value >> 8]!;
      if (leaf) return [0n, visitTerm, mod(visits[i]! * (laneBits === 8 ? column : BigInt(value - 2 ** 23)))];
      return [mod(visits[i]! * passed[i]! * (column + BigInt(value & 255) * etaInverses[columns]!)), visitTerm, 0n];
    });
  }

  /** 1 / (challenge - what stands above the root), of each tree. */
  #roots(challenge: bigint): bigint[] {
    return inverseAll(Array.from({ length: this.#shape.trees }, (_, t) => mod(challenge - pointOf(t + 1, 0))));
  }

  #leaves(row: number, visit: (tree: number, place: number) => void): void {
    const { trees } = this.#shape;
    for (let t = 0; t < trees; t++) visit(t + 1, this.#claims.paths.leaves[row * trees + t]!);
  }

  /** Goes over the nodes that a row claims to pass, and what it claims as difference of feature and threshold. */
  #passed(row: number, pass: (tree: number, place: number, difference: number) => void): void {
    const { trees, depth } = this.#shape;
    const { leaves, excess } = this.#claims.paths;
    for (let t = 0; t < trees; t++) {
      const at = row * trees + t;
      let place = leaves[at]!;
      for (let j = 0; j < depth; j++) {
        const right = place % 2;
        place = Math.floor(place / 2);
        pass(t + 1, place, excess[at * depth + j]! - 256 * (1 - right));
      }
    }
  }
}
