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

    /// @notice Whether all `proofs` prove the statements that their `signals` make under `key`, in one pairing check:
    /// about 50,000 gas for each further proof instead of 200,000.
    /// @dev Each proof's equation is raised to a random 128-bit power and all are multiplied, so that a bad one passes
    /// with probability 2^-128; the powers are hashed from `seed` (small exponents test of
    /// https://doi.org/10.1007/BFb0054130). False for anything that `verify` is false for.
    /// The caller ensures that `seed` is a hash of key, proofs and signals, that there is a proof, as many lists of signals
    /// as proofs, and as many signals in each as `key` has points of IC but one.
    function verifyAll(bytes memory key, Proof[] calldata proofs, uint256[][] calldata signals, bytes32 seed)
        internal
        view
        returns (bool valid)
    {
        uint256 count = proofs.length;
        uint256[] memory pairs = new uint256[](6 * (count + 3));
        // Of IC[0] and alpha, then of the further points of IC, each times the sum of what the proofs ask for.
        uint256[] memory factors = new uint256[](signals[0].length + 1);
        uint256[5] memory c;
        valid = true;
        for (uint256 i = 0; i < count && valid; i++) {
            uint256 power = uint256(keccak256(abi.encode(seed, i))) >> 128;
            Proof calldata proof = proofs[i];
            if (proof.a[1] >= Q || !accumulate(factors, power, signals[i])) return false;
            assembly ("memory-safe") {
                // The pair (power * -A, B), in place.
                let pair := add(add(pairs, 32), mul(i, 192))
                mstore(pair, calldataload(proof))
                mstore(add(pair, 32), mod(sub(Q, calldataload(add(proof, 32))), Q))
                mstore(add(pair, 64), power)
                valid := staticcall(gas(), 7, pair, 96, pair, 64)
                calldatacopy(add(pair, 64), add(proof, 64), 128)
                // c = c + power * C
                calldatacopy(add(c, 64), add(proof, 192), 64)
                mstore(add(c, 128), power)
                valid := and(valid, staticcall(gas(), 7, add(c, 64), 96, add(c, 64), 64))
                valid := and(valid, staticcall(gas(), 6, c, 128, c, 64))
            }
        }
        if (!valid) return false;
        uint256[5] memory alpha;
        uint256[5] memory inputs;
        valid = addMultiple(alpha, key, 0, factors[0]);
        for (uint256 j = 0; j < factors.length && valid; j++) {
            valid = addMultiple(inputs, key, FIXED_WORDS + 2 * j, factors[j]);
        }
        putPair(pairs, count, alpha, key, BETA);
        putPair(pairs, count + 1, inputs, key, GAMMA);
        putPair(pairs, count + 2, c, key, DELTA);
        assembly ("memory-safe") {
            let paired := staticcall(gas(), 8, add(pairs, 32), mul(mload(pairs), 32), 0, 32)
            valid := and(valid, and(paired, eq(mload(0), 1)))
        }
    }

    /// @dev Adds power to the first factor and power times each signal to its own; false when a signal is R or more.
    function accumulate(uint256[] memory factors, uint256 power, uint256[] calldata signals)
        private
        pure
        returns (bool)
    {
        factors[0] = addmod(factors[0], power, R);
        for (uint256 j = 0; j < signals.length; j++) {
            if (signals[j] >= R) return false;
            factors[j + 1] = addmod(factors[j + 1], mulmod(power, signals[j], R), R);
        }
        return true;
    }

    /// @dev Adds factor times the point of G1 at word `first` of a key to the first two words of `sum`.
    function addMultiple(uint256[5] memory sum, bytes memory key, uint256 first, uint256 factor)
        private
        view
        returns (bool valid)
    {
        (sum[2], sum[3], sum[4]) = (word(key, first), word(key, first + 1), factor);
        assembly ("memory-safe") {
            valid := staticcall(gas(), 7, add(sum, 64), 96, add(sum, 64), 64)
            valid := and(valid, staticcall(gas(), 6, sum, 128, sum, 64))
        }
    }

    /// @dev The pair of a point of G1 with the one of G2 at word `first` of a key.
    function putPair(uint256[] memory pairs, uint256 place, uint256[5] memory one, bytes memory key, uint256 first)
        private
        pure
    {
        (pairs[6 * place], pairs[6 * place + 1]) = (one[0], one[1]);
        for (uint256 i = 0; i < 4; i++) {
            pairs[6 * place + 2 + i] = word(key, first + i);
        }
    }

    /// @dev IC[0] + sum signal[i] IC[i + 1]; not valid when a signal is R or more.
    function combine(bytes memory key, uint256[] calldata publicSignals)
        private
        view
        returns (bool valid, uint256 x, uint256 y)
    {
        uint256[5] memory sum;
        (sum[0], sum[1]) = (word(key, FIXED_WORDS), word(key, FIXED_WORDS + 1));
        valid = true;
        for (uint256 i = 0; i < publicSignals.length && valid; i++) {
            if (publicSignals[i] >= R) return (false, 0, 0);
            valid = addMultiple(sum, key, FIXED_WORDS + 2 * i + 2, publicSignals[i]);
        }
        (x, y) = (sum[0], sum[1]);
    }

    /// @dev Word `index` of a key.
    function word(bytes memory key, uint256 index) internal pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := mload(add(add(key, 32), mul(index, 32)))
        }
    }
}
