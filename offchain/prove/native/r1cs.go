// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"encoding/binary"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// Section numbers of iden3's constraint systems
// (https://github.com/iden3/r1csfile/blob/master/doc/r1cs_bin_format.md).
const (
	r1csHeader      = 1
	r1csConstraints = 2
	r1csHeaderSize  = primeSize + 4*4 + 8 + 4
	r1csEntrySize   = 4 + elementSize
)

// r1cs is a constraint system: for each constraint three linear combinations of signals, of A, B and C.
type r1cs struct {
	nVars, nPublic, nConstraints int
	constraints                  []byte // as in the file, checked
}

func readR1cs(name string) (*r1cs, error) {
	b, err := openBinFile(name, "r1cs", 1)
	if err != nil {
		return nil, err
	}
	defer b.close()
	var head [r1csHeaderSize]byte
	if err := b.headerOfCurve(r1csHeader, head[:], &modulusR); err != nil {
		return nil, err
	}
	count := func(at int) int { return int(binary.LittleEndian.Uint32(head[primeSize+at:])) }
	system := &r1cs{nVars: count(0), nPublic: count(4) + count(8), nConstraints: count(24)}
	if system.nPublic >= system.nVars {
		return nil, b.errorf("%d public signals of %d, expected fewer", system.nPublic, system.nVars)
	}
	if system.nConstraints+system.nPublic >= maxDomainSize {
		return nil, b.errorf("%d constraints, expected fewer than %d", system.nConstraints, maxDomainSize)
	}
	s, err := b.find(r1csConstraints, "constraints")
	if err != nil {
		return nil, err
	}
	system.constraints = make([]byte, s.size)
	if err := b.readAt(system.constraints, s.offset, "constraints"); err != nil {
		return nil, err
	}
	return system, system.check(b)
}

// check walks over all entries once, so that later walks can trust their lengths, signals and values.
func (system *r1cs) check(b *binFile) error {
	rest := system.constraints
	for i := range 3 * system.nConstraints {
		if len(rest) < 4 {
			return b.errorf("truncated in its constraint %d", i/3)
		}
		n := int(binary.LittleEndian.Uint32(rest))
		if rest = rest[4:]; n > len(rest)/r1csEntrySize {
			return b.errorf("truncated in its constraint %d", i/3)
		}
		for ; n > 0; n-- {
			words := readLimbs(rest[4:])
			if int(binary.LittleEndian.Uint32(rest)) >= system.nVars || !below(&words, &modulusR) {
				return b.errorf("an entry of its constraint %d is out of range", i/3)
			}
			rest = rest[r1csEntrySize:]
		}
	}
	if len(rest) > 0 {
		return b.errorf("%d bytes after the last constraint, expected none", len(rest))
	}
	return nil
}

// each visits the entries constraint by constraint, in each those of A (matrix 0), of B (1), then of C (2).
func (system *r1cs) each(visit func(matrix, constraint, signal int, value *fr.Element)) {
	rest := system.constraints
	for i := range 3 * system.nConstraints {
		n := binary.LittleEndian.Uint32(rest)
		rest = rest[4:]
		for ; n > 0; n-- {
			value, _ := fr.LittleEndian.Element((*[elementSize]byte)(rest[4:]))
			visit(i%3, i/3, int(binary.LittleEndian.Uint32(rest)), &value)
			rest = rest[r1csEntrySize:]
		}
	}
}

// polynomials gives A, B and C of each signal at tau, given the Lagrange polynomials there.
func (system *r1cs) polynomials(lagrange []fr.Element) (a, b, c []fr.Element) {
	var sums [3][]fr.Element
	for i := range sums {
		sums[i] = make([]fr.Element, system.nVars)
	}
	system.each(func(matrix, constraint, signal int, value *fr.Element) {
		var term fr.Element
		sum := &sums[matrix][signal]
		sum.Add(sum, term.Mul(value, &lagrange[constraint]))
	})
	// One more row for each public signal keeps their polynomials independent, so that no proof fits other inputs.
	for s := range system.nPublic + 1 {
		sum := &sums[0][s]
		sum.Add(sum, &lagrange[system.nConstraints+s])
	}
	return sums[0], sums[1], sums[2]
}
