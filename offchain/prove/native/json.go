// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

const (
	protocolName = "groth16"
	curveName    = "bn128"
	maxJSONSize  = 16 << 20
	maxDigits    = 77 // of a number below either prime
)

// document is a JSON object whose members are looked up by their exact names; decoding into a struct would also
// take a name that differs in case, which no other reader of these files does.
type document struct {
	name    string
	members map[string]json.RawMessage
}

func readJSON(name string, into any) error {
	file, size, err := openRegular(name)
	if err != nil {
		return err
	}
	defer file.Close()
	if size > maxJSONSize {
		return fmt.Errorf("%s: %d bytes, expected at most %d", name, size, maxJSONSize)
	}
	text, err := io.ReadAll(io.LimitReader(file, maxJSONSize))
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%s: not the expected JSON: %w", name, err)
	}
	return nil
}

// readDocument also checks that the object is of this protocol and this curve.
func readDocument(name string) (*document, error) {
	d := &document{name: name}
	if err := readJSON(name, &d.members); err != nil {
		return nil, err
	}
	for _, want := range [][2]string{{"protocol", protocolName}, {"curve", curveName}} {
		var got string
		if err := d.decode(want[0], &got); err != nil {
			return nil, err
		}
		if got != want[1] {
			return nil, fmt.Errorf("%s: %s is %q, expected %q", name, want[0], got, want[1])
		}
	}
	return d, nil
}

func (d *document) decode(member string, into any) error {
	raw, found := d.members[member]
	if !found {
		return fmt.Errorf("%s: %s is missing", d.name, member)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("%s: %s: %w", d.name, member, err)
	}
	return nil
}

func (d *document) g1(member string) (p bn254.G1Affine, err error) {
	var text []string
	if err = d.decode(member, &text); err != nil {
		return p, err
	}
	if p, err = parseG1(text); err != nil {
		return p, fmt.Errorf("%s: %s: %w", d.name, member, err)
	}
	return p, nil
}

func (d *document) g2(member string) (p bn254.G2Affine, err error) {
	var text [][]string
	if err = d.decode(member, &text); err != nil {
		return p, err
	}
	if p, err = parseG2(text); err != nil {
		return p, fmt.Errorf("%s: %s: %w", d.name, member, err)
	}
	return p, nil
}

func readProof(name string) (*proof, error) {
	d, err := readDocument(name)
	if err != nil {
		return nil, err
	}
	p := new(proof)
	if p.a, err = d.g1("pi_a"); err != nil {
		return nil, err
	}
	if p.b, err = d.g2("pi_b"); err != nil {
		return nil, err
	}
	p.c, err = d.g1("pi_c")
	return p, err
}

func readPublic(name string) ([]fr.Element, error) {
	var text []string
	if err := readJSON(name, &text); err != nil {
		return nil, err
	}
	public := make([]fr.Element, len(text))
	for i, s := range text {
		n, err := parseBelow(s, fr.Modulus())
		if err != nil {
			return nil, fmt.Errorf("%s: public signal %d: %w", name, i, err)
		}
		public[i].SetBigInt(n)
	}
	return public, nil
}

func readVerifyingKey(name string) (*verifyingKey, error) {
	d, err := readDocument(name)
	if err != nil {
		return nil, err
	}
	vk := new(verifyingKey)
	if vk.alpha1, err = d.g1("vk_alpha_1"); err != nil {
		return nil, err
	}
	for member, p := range map[string]*bn254.G2Affine{
		"vk_beta_2": &vk.beta2, "vk_gamma_2": &vk.gamma2, "vk_delta_2": &vk.delta2,
	} {
		if *p, err = d.g2(member); err != nil {
			return nil, err
		}
	}
	var nPublic int
	var ic [][]string
	if err := d.decode("nPublic", &nPublic); err != nil {
		return nil, err
	}
	if err := d.decode("IC", &ic); err != nil {
		return nil, err
	}
	if nPublic < 0 || len(ic) != nPublic+1 {
		return nil, fmt.Errorf("%s: IC has %d points, expected %d", name, len(ic), nPublic+1)
	}
	vk.ic = make([]bn254.G1Affine, len(ic))
	for i := range ic {
		if vk.ic[i], err = parseG1(ic[i]); err != nil {
			return nil, fmt.Errorf("%s: IC %d: %w", name, i, err)
		}
	}
	return vk, nil
}

// parseG1 takes affine points only: the point at infinity, third coordinate 0, is in no honest key or proof.
func parseG1(text []string) (p bn254.G1Affine, err error) {
	if len(text) != 3 || text[2] != "1" {
		return p, fmt.Errorf("not an affine point other than infinity, expected [x, y, \"1\"]")
	}
	for i, z := range []*fp.Element{&p.X, &p.Y} {
		if err := parseFp(z, text[i]); err != nil {
			return p, err
		}
	}
	if p.IsInfinity() || !p.IsOnCurve() {
		return p, fmt.Errorf("the point is not on the curve")
	}
	return p, nil
}

func parseG2(text [][]string) (p bn254.G2Affine, err error) {
	if len(text) != 3 || len(text[0]) != 2 || len(text[1]) != 2 || len(text[2]) != 2 ||
		text[2][0] != "1" || text[2][1] != "0" {
		return p, fmt.Errorf("not an affine point other than infinity, expected [[x0, x1], [y0, y1], [\"1\", \"0\"]]")
	}
	for i, z := range []*fp.Element{&p.X.A0, &p.X.A1, &p.Y.A0, &p.Y.A1} {
		if err := parseFp(z, text[i/2][i%2]); err != nil {
			return p, err
		}
	}
	if p.IsInfinity() || !p.IsOnCurve() {
		return p, fmt.Errorf("the point is not on the curve")
	}
	if !p.IsInSubGroup() {
		return p, fmt.Errorf("the point is on the curve but not in the group of order r")
	}
	return p, nil
}

func parseFp(z *fp.Element, text string) error {
	n, err := parseBelow(text, fp.Modulus())
	if err == nil {
		z.SetBigInt(n)
	}
	return err
}

// parseBelow takes one spelling of each number: decimal digits without a sign or leading zeros.
func parseBelow(text string, modulus *big.Int) (*big.Int, error) {
	if len(text) == 0 || len(text) > maxDigits || (text[0] == '0' && len(text) > 1) {
		return nil, fmt.Errorf("%.90q is not a decimal number below the modulus", text)
	}
	for _, digit := range []byte(text) {
		if digit < '0' || digit > '9' {
			return nil, fmt.Errorf("%q is not a decimal number", text)
		}
	}
	n, ok := new(big.Int).SetString(text, 10)
	if !ok || n.Cmp(modulus) >= 0 {
		return nil, fmt.Errorf("%s is not below the modulus", text)
	}
	return n, nil
}
