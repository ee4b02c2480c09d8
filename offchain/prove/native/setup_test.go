// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"bytes"
	"encoding/binary"
	"math/big"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/fft"
)

// The checked-in fixture is too small to be read in several batches, by several cores, or to be multiplied with the
// wide windows of a large key. This key is made here, by Groth's setup with a known trapdoor, for a chain of squares:
// variables 1, [out,] x_0 ... x_m; constraints x_i * x_i = x_(i+1) [and x_m * 1 = out].

type entry struct{ matrix, constraint, signal int }

type chain struct {
	nPublic, nVars, domain int
	entries                []entry // matrix 2 is C, which a key leaves out
}

func newChain(m, nPublic int) chain {
	c := chain{nPublic: nPublic, nVars: m + 2 + nPublic}
	x := 1 + nPublic
	for i := range m {
		c.entries = append(c.entries, entry{0, i, x + i}, entry{1, i, x + i}, entry{2, i, x + i + 1})
	}
	next := m
	if nPublic == 1 {
		c.entries = append(c.entries, entry{0, m, x + m}, entry{1, m, 0}, entry{2, m, 1})
		next++
	}
	for s := range nPublic + 1 { // as snarkjs does, so that the polynomials of public signals are independent
		c.entries = append(c.entries, entry{0, next + s, s})
	}
	c.domain = int(ecc.NextPowerOfTwo(uint64(next + nPublic + 1)))
	return c
}

func (c chain) witness() []fr.Element {
	w := make([]fr.Element, c.nVars)
	w[0].SetOne()
	x := w[1+c.nPublic:]
	x[0].SetUint64(3)
	for i := 1; i < len(x); i++ {
		x[i].Square(&x[i-1])
	}
	if c.nPublic == 1 {
		w[1] = x[len(x)-1]
	}
	return w
}

// lagrange gives the values at tau of the Lagrange polynomials of the domain of size n.
func lagrange(tau fr.Element, n int) []fr.Element {
	g, _ := fft.Generator(uint64(n))
	var vanishing, size, one fr.Element
	one.SetOne()
	vanishing.Exp(tau, big.NewInt(int64(n))).Sub(&vanishing, &one)
	size.SetUint64(uint64(n))
	values, point := make([]fr.Element, n), one
	for i := range values {
		values[i].Sub(&tau, &point).Mul(&values[i], &size).Inverse(&values[i])
		values[i].Mul(&values[i], &point).Mul(&values[i], &vanishing)
		point.Mul(&point, &g)
	}
	return values
}

type zkeyWriter struct {
	bytes.Buffer
	g1 bn254.G1Affine
	g2 bn254.G2Affine
}

func (w *zkeyWriter) put(v any) { binary.Write(w, binary.LittleEndian, v) }

func (w *zkeyWriter) section(id uint32, size int) { w.put(id); w.put(uint64(size)) }

func (w *zkeyWriter) points1(scalars ...fr.Element) {
	for _, p := range bn254.BatchScalarMultiplicationG1(&w.g1, scalars) {
		w.put([2]fp.Element{p.X, p.Y})
	}
}

func (w *zkeyWriter) points2(scalars ...fr.Element) {
	for _, p := range bn254.BatchScalarMultiplicationG2(&w.g2, scalars) {
		w.put([4]fp.Element{p.X.A0, p.X.A1, p.Y.A0, p.Y.A1})
	}
}

func (w *zkeyWriter) header(c chain, alpha, beta, gamma, delta fr.Element) {
	w.WriteString("zkey")
	w.put([]uint32{1, 9})
	w.section(zkeyProtocol, 4)
	w.put(uint32(groth16ID))
	w.section(zkeyHeader, zkeyHeaderSize)
	w.put(uint32(elementSize))
	w.put(modulusQ)
	w.put(uint32(elementSize))
	w.put(modulusR)
	w.put([]uint32{uint32(c.nVars), uint32(c.nPublic), uint32(c.domain)})
	w.points1(alpha, beta)
	w.points2(beta, gamma)
	w.points1(delta)
	w.points2(delta)
}

// sums gives, of every variable, the values at tau of its polynomials in A, B and C.
func (c chain) sums(tau fr.Element) (sums [3][]fr.Element) {
	at := lagrange(tau, c.domain)
	for i := range sums {
		sums[i] = make([]fr.Element, c.nVars)
	}
	for _, e := range c.entries {
		sum := &sums[e.matrix][e.signal]
		sum.Add(sum, &at[e.constraint])
	}
	return sums
}

