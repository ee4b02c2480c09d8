// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"encoding/binary"
	"math/big"
	"math/bits"
	"runtime"
	"sync"

	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// elementSize is the length in bytes of an element of either field of bn254, in every file.
const elementSize = 32

// limbs is a number below 2^256, least significant word first; it is also how gnark-crypto holds an element.
type limbs = [4]uint64

var (
	modulusQ = limbsOf(fp.Modulus())
	modulusR = limbsOf(fr.Modulus())
)

func limbsOf(n *big.Int) limbs {
	var be [elementSize]byte
	n.FillBytes(be[:])
	var z limbs
	for i := range z {
		z[i] = binary.BigEndian.Uint64(be[24-8*i:])
	}
	return z
}

func readLimbs(b []byte) limbs {
	_ = b[elementSize-1]
	return limbs{
		binary.LittleEndian.Uint64(b),
		binary.LittleEndian.Uint64(b[8:]),
		binary.LittleEndian.Uint64(b[16:]),
		binary.LittleEndian.Uint64(b[24:]),
	}
}

// below reports z < m: gnark-crypto's arithmetic is defined on reduced elements only.
func below(z, m *limbs) bool {
	_, borrow := bits.Sub64(z[0], m[0], 0)
	_, borrow = bits.Sub64(z[1], m[1], borrow)
	_, borrow = bits.Sub64(z[2], m[2], borrow)
	_, borrow = bits.Sub64(z[3], m[3], borrow)
	return borrow == 1
}

// parallel splits [0, n) over the cores and returns the first range's error, if any failed.
func parallel(n int, work func(lo, hi int) error) error {
	const smallest = 512 // below this a goroutine costs more than it saves
	parts := min(runtime.GOMAXPROCS(0), n/smallest)
	if parts <= 1 {
		return work(0, n)
	}
	errs := make([]error, parts)
	var wait sync.WaitGroup
	for i := range parts {
		wait.Add(1)
		go func() {
			defer wait.Done()
			errs[i] = work(n/parts*i+min(i, n%parts), n/parts*(i+1)+min(i+1, n%parts))
		}()
	}
	wait.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
