// The parts we use of two packages that come without types.

declare module 'circomlibjs' {
  interface PoseidonHash {
    (inputs: bigint[]): Uint8Array;
    readonly F: { toObject(element: Uint8Array): bigint };
  }
  export function buildPoseidon(): Promise<PoseidonHash>;
}

declare module 'snarkjs' {
  interface MemoryFile {
    type: 'mem';
    data?: Uint8Array;
  }
  type File = string | Uint8Array | MemoryFile;
  type Groth16Proof = import('./prove/prove.ts').Groth16Proof;
  export const wtns: {
    calculate(input: object, wasm: File, wtns: File): Promise<void>;
    check(r1cs: File, wtns: File, logger?: object): Promise<boolean>;
  };
  export const groth16: {
    prove(zkey: File, wtns: File): Promise<{ proof: Groth16Proof; publicSignals: string[] }>;
    verify(verificationKey: object, publicSignals: readonly string[], proof: Groth16Proof): Promise<boolean>;
  };
}
