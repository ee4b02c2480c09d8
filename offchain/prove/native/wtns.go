// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"encoding/binary"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// Section numbers of a snarkjs witness (snarkjs, src/wtns_utils.js).
const (
	wtnsHeader     = 1
	wtnsValues     = 2
	wtnsHeaderSize = primeSize + 4
)

// readWitness reads the values of all nVars variables; the first is the constant 1, the public ones follow.
func readWitness(name string, nVars int) ([]fr.Element, error) {
	b, err := openBinFile(name, "wtns", 2)
	if err != nil {
		return nil, err
	}
	return b.witness(nVars)
}

func (b *binFile) witness(nVars int) ([]fr.Element, error) {
	defer b.close()
	if err := b.checkWitnessHeader(nVars); err != nil {
		return nil, err
	}
	s, err := b.sized(wtnsValues, "values", int64(nVars)*elementSize)
	if err != nil {
		return nil, err
	}
	values := make([]fr.Element, nVars)
	err = parallel(nVars, func(lo, hi int) error { return b.readValues(values, s, lo, hi) })
	if err != nil {
		return nil, err
	}
	if !values[0].IsOne() {
		return nil, b.errorf("its first value is not 1")
	}
	return values, nil
}

func (b *binFile) checkWitnessHeader(nVars int) error {
	var head [wtnsHeaderSize]byte
	if err := b.headerOfCurve(wtnsHeader, head[:], &modulusR); err != nil {
		return err
	}
	if n := binary.LittleEndian.Uint32(head[primeSize:]); int64(n) != int64(nVars) {
		return b.errorf("a witness of %d values, the key expects %d", n, nVars)
	}
	return nil
}

func (b *binFile) readValues(values []fr.Element, s section, lo, hi int) error {
	const batch = 512
	buffer := make([]byte, batch*elementSize)
	for ; lo < hi; lo += batch {
		part := buffer[:min(batch, hi-lo)*elementSize]
		if err := b.readAt(part, s.offset+int64(lo)*elementSize, "values"); err != nil {
			return err
		}
		for j := 0; j*elementSize < len(part); j++ {
			v, err := fr.LittleEndian.Element((*[elementSize]byte)(part[j*elementSize:]))
			if err != nil {
				return b.errorf("its value %d is not below the group order", lo+j)
			}
			values[lo+j] = v
		}
	}
	return nil
}
