// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice A Groth16 proof over alt_bn128 (BN254).
/// @param a G1 point (x, y)
/// @param b G2 point (x, y), each coordinate with its imaginary part first, as EIP-197 orders them
/// @param c G1 point (x, y)
struct Proof {
    uint256[2] a;
    uint256[2][2] b;
    uint256[2] c;
}

/// @title Groth16 verification over alt_bn128 with the precompiles of EIP-196 and EIP-197
/// @dev A verification key is a string of 32-byte words: alpha (G1), beta, gamma, delta (G2), IC[0], ..., IC[n] (G1).
/// Verifies e(-A, B) e(alpha, beta) e(IC[0] + sum signal[i] IC[i + 1], gamma) e(C, delta) = 1, as in
/// https://eprint.iacr.org/2016/260, section 3.2. A proof can be varied by anybody who sees it (rerandomised, or with
/// A and B negated) and stays valid: proof bytes are never an identifier.
library Groth16 {
    /// @dev Order of the group, and so of the field that public signals live in.
    uint256 internal constant R = 21888242871839275222246405745257275088548364400416034343698204186575808495617;
    /// @dev Prime of the field of the coordinates.
    uint256 internal constant Q = 21888242871839275222246405745257275088696311157297823662689037894645226208583;

    /// @dev Words before IC.
    uint256 internal constant FIXED_WORDS = 14;
    uint256 internal constant BETA = 2;
    uint256 internal constant GAMMA = 6;
    uint256 internal constant DELTA = 10;

    /// @notice Whether `proof` proves the statement that `publicSignals` make under `key`.
    /// @dev False, never a revert, for anything that an attacker could send: a signal of R or more (it would count as
    /// the same signal modulo R), a coordinate of Q or more, a point off the curve or outside G2.
    /// The caller ensures that `key` holds publicSignals.length + 1 points of IC.
    function verify(bytes memory key, Proof calldata proof, uint256[] calldata publicSignals)
        internal
        view
        returns (bool)
    {
        if (proof.a[1] >= Q) return false;
        (bool valid, uint256 x, uint256 y) = combine(key, publicSignals);
        if (!valid) return false;
        uint256[24] memory pairs;
        (pairs[0], pairs[1]) = (proof.a[0], (Q - proof.a[1]) % Q);
        (pairs[2], pairs[3], pairs[4], pairs[5]) = (proof.b[0][0], proof.b[0][1], proof.b[1][0], proof.b[1][1]);
        for (uint256 i = 0; i < 6; i++) {
            pairs[6 + i] = word(key, i);
            if (i < 4) pairs[14 + i] = word(key, GAMMA + i);
            if (i < 4) pairs[20 + i] = word(key, DELTA + i);
        }
        (pairs[12], pairs[13]) = (x, y);
        (pairs[18], pairs[19]) = (proof.c[0], proof.c[1]);
        assembly ("memory-safe") {
            valid := staticcall(gas(), 8, pairs, 768, 0, 32)
            valid := and(valid, eq(mload(0), 1))
        }
        return valid;
    }

    /// @dev IC[0] + sum signal[i] IC[i + 1]; not valid when a signal is R or more.
    function combine(bytes memory key, uint256[] calldata publicSignals)
        private
        view
        returns (bool valid, uint256 x, uint256 y)
    {
        uint256[5] memory scratch;
        (scratch[0], scratch[1]) = (word(key, FIXED_WORDS), word(key, FIXED_WORDS + 1));
        valid = true;
        for (uint256 i = 0; i < publicSignals.length && valid; i++) {
            if (publicSignals[i] >= R) return (false, 0, 0);
            scratch[2] = word(key, FIXED_WORDS + 2 * i + 2);
            scratch[3] = word(key, FIXED_WORDS + 2 * i + 3);
            scratch[4] = publicSignals[i];
            assembly ("memory-safe") {
                // (2, 3) = signal * IC[i + 1]; (0, 1) = (0, 1) + (2, 3)
                valid := staticcall(gas(), 7, add(scratch, 64), 96, add(scratch, 64), 64)
                valid := and(valid, staticcall(gas(), 6, scratch, 128, scratch, 64))
            }
        }
        (x, y) = (scratch[0], scratch[1]);
    }

    /// @dev Word `index` of a key.
    function word(bytes memory key, uint256 index) internal pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := mload(add(add(key, 32), mul(index, 32)))
        }
    }
}
