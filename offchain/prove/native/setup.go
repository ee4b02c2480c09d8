// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"bufio"
	"crypto/sha512"
	"encoding/binary"
	"io"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/fft"
)

// developmentSeed is public, so these keys prove nothing to anybody; see DEVELOPMENT_SEED in offchain/prove/keys.ts.
const developmentSeed = "hokusai development key, trapdoor known to everybody"

type trapdoor struct{ tau, alpha, beta, delta fr.Element }

func trapdoorOf(seed string) trapdoor {
	secret := func(name string) (z fr.Element) {
		digest := sha512.Sum512([]byte(seed + ":" + name))
		n, one := new(big.Int).SetBytes(digest[:]), big.NewInt(1)
		n.Mod(n, new(big.Int).Sub(fr.Modulus(), one))
		z.SetBigInt(n.Add(n, one))
		return z
	}
	return trapdoor{secret("tau"), secret("alpha"), secret("beta"), secret("delta")}
}

// developmentKeyFile writes the development key of a constraint system: byte by byte what developmentKey of
// offchain/prove/keys.ts makes, where the formulas are explained.
func developmentKeyFile(r1csName, zkeyName string) error {
	system, err := readR1cs(r1csName)
	if err != nil {
		return err
	}
	return writeOutputs([]output{{zkeyName, func(file io.Writer) error {
		w := &keyWriter{Writer: bufio.NewWriterSize(file, 1<<20)}
		w.key(system, trapdoorOf(developmentSeed))
		if w.err == nil {
			w.err = w.Flush()
		}
		return w.err
	}}})
}

// keyWriter writes a key section by section, so that no more than one is in memory; its first error stays.
type keyWriter struct {
	*bufio.Writer
	err error
}

func (w *keyWriter) put(values ...any) {
	for _, v := range values {
		if w.err == nil {
			w.err = binary.Write(w, binary.LittleEndian, v)
		}
	}
}

func (w *keyWriter) section(id uint32, size int) { w.put(id, uint64(size)) }

func (w *keyWriter) key(system *r1cs, t trapdoor) {
	domain := domainOf(system)
	at := lagrange(t.tau, domain)
	a, b, c := system.polynomials(at)
	inputs := system.nPublic + 1
	mixed := mix(a, b, c, t, inputs)
	w.put([]byte("zkey"), uint32(1), uint32(10))
	w.section(zkeyProtocol, 4)
	w.put(uint32(groth16ID))
	w.header(system, domain, t)
	w.points1(zkeyIC, mixed[:inputs])
	w.coefficients(system)
	w.points1(zkeyA, a)
	w.points1(zkeyB1, b)
	w.points2(zkeyB2, b)
	w.points1(zkeyC, mixed[inputs:])
	w.points1(zkeyH, oddLagrange(t, domain))
	// No ceremony took place: no circuit hash to compare with, and no contributions.
	w.section(zkeyContributions, 64+4)
	w.put(make([]byte, 64+4))
}

// domainOf is the smallest power of two above constraints and public signals, one row for each of which is added.
func domainOf(system *r1cs) int {
	size := 1
	for size <= system.nConstraints+system.nPublic {
		size *= 2
	}
	return size
}

// mix gives beta A + alpha B + C at tau, over delta but for the public signals.
func mix(a, b, c []fr.Element, t trapdoor, inputs int) []fr.Element {
	var perDelta fr.Element
	perDelta.Inverse(&t.delta)
	mixed := make([]fr.Element, len(a))
	for s := range mixed {
		var x, y fr.Element
		mixed[s].Add(x.Mul(&t.beta, &a[s]), y.Mul(&t.alpha, &b[s])).Add(&mixed[s], &c[s])
		if s >= inputs {
			mixed[s].Mul(&mixed[s], &perDelta)
		}
	}
	return mixed
}

