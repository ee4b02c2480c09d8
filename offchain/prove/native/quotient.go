// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"encoding/binary"
	"slices"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/fft"
)

// matrix has the entries of A or of B, constraint by constraint.
type matrix struct {
	ends   []int // of each constraint's entries
	signal []uint32
	value  []fr.Element // v*R^2 for a coefficient v, as in the key: a product with a witness value is v*w*R^2
}

// quotient gives the values of A*B - C on the odd coset {w, w^3, w^5, ...} of the domain twice as large, w its
// generator. They determine it, for it has a degree below twice the domain's size and vanishes on the domain itself.
// Nothing is divided by the vanishing polynomial: the H points of the key are the Lagrange polynomials of the doubled
// domain at the odd powers, over delta, so these values are their scalars (snarkjs, src/groth16_prove.js).
func quotient(k *zkey, witness []fr.Element) []fr.Element {
	a, b := k.matrices[0].times(witness, k.domainSize), k.matrices[1].times(witness, k.domainSize)
	// The key leaves C out: on the domain itself, where the constraints hold, C is A*B.
	c := make([]fr.Element, k.domainSize)
	products(c, a, b)
	for _, values := range [][]fr.Element{a, b, c} {
		// The coefficients stay in bit-reversed order between the two, which saves two permutations.
		k.transform.FFTInverse(values, fft.DIF)
		k.transform.FFT(values, fft.DIT, fft.OnCoset())
	}
	products(a, a, b)
	_ = parallel(len(a), func(lo, hi int) error {
		for i := lo; i < hi; i++ {
			a[i].Sub(&a[i], &c[i])
		}
		return nil
	})
	return a
}

func products(to, x, y []fr.Element) {
	_ = parallel(len(to), func(lo, hi int) error {
		for i := lo; i < hi; i++ {
			to[i].Mul(&x[i], &y[i])
		}
		return nil
	})
}

// times gives the product of a matrix and a witness, as long as the domain.
func (m *matrix) times(witness []fr.Element, domainSize int) []fr.Element {
	result := make([]fr.Element, domainSize)
	plainOne := fr.Element{1} // Montgomery form of R^-1: multiplying by it takes one factor R away
	_ = parallel(len(m.ends), func(lo, hi int) error {
		at := 0
		if lo > 0 {
			at = m.ends[lo-1]
		}
		for i := lo; i < hi; i++ {
			for ; at < m.ends[i]; at++ {
				var term fr.Element
				result[i].Add(&result[i], term.Mul(&m.value[at], &witness[m.signal[at]]))
			}
			result[i].Mul(&result[i], &plainOne)
		}
		return nil
	})
	return result
}

// readMatrices sorts the entries by constraint, for a key may have them in any order.
func (k *zkey) readMatrices() error {
	s := k.sections[zkeyCoeffs]
	records := make([]byte, s.size-4)
	if err := k.readAt(records, s.offset+4, "coefficients"); err != nil {
		return err
	}
	for i := range k.matrices {
		k.matrices[i].ends = make([]int, k.domainSize)
	}
	for i := range k.nCoeffs {
		record := records[i*coeffSize:]
		matrix, constraint := binary.LittleEndian.Uint32(record), binary.LittleEndian.Uint32(record[4:])
		signal, words := binary.LittleEndian.Uint32(record[8:]), readLimbs(record[12:])
		if matrix > 1 || int64(constraint) >= int64(k.domainSize) || int64(signal) >= int64(k.nVars) ||
			!below(&words, &modulusR) {
			return k.errorf("its coefficient %d is out of range", i)
		}
		k.matrices[matrix].ends[constraint]++
	}
	for i := range k.matrices {
		k.matrices[i].startAll()
	}
	for record := range slices.Chunk(records, coeffSize) {
		m := &k.matrices[binary.LittleEndian.Uint32(record)]
		at := &m.ends[binary.LittleEndian.Uint32(record[4:])]
		m.signal[*at], m.value[*at] = binary.LittleEndian.Uint32(record[8:]), readLimbs(record[12:])
		*at++
	}
	return nil
}

// startAll turns the counts of entries into where each constraint's begin, which filling them in moves to their ends.
func (m *matrix) startAll() {
	total := 0
	for i, count := range m.ends {
		m.ends[i] = total
		total += count
	}
	m.signal, m.value = make([]uint32, total), make([]fr.Element, total)
}
