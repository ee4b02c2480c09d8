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
  /** False, or -1, where they give up, having told the logger why. */
  export const zKey: {
    newZKey(r1cs: File, ptau: File, zkey: File, logger?: object): Promise<Uint8Array | -1>;
    contribute(from: File, zkey: File, name: string, entropy: string, logger?: object): Promise<Uint8Array>;
    beacon(
      from: File,
      zkey: File,
      name: string,
      value: string,
      iterations: number,
      logger?: object,
    ): Promise<Uint8Array | false>;
    verifyFromR1cs(r1cs: File, ptau: File, zkey: File, logger?: object): Promise<boolean>;
  };
  export const powersOfTau: {
    newAccumulator(curve: object, power: number, ptau: File, logger?: object): Promise<unknown>;
    contribute(from: File, ptau: File, name: string, entropy: string, logger?: object): Promise<Uint8Array>;
    preparePhase2(from: File, ptau: File, logger?: object): Promise<void>;
    verify(ptau: File, logger?: object): Promise<boolean>;
  };
  export const curves: { getCurveFromName(name: 'bn128'): Promise<{ terminate(): Promise<void> }> };
}
