// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"encoding/json"
	"math/big"
	"os"
	"path/filepath"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// proofJSON has the members of a snarkjs proof in snarkjs's order.
type proofJSON struct {
	A        [3]string    `json:"pi_a"`
	B        [3][2]string `json:"pi_b"`
	C        [3]string    `json:"pi_c"`
	Protocol string       `json:"protocol"`
	Curve    string       `json:"curve"`
}

func proofText(p *proof) any {
	b := &p.b
	return proofJSON{
		A: g1Text(&p.a),
		B: [3][2]string{
			{decimalFp(&b.X.A0), decimalFp(&b.X.A1)},
			{decimalFp(&b.Y.A0), decimalFp(&b.Y.A1)},
			{"1", "0"},
		},
		C:        g1Text(&p.c),
		Protocol: protocolName,
		Curve:    curveName,
	}
}

func g1Text(p *bn254.G1Affine) [3]string {
	return [3]string{decimalFp(&p.X), decimalFp(&p.Y), "1"}
}

func publicText(public []fr.Element) any {
	text := make([]string, len(public))
	for i := range public {
		text[i] = public[i].BigInt(new(big.Int)).String()
	}
	return text
}

// decimalFp avoids the element's own String, which writes a value just below the modulus as a negative number.
func decimalFp(z *fp.Element) string {
	return z.BigInt(new(big.Int)).String()
}

type output struct {
	name  string
	value any
}

// writeAll puts every file in place only after all of them are on the disk, each by a rename: a reader never sees
// half a file, and a full disk leaves what was there before.
func writeAll(outputs []output) error {
	temporary := make([]string, 0, len(outputs))
	defer func() {
		for _, name := range temporary {
			os.Remove(name) // of one renamed already, there is nothing left to remove
		}
	}()
	for _, o := range outputs {
		text, err := json.MarshalIndent(o.value, "", " ")
		if err != nil {
			return err
		}
		name, err := writeTemporary(o.name, text)
		if err != nil {
			return err
		}
		temporary = append(temporary, name)
	}
	for i, o := range outputs {
		if err := os.Rename(temporary[i], o.name); err != nil {
			return err
		}
	}
	return nil
}

func writeTemporary(target string, text []byte) (string, error) {
	// Beside its target, for a rename does not cross file systems.
	file, err := os.CreateTemp(filepath.Dir(target), "."+filepath.Base(target)+".*")
	if err != nil {
		return "", err
	}
	_, err = file.Write(text)
	if err == nil {
		err = file.Chmod(0o644) // a proof is public; CreateTemp makes files for the owner alone
	}
	if err == nil {
		err = file.Sync()
	}
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err != nil {
		os.Remove(file.Name())
		return "", err
	}
	return file.Name(), nil
}
