// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"encoding/json"
	"io"
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
	write func(io.Writer) error
}

// jsonOutput is laid out as snarkjs lays it out.
func jsonOutput(name string, value any) output {
	return output{name, func(file io.Writer) error {
		text, err := json.MarshalIndent(value, "", " ")
		if err == nil {
			_, err = file.Write(text)
		}
		return err
	}}
}

// writeOutputs puts every file in place only after all of them are on the disk, each by a rename: a reader never sees
// half a file, and a full disk leaves what was there before.
func writeOutputs(outputs []output) error {
	temporary := make([]string, 0, len(outputs))
	defer func() {
		for _, name := range temporary {
			os.Remove(name) // of one renamed already, there is nothing left to remove
		}
	}()
	for _, o := range outputs {
		name, err := writeTemporary(o)
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

func writeTemporary(o output) (string, error) {
	// Beside its target, for a rename does not cross file systems.
	file, err := os.CreateTemp(filepath.Dir(o.name), "."+filepath.Base(o.name)+".*")
	if err != nil {
		return "", err
	}
	err = o.write(file)
	if err == nil {
		err = file.Chmod(0o644) // proofs and keys are public; CreateTemp makes files for the owner alone
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
