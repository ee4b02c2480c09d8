// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"fmt"
	"math/big"
	"sync"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

type proof struct {
	a, c bn254.G1Affine
	b    bn254.G2Affine
}

func proveFiles(zkeyName, wtnsName, proofName, publicName string) error {
	k, err := readZkey(zkeyName)
	if err != nil {
		return err
	}
	witness, err := readWitness(wtnsName, k.nVars)
	if err != nil {
		return err
	}
	p, public, err := proveChecked(k, witness)
	if err != nil {
		return fmt.Errorf("%s: %w", wtnsName, err)
	}
	return writeOutputs([]output{
		jsonOutput(proofName, proofText(p)),
		jsonOutput(publicName, publicText(public)),
	})
}

// proveChecked gives a proof and its public signals. The values of a witness are not checked one by one; one that
// breaks a constraint shows here, as does a damaged key, and a proof nobody would accept is not given.
func proveChecked(k *zkey, witness []fr.Element) (*proof, []fr.Element, error) {
	p, err := prove(k, witness)
	if err != nil {
		return nil, nil, err
	}
	public := witness[1 : k.nPublic+1]
	if err := checkProof(&k.vk, public, p); err != nil {
		return nil, nil, fmt.Errorf("does not satisfy the circuit of %s, or the key is damaged: %w", k.name, err)
	}
	return p, public, nil
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
	return blind(k, multiply(k, witness), r, s), nil
}

// multiply runs everything at once, for no part keeps many cores busy alone on a small circuit.
func multiply(k *zkey, witness []fr.Element) *sums {
	t := new(sums)
	var wait sync.WaitGroup
	for _, part := range []func(){
		func() { sumG1(&t.h, &k.h, quotient(k, witness)) },
		func() { sumG2(&t.b2, &k.b2, witness) },
		func() { sumG1(&t.a, &k.a, witness) },
		func() { sumG1(&t.b1, &k.b1, witness) },
		func() { sumG1(&t.c, &k.c, witness[k.nPublic+1:]) },
	} {
		wait.Add(1)
		go func() {
			defer wait.Done()
			part()
		}()
	}
	wait.Wait()
	return t
}

func sumG1(sum *bn254.G1Jac, b *basis[bn254.G1Affine], scalars []fr.Element) {
	points, rest := split(b, scalars, func(p *bn254.G1Affine) { sum.AddMixed(p) })
	var product bn254.G1Jac
	_, _ = product.MultiExp(points, rest, ecc.MultiExpConfig{}) // fails on unequal lengths only
	sum.AddAssign(&product)
}

func sumG2(sum *bn254.G2Jac, b *basis[bn254.G2Affine], scalars []fr.Element) {
	points, rest := split(b, scalars, func(p *bn254.G2Affine) { sum.AddMixed(p) })
	var product bn254.G2Jac
	_, _ = product.MultiExp(points, rest, ecc.MultiExpConfig{})
	sum.AddAssign(&product)
}

// split gives what a multi-exponentiation is worth its while for: most values of a witness are bits.
func split[P any](b *basis[P], scalars []fr.Element, addOne func(*P)) (points []P, rest []fr.Element) {
	points, rest = make([]P, 0, len(b.points)), make([]fr.Element, 0, len(b.points))
	for i, at := range b.index {
		if scalar := &scalars[at]; scalar.IsOne() {
			addOne(&b.points[i])
		} else if !scalar.IsZero() {
			points, rest = append(points, b.points[i]), append(rest, *scalar)
		}
	}
	return points, rest
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
