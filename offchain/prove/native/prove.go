// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"fmt"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

type proof struct {
	a, c bn254.G1Affine
	b    bn254.G2Affine
}

func proveFiles(zkeyName, wtnsName, proofName, publicName string) error {
	k, err := openZkey(zkeyName)
	if err != nil {
		return err
	}
	defer k.close()
	witness, err := readWitness(wtnsName, k.nVars)
	if err != nil {
		return err
	}
	p, err := prove(k, witness)
	if err != nil {
		return err
	}
	public := witness[1 : k.nPublic+1]
	// The values of a witness are not checked one by one; one that breaks a constraint shows here, as does a
	// damaged key, and a proof nobody would accept is not written.
	if err := checkProof(&k.vk, public, p); err != nil {
		return fmt.Errorf("%s: does not satisfy the circuit of %s, or the key is damaged: %w", wtnsName, zkeyName, err)
	}
	return writeOutputs([]output{
		jsonOutput(proofName, proofText(p)),
		jsonOutput(publicName, publicText(public)),
	})
}

// sums are the multi-exponentiations of Groth16 (Groth 2016, section 3.2) before blinding.
type sums struct {
	a, b1, c, h bn254.G1Jac
	b2          bn254.G2Jac
}

func prove(k *zkey, witness []fr.Element) (*proof, error) {
	r, err := new(fr.Element).SetRandom()
	if err != nil {
		return nil, fmt.Errorf("no randomness: %w", err)
	}
	s, err := new(fr.Element).SetRandom()
	if err != nil {
		return nil, fmt.Errorf("no randomness: %w", err)
	}
	t, err := multiply(k, witness)
	if err != nil {
		return nil, err
	}
	return blind(k, t, r, s), nil
}

// multiply runs the transforms beside the first multi-exponentiations, for neither keeps many cores busy alone on
// a small circuit.
func multiply(k *zkey, witness []fr.Element) (*sums, error) {
	type result struct {
		values []fr.Element
		err    error
	}
	quotientDone := make(chan result, 1)
	go func() {
		values, err := quotient(k, witness)
		quotientDone <- result{values, err}
	}()
	t := new(sums)
	err := multiplyWitness(k, witness, t)
	h := <-quotientDone // waited for in any case: it reads the file that the caller closes
	if err != nil {
		return nil, err
	}
	if h.err != nil {
		return nil, h.err
	}
	return t, k.sumG1(&t.h, zkeyH, h.values)
}

func multiplyWitness(k *zkey, witness []fr.Element, t *sums) error {
	if err := k.sumG1(&t.a, zkeyA, witness); err != nil {
		return err
	}
	if err := k.sumG1(&t.b1, zkeyB1, witness); err != nil {
		return err
	}
	if err := k.sumG1(&t.c, zkeyC, witness[k.nPublic+1:]); err != nil {
		return err
	}
	points, err := k.g2(zkeyB2, len(witness))
	if err != nil {
		return err
	}
	_, err = t.b2.MultiExp(points, witness, ecc.MultiExpConfig{})
	return err
}

func (k *zkey) sumG1(sum *bn254.G1Jac, id uint32, scalars []fr.Element) error {
	points, err := k.g1(id, len(scalars))
	if err != nil {
		return err
	}
	_, err = sum.MultiExp(points, scalars, ecc.MultiExpConfig{})
	return err
}

// blind adds what makes the proof independent of the witness:
//
//	A = alpha + a + r delta,  B = beta + b + s delta,  C = c + h + s A + r B - r s delta
func blind(k *zkey, t *sums, r, s *fr.Element) *proof {
	var rInt, sInt, rsInt big.Int
	var rs fr.Element
	rs.Mul(r, s).Neg(&rs)
	r.BigInt(&rInt)
	s.BigInt(&sInt)
	rs.BigInt(&rsInt)

	var delta1, term bn254.G1Jac
	delta1.FromAffine(&k.delta1)
	t.a.AddMixed(&k.vk.alpha1)
	t.a.AddAssign(term.ScalarMultiplication(&delta1, &rInt))

	t.b1.AddMixed(&k.beta1)
	t.b1.AddAssign(term.ScalarMultiplication(&delta1, &sInt))

	var delta2, term2 bn254.G2Jac
	delta2.FromAffine(&k.vk.delta2)
	t.b2.AddMixed(&k.vk.beta2)
	t.b2.AddAssign(term2.ScalarMultiplication(&delta2, &sInt))

	t.c.AddAssign(&t.h)
	t.c.AddAssign(term.ScalarMultiplication(&t.a, &sInt))
	t.c.AddAssign(term.ScalarMultiplication(&t.b1, &rInt))
	t.c.AddAssign(term.ScalarMultiplication(&delta1, &rsInt))

	p := new(proof)
	p.a.FromJacobian(&t.a)
	p.b.FromJacobian(&t.b2)
	p.c.FromJacobian(&t.c)
	return p
}
