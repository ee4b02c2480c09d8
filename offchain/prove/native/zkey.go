// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"encoding/binary"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/fft"
)

// Section numbers of a snarkjs Groth16 proving key (snarkjs, src/zkey_utils.js).
const (
	zkeyProtocol      = 1
	zkeyHeader        = 2
	zkeyIC            = 3
	zkeyCoeffs        = 4
	zkeyA             = 5
	zkeyB1            = 6
	zkeyB2            = 7
	zkeyC             = 8
	zkeyH             = 9
	zkeyContributions = 10
)

const (
	g1Size         = 2 * elementSize
	g2Size         = 4 * elementSize
	coeffSize      = 3*4 + elementSize
	zkeyHeaderSize = 2*primeSize + 3*4 + 3*g1Size + 3*g2Size
	groth16ID      = 1
	// 2^28 divides r-1 and the quotient is evaluated on the odd coset of the doubled domain.
	maxDomainSize = 1 << 27
)

// zkey is a proving key, all of it in memory: checking its points costs as much as a fifth of a proof.
type zkey struct {
	*binFile
	nVars, nPublic, domainSize int
	nCoeffs                    int
	beta1, delta1              bn254.G1Affine
	vk                         verifyingKey
	matrices                   [2]matrix // A and B
	a, b1, c, h                basis[bn254.G1Affine]
	b2                         basis[bn254.G2Affine]
	transform                  *fft.Domain
}

// basis is what is multiplied with scalars, without the points at infinity: signals that do not occur.
type basis[P any] struct {
	points []P
	index  []uint32 // of the scalar of each point
}

func readZkey(name string) (*zkey, error) {
	b, err := openBinFile(name, "zkey", 2)
	if err != nil {
		return nil, err
	}
	defer b.close()
	k := &zkey{binFile: b}
	return k, k.load()
}

func (k *zkey) load() error {
	if err := k.readHeader(); err != nil {
		return err
	}
	if err := k.checkSizes(); err != nil {
		return err
	}
	ic, err := k.g1(zkeyIC, k.nPublic+1)
	if err != nil {
		return err
	}
	for i := range ic {
		// A signal whose point is at infinity could be replaced by any other without the proof noticing.
		if ic[i].IsInfinity() {
			return k.errorf("section %d (public points): point %d is at infinity, expected any other", zkeyIC, i)
		}
	}
	k.vk.ic = ic
	if err := k.readMatrices(); err != nil {
		return err
	}
	if err := k.readBases(); err != nil {
		return err
	}
	shift, err := fft.Generator(uint64(2 * k.domainSize))
	k.transform = fft.NewDomain(uint64(k.domainSize), fft.WithShift(shift))
	return err
}

func (k *zkey) readBases() error {
	for _, s := range []struct {
		id     uint32
		points int
		into   *basis[bn254.G1Affine]
	}{
		{zkeyA, k.nVars, &k.a},
		{zkeyB1, k.nVars, &k.b1},
		{zkeyC, k.nVars - k.nPublic - 1, &k.c},
		{zkeyH, k.domainSize, &k.h},
	} {
		points, err := k.g1(s.id, s.points)
		if err != nil {
			return err
		}
		*s.into = basisOf(points, (*bn254.G1Affine).IsInfinity)
	}
	points, err := k.g2(zkeyB2, k.nVars)
	k.b2 = basisOf(points, (*bn254.G2Affine).IsInfinity)
	return err
}

func basisOf[P any](points []P, isInfinity func(*P) bool) basis[P] {
	b := basis[P]{points[:0], make([]uint32, 0, len(points))}
	for i := range points {
		if !isInfinity(&points[i]) {
			b.points, b.index = append(b.points, points[i]), append(b.index, uint32(i))
		}
	}
	return b
}

func (k *zkey) readHeader() error {
	s, err := k.sized(zkeyProtocol, "protocol", 4)
	if err != nil {
		return err
	}
	var head [zkeyHeaderSize]byte
	if err := k.readAt(head[:4], s.offset, "protocol"); err != nil {
		return err
	}
	if id := binary.LittleEndian.Uint32(head[:]); id != groth16ID {
		return k.errorf("a key of protocol %d, expected %d (groth16)", id, groth16ID)
	}
	if err := k.headerOfCurve(zkeyHeader, head[:], &modulusQ, &modulusR); err != nil {
		return err
	}
	if err := k.readCounts(head[2*primeSize:]); err != nil {
		return err
	}
	return k.readHeaderPoints(head[2*primeSize+12:])
}

func (k *zkey) readCounts(b []byte) error {
	nVars := binary.LittleEndian.Uint32(b)
	nPublic := binary.LittleEndian.Uint32(b[4:])
	domain := binary.LittleEndian.Uint32(b[8:])
	if nPublic >= nVars {
		return k.errorf("%d public signals of %d variables, expected fewer", nPublic, nVars)
	}
	if domain < 2 || domain&(domain-1) != 0 || domain > maxDomainSize {
		return k.errorf("domain of %d, expected a power of two from 2 to %d", domain, maxDomainSize)
	}
	k.nVars, k.nPublic, k.domainSize = int(nVars), int(nPublic), int(domain)
	return nil
}

