// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"bufio"
	"encoding/binary"
	"io"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/fft"
)

// quotient gives the values of A*B - C on the odd coset {w, w^3, w^5, ...} of the domain twice as large, w its
// generator. They determine it, for it has a degree below twice the domain's size and vanishes on the domain itself.
// Nothing is divided by the vanishing polynomial: the H points of the key are the Lagrange polynomials of the doubled
// domain at the odd powers, over delta, so these values are their scalars (snarkjs, src/groth16_prove.js).
func quotient(k *zkey, witness []fr.Element) ([]fr.Element, error) {
	a, b, err := evaluateConstraints(k, witness)
	if err != nil {
		return nil, err
	}
	// The key leaves C out: on the domain itself, where the constraints hold, C is A*B.
	c := make([]fr.Element, k.domainSize)
	err = parallel(k.domainSize, func(lo, hi int) error {
		plainOne := fr.Element{1} // Montgomery form of R^-1: multiplying by it takes one factor R away
		for i := lo; i < hi; i++ {
			a[i].Mul(&a[i], &plainOne)
			b[i].Mul(&b[i], &plainOne)
			c[i].Mul(&a[i], &b[i])
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	shift, err := fft.Generator(uint64(2 * k.domainSize))
	if err != nil {
		return nil, err
	}
	domain := fft.NewDomain(uint64(k.domainSize), fft.WithShift(shift))
	for _, values := range [][]fr.Element{a, b, c} {
		// The coefficients stay in bit-reversed order between the two, which saves two permutations.
		domain.FFTInverse(values, fft.DIF)
		domain.FFT(values, fft.DIT, fft.OnCoset())
	}
	err = parallel(k.domainSize, func(lo, hi int) error {
		for i := lo; i < hi; i++ {
			a[i].Mul(&a[i], &b[i])
			a[i].Sub(&a[i], &c[i])
		}
		return nil
	})
	return a, err
}

// evaluateConstraints gives A*w and B*w, each with one factor R = 2^256 too many: the key stores v*R^2 for a
// coefficient v, so its product with a witness value is in Montgomery form once too often.
func evaluateConstraints(k *zkey, witness []fr.Element) (a, b []fr.Element, err error) {
	a = make([]fr.Element, k.domainSize)
	b = make([]fr.Element, k.domainSize)
	s := k.sections[zkeyCoeffs]
	in := bufio.NewReaderSize(io.NewSectionReader(k.file, s.offset+4, s.size-4), 1<<16)
	var record [coeffSize]byte
	for i := range k.nCoeffs {
		if _, err := io.ReadFull(in, record[:]); err != nil {
			return nil, nil, k.errorf("cannot read its coefficient %d: %v", i, err)
		}
		matrix := binary.LittleEndian.Uint32(record[:])
		constraint := binary.LittleEndian.Uint32(record[4:])
		signal := binary.LittleEndian.Uint32(record[8:])
		words := readLimbs(record[12:])
		if matrix > 1 || int64(constraint) >= int64(k.domainSize) || int64(signal) >= int64(k.nVars) ||
			!below(&words, &modulusR) {
			return nil, nil, k.errorf("its coefficient %d is out of range", i)
		}
		sum := &a[constraint]
		if matrix == 1 {
			sum = &b[constraint]
		}
		value := fr.Element(words)
		value.Mul(&value, &witness[signal])
		sum.Add(sum, &value)
	}
	return a, b, nil
}
