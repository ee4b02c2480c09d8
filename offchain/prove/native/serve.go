// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
)

// answer has an error or the rest: a proof, and how much memory this process ever had of the system.
type answer struct {
	Proof         any    `json:"proof,omitempty"`
	PublicSignals any    `json:"publicSignals,omitempty"`
	PeakBytes     uint64 `json:"peakBytes,omitempty"`
	Error         string `json:"error,omitempty"`
}

var errAbandoned = errors.New("the standard input ended before the last proof was made")

// serve proves witness after witness with one key. Each comes on in as its length, 4 bytes little-endian, and then as
// in a file; each is answered, in order, with a line of JSON on out. Who asks keeps in open until the last answer is
// there: where it ends before, nobody waits for that any more.
func serve(zkeyName string, in io.Reader, out io.Writer) error {
	k, err := readZkey(zkeyName)
	if err != nil {
		return err
	}
	requests, ended := make(chan []byte), make(chan error, 1)
	go func() { ended <- readRequests(k, in, requests) }()
	lines := json.NewEncoder(out)
	for {
		select {
		case err := <-ended:
			return err
		case request := <-requests:
			done := make(chan answer, 1)
			go func() { done <- k.answer(request) }()
			select {
			case <-ended:
				return errAbandoned
			case a := <-done:
				if err := lines.Encode(a); err != nil {
					return err
				}
			}
		}
	}
}

// readRequests reads one further request while another is at work.
func readRequests(k *zkey, in io.Reader, requests chan<- []byte) error {
	longest := uint32(k.nVars)*elementSize + 1<<10
	for {
		var length uint32
		if err := binary.Read(in, binary.LittleEndian, &length); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if length > longest {
			return fmt.Errorf("a witness of %d bytes, expected at most %d", length, longest)
		}
		request := make([]byte, length)
		if _, err := io.ReadFull(in, request); err != nil {
			return err
		}
		requests <- request
	}
}

func (k *zkey) answer(request []byte) answer {
	b, err := readBinFile(inMemory{bytes.NewReader(request)}, int64(len(request)), "witness", "wtns", 2)
	if err != nil {
		return answer{Error: err.Error()}
	}
	witness, err := b.witness(k.nVars)
	if err != nil {
		return answer{Error: err.Error()}
	}
	p, public, err := proveChecked(k, witness)
	if err != nil {
		return answer{Error: "witness: " + err.Error()}
	}
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	return answer{Proof: proofText(p), PublicSignals: publicText(public), PeakBytes: memory.Sys}
}
