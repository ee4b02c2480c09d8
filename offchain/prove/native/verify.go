// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"errors"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

type verifyingKey struct {
	alpha1                bn254.G1Affine
	beta2, gamma2, delta2 bn254.G2Affine
	ic                    []bn254.G1Affine
}

func verifyFiles(vkeyName, publicName, proofName string) error {
	vk, err := readVerifyingKey(vkeyName)
	if err != nil {
		return err
	}
	public, err := readPublic(publicName)
	if err != nil {
		return err
	}
	if len(public) != len(vk.ic)-1 {
		return fmt.Errorf("%s: %d public signals, the key expects %d", publicName, len(public), len(vk.ic)-1)
	}
	p, err := readProof(proofName)
	if err != nil {
		return err
	}
	if err := checkProof(vk, public, p); err != nil {
		return fmt.Errorf("%s: %w", proofName, err)
	}
	return nil
}

var errEquation = errors.New("the pairing equation does not hold for this proof and these public signals")

// checkProof is the verification equation of Groth16 (Groth 2016, section 3.2), with A moved to the other side:
//
//	e(-A, B) e(alpha, beta) e(IC_0 + sum public_i IC_i, gamma) e(C, delta) = 1
//
// The points must be in their groups already, as readers of files and the prover ensure.
func checkProof(vk *verifyingKey, public []fr.Element, p *proof) error {
	if len(public) != len(vk.ic)-1 {
		return fmt.Errorf("%d public signals, the key expects %d", len(public), len(vk.ic)-1)
	}
	var sum bn254.G1Jac
	if _, err := sum.MultiExp(vk.ic[1:], public, ecc.MultiExpConfig{}); err != nil {
		return err
	}
	sum.AddMixed(&vk.ic[0])
	var inputs, minusA bn254.G1Affine
	inputs.FromJacobian(&sum)
	minusA.Neg(&p.a)
	holds, err := bn254.PairingCheck(
		[]bn254.G1Affine{minusA, vk.alpha1, inputs, p.c},
		[]bn254.G2Affine{p.b, vk.beta2, vk.gamma2, vk.delta2},
	)
	if err != nil {
		return err
	}
	if !holds {
		return errEquation
	}
	return nil
}