func (w *zkeyWriter) coefficients(c chain) {
	var kept []entry
	for _, e := range c.entries {
		if e.matrix < 2 {
			kept = append(kept, e)
		}
	}
	w.section(zkeyCoeffs, 4+len(kept)*coeffSize)
	w.put(uint32(len(kept)))
	var twice fr.Element // its words hold 1 * R^2: it is the Montgomery form of R
	twice.SetBigInt(new(big.Int).Lsh(big.NewInt(1), 256))
	for _, e := range kept {
		w.put([]uint32{uint32(e.matrix), uint32(e.constraint), uint32(e.signal)})
		w.put(twice)
	}
}

// key writes the proving key of a chain in snarkjs's layout.
func (c chain) key() []byte {
	var alpha, beta, gamma, delta, tau, inverse fr.Element
	for i, v := range []*fr.Element{&alpha, &beta, &gamma, &delta, &tau} {
		v.SetUint64(uint64(1000003 + i))
	}
	gamma.SetOne()
	inverse.Inverse(&delta)
	w := new(zkeyWriter)
	_, _, w.g1, w.g2 = bn254.Generators()
	w.header(c, alpha, beta, gamma, delta)
	sums := c.sums(tau)
	mixed := make([]fr.Element, c.nVars) // beta A + alpha B + C, over delta unless public
	for s := range mixed {
		var a, b fr.Element
		mixed[s].Add(a.Mul(&beta, &sums[0][s]), b.Mul(&alpha, &sums[1][s])).Add(&mixed[s], &sums[2][s])
		if s > c.nPublic {
			mixed[s].Mul(&mixed[s], &inverse)
		}
	}
	w.coefficients(c)
	w.section(zkeyIC, (c.nPublic+1)*g1Size)
	w.points1(mixed[:c.nPublic+1]...)
	w.section(zkeyA, c.nVars*g1Size)
	w.points1(sums[0]...)
	w.section(zkeyB1, c.nVars*g1Size)
	w.points1(sums[1]...)
	w.section(zkeyB2, c.nVars*g2Size)
	w.points2(sums[1]...)
	w.section(zkeyC, (c.nVars-c.nPublic-1)*g1Size)
	w.points1(mixed[c.nPublic+1:]...)
	w.hPoints(lagrange(tau, 2*c.domain), &inverse)
	return w.Bytes()
}

func (w *zkeyWriter) hPoints(doubled []fr.Element, inverseDelta *fr.Element) {
	odd := make([]fr.Element, len(doubled)/2)
	for i := range odd {
		odd[i].Mul(&doubled[2*i+1], inverseDelta)
	}
	w.section(zkeyH, len(odd)*g1Size)
	w.points1(odd...)
}

func TestLargerKeys(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(5))
	for _, m := range []int{1, 255, 2600} {
		for nPublic := range 2 {
			c := newChain(m, nPublic)
			k, err := openZkey(write(t, "chain.zkey", c.key()))
			if err != nil {
				t.Fatal(err)
			}
			witness := c.witness()
			p, err := prove(k, witness)
			if err != nil {
				t.Fatal(err)
			}
			if err := checkProof(&k.vk, witness[1:nPublic+1], p); err != nil {
				t.Errorf("%d squares, %d public: %v", m, nPublic, err)
			}
			witness[len(witness)/2].Double(&witness[len(witness)/2])
			if p, err = prove(k, witness); err != nil {
				t.Fatal(err)
			}
			if checkProof(&k.vk, witness[1:nPublic+1], p) == nil {
				t.Errorf("%d squares, %d public: a wrong witness passes", m, nPublic)
			}
			k.close()
		}
	}
}

func TestParallelCoversOnce(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(7))
	for _, n := range []int{0, 1, 511, 512, 1025, 5003} {
		seen := make([]atomic.Int32, n)
		_ = parallel(n, func(lo, hi int) error {
			for ; lo < hi; lo++ {
				seen[lo].Add(1)
			}
			return nil
		})
		for i := range seen {
			if seen[i].Load() != 1 {
				t.Fatalf("%d of %d visited %d times", i, n, seen[i].Load())
			}
		}
	}
}
