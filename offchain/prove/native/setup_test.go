// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"bytes"
	"encoding/binary"
	"math/big"
	"os"
	"path/filepath"
	"runtime"
	"strings"
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

// lagrangeOneByOne gives the values at tau of the Lagrange polynomials of the domain of size n.
func lagrangeOneByOne(tau fr.Element, n int) []fr.Element {
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
	at := lagrangeOneByOne(tau, c.domain)
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
	w.hPoints(lagrangeOneByOne(tau, 2*c.domain), &inverse)
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
			k, err := readZkey(write(t, "chain.zkey", c.key()))
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

// r1cs writes the constraints of a chain as the compiler would.
func (c chain) r1cs() []byte {
	constraints := 0
	terms := map[[2]int][]int{}
	for _, e := range c.entries {
		terms[[2]int{e.constraint, e.matrix}] = append(terms[[2]int{e.constraint, e.matrix}], e.signal)
		if e.matrix == 2 {
			constraints = e.constraint + 1
		}
	}
	w, body := new(zkeyWriter), new(zkeyWriter)
	for i := range 3 * constraints {
		signals := terms[[2]int{i / 3, i % 3}]
		body.put(uint32(len(signals)))
		for _, s := range signals {
			body.put([]uint32{uint32(s), 1, 0, 0, 0, 0, 0, 0, 0})
		}
	}
	w.WriteString("r1cs")
	w.put([]uint32{1, 2})
	w.section(r1csHeader, r1csHeaderSize)
	w.put(uint32(elementSize))
	w.put(modulusR)
	w.put([]uint32{uint32(c.nVars), uint32(c.nPublic), 0, 0, 0, 0, uint32(constraints)})
	w.section(r1csConstraints, body.Len())
	w.Write(body.Bytes())
	return w.Bytes()
}

func TestDevelopmentKeyProves(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(3))
	c := newChain(1500, 1)
	name := filepath.Join(t.TempDir(), "chain.zkey")
	if code, stderr := command("devkey", write(t, "chain.r1cs", c.r1cs()), name); code != exitDone {
		t.Fatal(stderr)
	}
	k, err := readZkey(name)
	if err != nil {
		t.Fatal(err)
	}
	witness := c.witness()
	p, err := prove(k, witness)
	if err == nil {
		err = checkProof(&k.vk, witness[1:2], p)
	}
	if err != nil {
		t.Error(err)
	}
}

func TestDevelopmentKeyOfBrokenSystem(t *testing.T) {
	whole := newChain(3, 1).r1cs()
	at := func(offset int, with byte) []byte {
		file := bytes.Clone(whole)
		file[offset] = with
		return file
	}
	header := fileHeaderSize + sectionHeaderSize
	constraints := header + r1csHeaderSize + sectionHeaderSize
	for words, file := range map[string][]byte{
		"wrong curve":                at(header+4, 7),
		"public signals of":          at(header+primeSize+4, 200),
		"truncated in its":           at(header+primeSize+24, 200),
		"after the last constraint":  at(header+primeSize+24, 3),
		"constraint 0 is out of":     at(constraints+4, 200),
		"truncated: section 2 says":  whole[:len(whole)-1],
		"not a r1cs file":            read(t, tinyZkey),
		"truncated in its constrain": at(constraints, 200),
	} {
		name := filepath.Join(t.TempDir(), "chain.zkey")
		code, stderr := command("devkey", write(t, "broken.r1cs", file), name)
		if code != exitFailed || !strings.Contains(stderr, words) {
			t.Errorf("exit %d, %q; expected %q", code, stderr, words)
		}
		if _, err := os.Stat(name); err == nil {
			t.Errorf("%q: a key was left", words)
		}
	}
}

func TestMultiplesAtTheEdgesOfWindows(t *testing.T) {
	var scalars []fr.Element
	for _, text := range []string{"0", "1", "4095", "4096", "4097", "-1", "-2", "18446744073709551615", "18446744073709551616"} {
		var v fr.Element
		v.SetString(text)
		scalars = append(scalars, v)
	}
	_, _, base1, base2 := bn254.Generators()
	got1, got2 := multiplesG1(scalars), multiplesG2(scalars)
	for i := range scalars {
		var n big.Int
		scalars[i].BigInt(&n)
		var want1 bn254.G1Affine
		var want2 bn254.G2Affine
		if want1.ScalarMultiplication(&base1, &n); !got1[i].Equal(&want1) {
			t.Errorf("%s in G1", &n)
		}
		if want2.ScalarMultiplication(&base2, &n); !got2[i].Equal(&want2) {
			t.Errorf("%s in G2", &n)
		}
	}
}