// lagrange gives L_i(tau) = (tau^n - 1) / n * w^i / (tau - w^i) for all points of the domain of n.
func lagrange(tau fr.Element, n int) []fr.Element {
	root, err := fft.Generator(uint64(n))
	if err != nil {
		panic(err) // the number of constraints is bounded where they are read
	}
	var scale, size, one fr.Element
	one.SetOne()
	scale.Exp(tau, big.NewInt(int64(n))).Sub(&scale, &one)
	scale.Mul(&scale, size.SetUint64(uint64(n)).Inverse(&size))
	points, differences := make([]fr.Element, n), make([]fr.Element, n)
	for i, point := 0, one; i < n; i++ {
		points[i].Set(&point)
		differences[i].Sub(&tau, &point)
		point.Mul(&point, &root)
	}
	inverses := fr.BatchInvert(differences)
	for i := range points {
		points[i].Mul(&points[i], &inverses[i]).Mul(&points[i], &scale)
	}
	return points
}

// oddLagrange gives, over delta, the Lagrange polynomials of the odd points of a domain of twice the size.
func oddLagrange(t trapdoor, domain int) []fr.Element {
	var perDelta fr.Element
	perDelta.Inverse(&t.delta)
	doubled := lagrange(t.tau, 2*domain)
	for i := range domain {
		doubled[i].Mul(&doubled[2*i+1], &perDelta)
	}
	return doubled[:domain]
}

func (w *keyWriter) header(system *r1cs, domain int, t trapdoor) {
	var one fr.Element
	one.SetOne()
	g1 := multiplesG1([]fr.Element{t.alpha, t.beta, t.delta})
	g2 := multiplesG2([]fr.Element{t.beta, one, t.delta})
	w.section(zkeyHeader, zkeyHeaderSize)
	w.put(uint32(elementSize), modulusQ, uint32(elementSize), modulusR)
	w.put(uint32(system.nVars), uint32(system.nPublic), uint32(domain))
	for _, p := range []any{g1[0], g1[1], g2[0], g2[1], g1[2], g2[2]} {
		w.point(p)
	}
}

// point writes coordinates as they are in memory: in Montgomery form, as the file wants them.
func (w *keyWriter) point(point any) {
	switch p := point.(type) {
	case bn254.G1Affine:
		w.coordinates(&p.X, &p.Y)
	case bn254.G2Affine:
		w.coordinates(&p.X.A0, &p.X.A1, &p.Y.A0, &p.Y.A1)
	}
}

func (w *keyWriter) coordinates(coordinates ...*fp.Element) {
	var bytes [elementSize]byte
	for _, z := range coordinates {
		for i, word := range z {
			binary.LittleEndian.PutUint64(bytes[8*i:], word)
		}
		if _, err := w.Write(bytes[:]); err != nil && w.err == nil {
			w.err = err
		}
	}
}

func (w *keyWriter) points1(id uint32, scalars []fr.Element) {
	w.section(id, len(scalars)*g1Size)
	for _, p := range multiplesG1(scalars) {
		w.point(p)
	}
}

func (w *keyWriter) points2(id uint32, scalars []fr.Element) {
	w.section(id, len(scalars)*g2Size)
	for _, p := range multiplesG2(scalars) {
		w.point(p)
	}
}

// coefficients writes the entries of A and B as the prover evaluates them, with the factor 2^512 that snarkjs expects.
func (w *keyWriter) coefficients(system *r1cs) {
	count := system.nPublic + 1
	system.each(func(matrix, _, _ int, _ *fr.Element) {
		if matrix < 2 {
			count++
		}
	})
	w.section(zkeyCoeffs, 4+count*coeffSize)
	w.put(uint32(count))
	var twice fr.Element // the Montgomery form of R: a product with it has the words of value * R^2
	twice.SetBigInt(new(big.Int).Lsh(big.NewInt(1), 256))
	var record [coeffSize]byte
	write := func(matrix, row, signal int, value *fr.Element) {
		if matrix == 2 {
			return
		}
		var scaled fr.Element
		scaled.Mul(value, &twice)
		binary.LittleEndian.PutUint32(record[:], uint32(matrix))
		binary.LittleEndian.PutUint32(record[4:], uint32(row))
		binary.LittleEndian.PutUint32(record[8:], uint32(signal))
		for i, word := range scaled {
			binary.LittleEndian.PutUint64(record[12+8*i:], word)
		}
		if _, err := w.Write(record[:]); err != nil && w.err == nil {
			w.err = err
		}
	}
	system.each(write)
	var one fr.Element
	one.SetOne()
	for s := range system.nPublic + 1 {
		write(0, system.nConstraints+s, s, &one)
	}
}
