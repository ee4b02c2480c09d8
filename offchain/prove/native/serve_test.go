// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"
)

type served struct {
	Proof         json.RawMessage
	PublicSignals []string
	Error         string
}

// serving starts a server and gives what to ask it with, its answers, and how it ended.
func serving(t *testing.T) (ask *io.PipeWriter, next func() served, ended chan error) {
	t.Helper()
	in, ask := io.Pipe()
	answers, out := io.Pipe()
	ended = make(chan error, 1)
	go func() {
		ended <- serve(tinyZkey, in, out)
		out.Close()
	}()
	lines := bufio.NewScanner(answers)
	return ask, func() (a served) {
		if !lines.Scan() {
			t.Fatal("no answer")
		}
		if err := json.Unmarshal(lines.Bytes(), &a); err != nil {
			t.Fatal(err)
		}
		return a
	}, ended
}

func framed(witness []byte) []byte {
	return append(binary.LittleEndian.AppendUint32(nil, uint32(len(witness))), witness...)
}

func TestServeProvesOneAfterTheOther(t *testing.T) {
	ask, next, ended := serving(t)
	good := read(t, tinyWtns)
	wrong := bytes.Clone(good)
	wrong[len(wrong)-32] ^= 1
	go func() {
		ask.Write(bytes.Join([][]byte{framed(good), framed(wrong), framed(good[:50]), framed(good)}, nil))
	}()
	proofs := map[string]bool{}
	for i, words := range []string{"", "does not satisfy", "truncated", ""} {
		a := next()
		if words != "" {
			if !strings.Contains(a.Error, words) || a.Proof != nil {
				t.Errorf("answer %d: %q, expected %q", i, a.Error, words)
			}
			continue
		}
		proofName, publicName := write(t, "proof.json", a.Proof), write(t, "public.json", []byte(`["`+strings.Join(a.PublicSignals, `","`)+`"]`))
		if err := verifyFiles(tinyVkey, publicName, proofName); err != nil {
			t.Errorf("answer %d: %v", i, err)
		}
		proofs[string(a.Proof)] = true
	}
	if len(proofs) != 2 {
		t.Error("two proofs of one witness are alike")
	}
	ask.Close()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestServeEndsWithWhoAsked(t *testing.T) {
	for words, request := range map[string][]byte{
		"unexpected EOF":   framed(read(t, tinyWtns))[:60],
		"expected at most": {255, 255, 255, 127},
	} {
		ask, _, ended := serving(t)
		go func() {
			ask.Write(request)
			ask.Close()
		}()
		select {
		case err := <-ended:
			if err == nil || !strings.Contains(err.Error(), words) {
				t.Errorf("%v, expected %q", err, words)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%q: still there", words)
		}
	}
	if code, stderr := command("serve", tinyWtns); code != exitFailed || !strings.Contains(stderr, "not a zkey file") {
		t.Errorf("exit %d, %q", code, stderr)
	}
}
