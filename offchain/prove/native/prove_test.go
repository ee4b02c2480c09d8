// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"bytes"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

func proveTiny(t *testing.T) (proofName, publicName string) {
	t.Helper()
	dir := t.TempDir()
	proofName, publicName = filepath.Join(dir, "proof.json"), filepath.Join(dir, "public.json")
	if code, stderr := command("prove", tinyZkey, tinyWtns, proofName, publicName); code != exitDone {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	return proofName, publicName
}

func TestProveThenVerify(t *testing.T) {
	proofName, publicName := proveTiny(t)
	if code, stderr := command("verify", tinyVkey, publicName, proofName); code != exitDone {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	// snarkjs's own layout, byte by byte; the fixture's may have gone through a formatter of JSON.
	if got := string(read(t, publicName)); got != "[\n \"27\",\n \"627\",\n \"11\"\n]" {
		t.Errorf("public.json is %q", got)
	}
	if left, _ := os.ReadDir(filepath.Dir(proofName)); len(left) != 2 {
		t.Errorf("left %v", left)
	}
}

// Two proofs of one witness share no point, or their blinding would be missing.
func TestProofsAreBlinded(t *testing.T) {
	k, err := readZkey(tinyZkey)
	if err != nil {
		t.Fatal(err)
	}
	witness, err := readWitness(tinyWtns, k.nVars)
	if err != nil {
		t.Fatal(err)
	}
	var made [2]*proof
	for i := range made {
		if made[i], err = prove(k, witness); err != nil {
			t.Fatal(err)
		}
	}
	if made[0].a.Equal(&made[1].a) || made[0].b.Equal(&made[1].b) || made[0].c.Equal(&made[1].c) {
		t.Error("two proofs share a point")
	}
}

func TestReplacesWhatWasThere(t *testing.T) {
	proofName := write(t, "proof.json", []byte("old"))
	publicName := filepath.Join(filepath.Dir(proofName), "public.json")
	if code, stderr := command("prove", tinyZkey, tinyWtns, proofName, publicName); code != exitDone {
		t.Fatal(stderr)
	}
	if !bytes.Contains(read(t, proofName), []byte("pi_a")) {
		t.Error("the old file is still there")
	}
	absent := filepath.Join(filepath.Dir(proofName), "absent", "public.json")
	before := read(t, proofName)
	if code, _ := command("prove", tinyZkey, tinyWtns, proofName, absent); code != exitFailed {
		t.Error("wrote into a folder that does not exist")
	}
	if !bytes.Equal(before, read(t, proofName)) {
		t.Error("one of the two files was replaced")
	}
}

func TestWrongWitness(t *testing.T) {
	whole := read(t, tinyWtns)
	offsets, _ := tableOf(whole)
	values := offsets[1] + sectionHeaderSize
	for i := 1; i < 6; i++ {
		changed := bytes.Clone(whole)
		changed[values+i*elementSize]++
		refuseBoth(t, tinyWtns, changed, "does not satisfy the circuit")
	}
	notOne := bytes.Clone(whole)
	notOne[values] = 2
	refuseBoth(t, tinyWtns, notOne, "first value is not 1")
	big := bytes.Clone(whole)
	for i := range elementSize {
		big[values+4*elementSize+i] = 0xff
	}
	refuseBoth(t, tinyWtns, big, "value 4 is not below the group order")
}

// Every change to the key is refused or harmless: never a panic, never a proof that the right key does not accept.
func TestDamagedKey(t *testing.T) {
	whole := read(t, tinyZkey)
	step := 5
	if testing.Short() {
		step = 61
	}
	dir := t.TempDir()
	zkeyName := filepath.Join(dir, "damaged.zkey")
	proofName, publicName := filepath.Join(dir, "proof.json"), filepath.Join(dir, "public.json")
	for at := 0; at < len(whole); at += step {
		damaged := bytes.Clone(whole)
		damaged[at] ^= 0x81
		if err := os.WriteFile(zkeyName, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		code, _ := command("prove", zkeyName, tinyWtns, proofName, publicName)
		if code == exitDone {
			code, stderr := command("verify", tinyVkey, publicName, proofName)
			if code != exitDone {
				t.Errorf("byte %d: wrote a proof that does not verify: %s", at, stderr)
			}
		}
	}
}

func TestPublicPointAtInfinity(t *testing.T) {
	file := read(t, tinyZkey)
	offsets, _ := tableOf(file)
	for _, offset := range offsets {
		if file[offset] == zkeyIC {
			at := offset + sectionHeaderSize + 2*g1Size
			clear(file[at : at+g1Size])
		}
	}
	refuseBoth(t, tinyZkey, file, "point 2 is at infinity")
}

func TestDamagedPointsAreNamed(t *testing.T) {
	file := read(t, tinyZkey)
	offsets, _ := tableOf(file)
	for i, offset := range offsets[2 : len(offsets)-1] {
		at := offset + sectionHeaderSize
		damaged := bytes.Clone(file)
		words := "not on the curve"
		if file[offset] == zkeyCoeffs {
			at += 4
			words = "coefficient 0 is out of range"
		}
		damaged[at+3] ^= 0x40
		t.Logf("section %d, at place %d of the table", file[offset], i+2)
		refuseBoth(t, tinyZkey, damaged, words)
	}
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{
		{}, {"prove"}, {"prove", "a", "b", "c"}, {"prove", "a", "b", "c", "./c"}, {"verify", "a", "b"},
		{"version", "x"}, {"help"},
	} {
		if code, stderr := command(args...); code != exitUsage || stderr == "" {
			t.Errorf("%q: exit %d, %q", args, code, stderr)
		}
	}
	var out bytes.Buffer
	if code := run([]string{"version"}, &out, &out); code != exitDone || strings.Count(out.String(), "\n") != 1 {
		t.Errorf("version: exit %d, %q", code, out.String())
	}
}

// gnark-crypto's own text of an element is "-1" for r - 1.
func TestPublicTextOfLargeValues(t *testing.T) {
	var v fr.Element
	v.SetOne()
	v.Neg(&v)
	want := new(big.Int).Sub(fr.Modulus(), big.NewInt(1)).String()
	if got := publicText([]fr.Element{v}).([]string)[0]; got != want {
		t.Errorf("%s, expected %s", got, want)
	}
}
