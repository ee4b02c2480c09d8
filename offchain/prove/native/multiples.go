// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// field has what an addition needs of the coordinates of G1 (fp.Element) and of G2 (bn254.E2).
type field[T comparable] interface {
	*T
	Mul(x, y *T) *T
	Square(x *T) *T
	Sub(x, y *T) *T
	Inverse(x *T) *T
	SetOne() *T
}

// affine is a point of either group, (0, 0) at infinity.
type affine[T comparable] struct{ x, y T }

const (
	windowBits = 12
	windows    = (fr.Bits + windowBits - 1) / windowBits
)

// table has d * 2^(12 w) times the generator at [w][d]: a product is a sum of one entry of each window. Windows of 12
// bits stay in a processor's cache.
type table[T comparable] [windows][1 << windowBits]affine[T]

// multiplesG1 gives scalar * generator for each scalar, the point at infinity as (0, 0).
func multiplesG1(scalars []fr.Element) []bn254.G1Affine {
	power, _, _, _ := bn254.Generators()
	t := newTable[fp.Element](func() affine[fp.Element] {
		var p bn254.G1Affine
		p.FromJacobian(&power)
		power.DoubleAssign()
		return affine[fp.Element]{p.X, p.Y}
	})
	points := make([]bn254.G1Affine, len(scalars))
	multiples(t, scalars, func(i int, p *affine[fp.Element]) { points[i] = bn254.G1Affine{X: p.x, Y: p.y} })
	return points
}

// multiplesG2 is multiplesG1 in the other group.
func multiplesG2(scalars []fr.Element) []bn254.G2Affine {
	_, power, _, _ := bn254.Generators()
	t := newTable[bn254.E2](func() affine[bn254.E2] {
		var p bn254.G2Affine
		p.FromJacobian(&power)
		power.DoubleAssign()
		return affine[bn254.E2]{p.X, p.Y}
	})
	points := make([]bn254.G2Affine, len(scalars))
	multiples(t, scalars, func(i int, p *affine[bn254.E2]) { points[i] = bn254.G2Affine{X: p.x, Y: p.y} })
	return points
}

// newTable takes the generator times 1, 2, 4, 8 and so on.
func newTable[T comparable, F field[T]](nextPower func() affine[T]) *table[T] {
	t, add := new(table[T]), new(adder[T, F])
	for w := range t {
		for power := 1; power < len(t[w]); power *= 2 {
			t[w][power] = nextPower()
			for d := 1; d < power; d++ {
				t[w][power+d] = t[w][power]
				add.queue(&t[w][power+d], &t[w][d])
			}
			add.run()
		}
	}
	return t
}

// multiples adds up the products of many scalars window by window. No addition meets a point twice or with its
// negative: a sum before window w is a multiple below 2^(12 w) of the generator, and no scalar reaches the group's order.
func multiples[T comparable, F field[T]](t *table[T], scalars []fr.Element, set func(int, *affine[T])) {
	const batch = 1024
	_ = parallel(len(scalars), func(lo, hi int) error {
		add := new(adder[T, F])
		var sums [batch]affine[T]
		var digits [batch][windows]uint16
		for ; lo < hi; lo += batch {
			n := min(batch, hi-lo)
			clear(sums[:n])
			for i := range n {
				digits[i] = digitsOf(&scalars[lo+i])
			}
			for w := range t {
				for i := range n {
					if digit := digits[i][w]; digit > 0 {
						add.queue(&sums[i], &t[w][digit])
					}
				}
				add.run()
			}
			for i := range n {
				set(lo+i, &sums[i])
			}
		}
		return nil
	})
}

func digitsOf(scalar *fr.Element) (digits [windows]uint16) {
	words := scalar.Bits()
	for w := range digits {
		word, shift := w*windowBits/64, w*windowBits%64
		digit := words[word] >> shift
		if shift > 64-windowBits && word+1 < len(words) {
			digit |= words[word+1] << (64 - shift)
		}
		digits[w] = uint16(digit & (1<<windowBits - 1))
	}
	return digits
}

// adder adds points to sums, all with one inversion (Montgomery's trick). Sums may be at infinity; otherwise a sum and
// its point must differ in x.
type adder[T comparable, F field[T]] struct {
	sums, points          []*affine[T]
	differences, products []T
	inverse, slope, x     T // here, because they would escape to the heap as variables of a generic function
}

func (a *adder[T, F]) queue(sum, point *affine[T]) {
	if *sum == (affine[T]{}) {
		*sum = *point
		return
	}
	a.sums, a.points = append(a.sums, sum), append(a.points, point)
}

func (a *adder[T, F]) run() {
	n := len(a.sums)
	if n > len(a.differences) {
		a.differences, a.products = make([]T, n), make([]T, n+1)
	}
	if n == 0 {
		return
	}
	F(&a.products[0]).SetOne()
	for i := range n {
		F(&a.differences[i]).Sub(&a.points[i].x, &a.sums[i].x)
		F(&a.products[i+1]).Mul(&a.products[i], &a.differences[i])
	}
	F(&a.inverse).Inverse(&a.products[n])
	for i := n - 1; i >= 0; i-- {
		sum, point := a.sums[i], a.points[i]
		F(&a.slope).Sub(&point.y, &sum.y)
		F(&a.slope).Mul(&a.slope, &a.inverse)
		F(&a.slope).Mul(&a.slope, &a.products[i])
		F(&a.inverse).Mul(&a.inverse, &a.differences[i])
		F(&a.x).Square(&a.slope)
		F(&a.x).Sub(&a.x, &sum.x)
		F(&a.x).Sub(&a.x, &point.x)
		F(&sum.x).Sub(&sum.x, &a.x)
		F(&sum.x).Mul(&sum.x, &a.slope)
		F(&sum.y).Sub(&sum.x, &sum.y)
		sum.x = a.x
	}
	a.sums, a.points = a.sums[:0], a.points[:0]
}