func (k *zkey) readHeaderPoints(b []byte) error {
	g1 := []*bn254.G1Affine{&k.vk.alpha1, &k.beta1, &k.delta1}
	g2 := []*bn254.G2Affine{&k.vk.beta2, &k.vk.gamma2, &k.vk.delta2}
	offsets1 := []int{0, g1Size, 2*g1Size + 2*g2Size}
	offsets2 := []int{2 * g1Size, 2*g1Size + g2Size, 3*g1Size + 2*g2Size}
	for i, p := range g1 {
		if !setG1(p, b[offsets1[i]:]) || p.IsInfinity() {
			return k.errorf("section %d (header): its G1 point %d is not a point of bn128", zkeyHeader, i)
		}
	}
	for i, p := range g2 {
		if !setG2(p, b[offsets2[i]:]) || p.IsInfinity() || !p.IsInSubGroup() {
			return k.errorf("section %d (header): its G2 point %d is not a point of bn128's group", zkeyHeader, i)
		}
	}
	return nil
}

// checkSizes compares every section with the counts of the header, so that what is allocated later is bounded by
// the size of the file.
func (k *zkey) checkSizes() error {
	s, err := k.find(zkeyCoeffs, "coefficients")
	if err != nil {
		return err
	}
	if s.size < 4 || (s.size-4)%coeffSize != 0 {
		return k.errorf("section %d (coefficients) has %d bytes, expected 4 and a multiple of %d",
			zkeyCoeffs, s.size, coeffSize)
	}
	var count [4]byte
	if err := k.readAt(count[:], s.offset, "coefficients"); err != nil {
		return err
	}
	n := int64(binary.LittleEndian.Uint32(count[:]))
	k.nCoeffs = int(n)
	for _, want := range []struct {
		id   uint32
		what string
		size int64
	}{
		{zkeyIC, "public points", int64(k.nPublic+1) * g1Size},
		{zkeyCoeffs, "coefficients", 4 + n*coeffSize},
		{zkeyA, "A points", int64(k.nVars) * g1Size},
		{zkeyB1, "B points in G1", int64(k.nVars) * g1Size},
		{zkeyB2, "B points in G2", int64(k.nVars) * g2Size},
		{zkeyC, "C points", int64(k.nVars-k.nPublic-1) * g1Size},
		{zkeyH, "H points", int64(k.domainSize) * g1Size},
	} {
		if _, err := k.sized(want.id, want.what, want.size); err != nil {
			return err
		}
	}
	return nil
}

func (k *zkey) g1(id uint32, n int) ([]bn254.G1Affine, error) {
	points := make([]bn254.G1Affine, n)
	return points, k.eachPoint(id, n, g1Size, func(i int, b []byte) bool { return setG1(&points[i], b) })
}

// g2 leaves out the subgroup check, which costs as much as the multiplication itself; a proof made from a point
// outside the group does not pass the check that follows it.
func (k *zkey) g2(id uint32, n int) ([]bn254.G2Affine, error) {
	points := make([]bn254.G2Affine, n)
	return points, k.eachPoint(id, n, g2Size, func(i int, b []byte) bool { return setG2(&points[i], b) })
}

func (k *zkey) eachPoint(id uint32, n int, size int, set func(i int, b []byte) bool) error {
	const batch = 256
	start := k.sections[id].offset
	return parallel(n, func(lo, hi int) error {
		buffer := make([]byte, batch*size)
		for ; lo < hi; lo += batch {
			part := buffer[:min(batch, hi-lo)*size]
			if err := k.readAt(part, start+int64(lo)*int64(size), "points"); err != nil {
				return err
			}
			for j := 0; j*size < len(part); j++ {
				if !set(lo+j, part[j*size:]) {
					return k.errorf("section %d: its point %d is not on the curve", id, lo+j)
				}
			}
		}
		return nil
	})
}

// setG1 copies the words as they are: the file and gnark-crypto both hold coordinates in Montgomery form with
// R = 2^256, and both write the point at infinity as (0, 0).
func setG1(p *bn254.G1Affine, b []byte) bool {
	return setFp(&p.X, b) && setFp(&p.Y, b[elementSize:]) && p.IsOnCurve()
}

func setG2(p *bn254.G2Affine, b []byte) bool {
	return setFp(&p.X.A0, b) && setFp(&p.X.A1, b[elementSize:]) &&
		setFp(&p.Y.A0, b[2*elementSize:]) && setFp(&p.Y.A1, b[3*elementSize:]) && p.IsOnCurve()
}

func setFp(z *fp.Element, b []byte) bool {
	words := readLimbs(b)
	*z = fp.Element(words)
	return below(&words, &modulusQ)
}
