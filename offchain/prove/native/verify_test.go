// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"encoding/json"
	"math/big"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

func refuseVerify(t *testing.T, vkey, public, proofName, words string) {
	t.Helper()
	code, stderr := command("verify", vkey, public, proofName)
	if code != exitFailed || !strings.Contains(stderr, words) || strings.Count(stderr, "\n") != 1 {
		t.Errorf("exit %d, message %q; expected 1 and %q", code, stderr, words)
	}
}

func TestVerifiesSnarkjs(t *testing.T) {
	if code, stderr := command("verify", tinyVkey, tinyPublic, tinyProof); code != exitDone {
		t.Fatalf("exit %d: %s", code, stderr)
	}
}

// changed decodes a JSON file, changes it, and writes the result elsewhere.
func changed(t *testing.T, name string, change func(v map[string]any)) string {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(read(t, name), &v); err != nil {
		t.Fatal(err)
	}
	change(v)
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return write(t, "changed.json", text)
}

func plus(text any, n *big.Int) string {
	v, _ := new(big.Int).SetString(text.(string), 10)
	return v.Add(v, n).String()
}

func TestTamperedProof(t *testing.T) {
	q, one := fp.Modulus(), big.NewInt(1)
	for _, member := range []string{"pi_a", "pi_c"} {
		for i := range 2 {
			set := func(n *big.Int) string {
				return changed(t, tinyProof, func(v map[string]any) {
					point := v[member].([]any)
					point[i] = plus(point[i], n)
				})
			}
			refuseVerify(t, tinyVkey, tinyPublic, set(one), "not on the curve")
			refuseVerify(t, tinyVkey, tinyPublic, set(q), "not below the modulus")
		}
	}
	for i := range 4 {
		set := func(n *big.Int) string {
			return changed(t, tinyProof, func(v map[string]any) {
				pair := v["pi_b"].([]any)[i/2].([]any)
				pair[i%2] = plus(pair[i%2], n)
			})
		}
		refuseVerify(t, tinyVkey, tinyPublic, set(one), "not on the curve")
		refuseVerify(t, tinyVkey, tinyPublic, set(q), "not below the modulus")
	}
	swapped := changed(t, tinyProof, func(v map[string]any) { v["pi_a"], v["pi_c"] = v["pi_c"], v["pi_a"] })
	refuseVerify(t, tinyVkey, tinyPublic, swapped, "pairing equation")
}

func TestMalformedProof(t *testing.T) {
	for words, change := range map[string]func(v map[string]any){
		"pi_a is missing":           func(v map[string]any) { v["PI_A"] = v["pi_a"]; delete(v, "pi_a") },
		"pi_a: not an affine point": func(v map[string]any) { v["pi_a"] = []string{"0", "1", "0"} },
		"pi_c: not an affine point": func(v map[string]any) { v["pi_c"] = []string{"1", "2"} },
		"pi_b: not an affine point": func(v map[string]any) { v["pi_b"] = [][]string{{"0", "0"}, {"1", "0"}, {"0", "0"}} },
		"pi_a: the point is not":    func(v map[string]any) { v["pi_a"] = []string{"0", "0", "1"} },
		"pi_a: json":                func(v map[string]any) { v["pi_a"] = []int{1, 2, 1} },
		"not a decimal number":      func(v map[string]any) { v["pi_a"] = []string{"+1", "2", "1"} },
		"decimal number below":      func(v map[string]any) { v["pi_a"] = []string{"01", "2", "1"} },
		`protocol is "plonk"`:       func(v map[string]any) { v["protocol"] = "plonk" },
		`curve is "bls12381"`:       func(v map[string]any) { v["curve"] = "bls12381" },
	} {
		refuseVerify(t, tinyVkey, tinyPublic, changed(t, tinyProof, change), words)
	}
	refuseVerify(t, tinyVkey, tinyPublic, write(t, "p.json", []byte("{} {}")), "not the expected JSON")
	refuseVerify(t, tinyVkey, tinyPublic, write(t, "p.json", []byte("null")), "protocol is missing")
	refuseVerify(t, tinyVkey, tinyPublic, tinyZkey, "not the expected JSON")
}

// offGroup finds a point of the twist that is not in the group of order r: most of its points are not.
func offGroup(t *testing.T) bn254.G2Affine {
	t.Helper()
	_, _, _, g := bn254.Generators()
	var b, x3 bn254.E2 // the curve's constant, from its generator: b = y^2 - x^3
	b.Square(&g.Y)
	x3.Square(&g.X).Mul(&x3, &g.X)
	b.Sub(&b, &x3)
	for i := uint64(1); i < 100; i++ {
		var p bn254.G2Affine
		p.X.A0.SetUint64(i)
		var y2 bn254.E2
		y2.Square(&p.X).Mul(&y2, &p.X).Add(&y2, &b)
		if y2.Legendre() == 1 {
			p.Y.Sqrt(&y2)
			if p.IsOnCurve() && !p.IsInSubGroup() {
				return p
			}
		}
	}
	t.Fatal("no such point among the first 99")
	return bn254.G2Affine{}
}

func TestOutsideTheGroup(t *testing.T) {
	p := offGroup(t)
	text := proofText(&proof{b: p}).(proofJSON).B
	inProof := changed(t, tinyProof, func(v map[string]any) { v["pi_b"] = text })
	refuseVerify(t, tinyVkey, tinyPublic, inProof, "not in the group of order r")
	for _, member := range []string{"vk_beta_2", "vk_gamma_2", "vk_delta_2"} {
		inKey := changed(t, tinyVkey, func(v map[string]any) { v[member] = text })
		refuseVerify(t, inKey, tinyPublic, tinyProof, "not in the group of order r")
	}
}

func TestTamperedPublic(t *testing.T) {
	r := fr.Modulus()
	for text, words := range map[string]string{
		`["28","627","11"]`:                    "pairing equation",
		`["27","627"]`:                         "2 public signals, the key expects 3",
		`["27","627","11","0"]`:                "4 public signals, the key expects 3",
		`[]`:                                   "0 public signals, the key expects 3",
		`["27","627","` + plus("11", r) + `"]`: "public signal 2",
		`["27","627","-1"]`:                    "public signal 2",
		`["27","627","0x0b"]`:                  "public signal 2",
		`["27","627",""]`:                      "public signal 2",
		`["27","627",11]`:                      "not the expected JSON",
	} {
		refuseVerify(t, tinyVkey, write(t, "public.json", []byte(text)), tinyProof, words)
	}
	long := `["27","627","` + strings.Repeat("9", 1000) + `"]`
	refuseVerify(t, tinyVkey, write(t, "public.json", []byte(long)), tinyProof, "public signal 2")
}

func TestTamperedKey(t *testing.T) {
	for words, change := range map[string]func(v map[string]any){
		"IC has 4 points, expected 3": func(v map[string]any) { v["nPublic"] = 2 },
		"IC has 3 points, expected 4": func(v map[string]any) { v["IC"] = v["IC"].([]any)[:3] },
		"nPublic is missing":          func(v map[string]any) { delete(v, "nPublic") },
		"IC 1: not an affine point":   func(v map[string]any) { v["IC"].([]any)[1] = []string{"0", "1", "0"} },
		"pairing equation":            func(v map[string]any) { v["vk_delta_2"] = v["vk_gamma_2"] },
		`protocol is "fflonk"`:        func(v map[string]any) { v["protocol"] = "fflonk" },
	} {
		refuseVerify(t, changed(t, tinyVkey, change), tinyPublic, tinyProof, words)
	}
}
