// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	tinyZkey   = "testdata/tiny.zkey"
	tinyWtns   = "testdata/tiny.wtns"
	tinyVkey   = "testdata/tiny.vkey.json"
	tinyProof  = "testdata/tiny.proof.json"
	tinyPublic = "testdata/tiny.public.json"
)

// command runs the program in this process.
func command(args ...string) (code int, stderr string) {
	var out, err bytes.Buffer
	return run(args, &out, &err), err.String()
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func write(t *testing.T, name string, text []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// refuseProve expects exit code 1, a message with the given words on one line, and no files.
func refuseProve(t *testing.T, zkeyName, wtnsName, words string) {
	t.Helper()
	dir := t.TempDir()
	proofName, publicName := filepath.Join(dir, "proof.json"), filepath.Join(dir, "public.json")
	code, stderr := command("prove", zkeyName, wtnsName, proofName, publicName)
	if code != exitFailed || !strings.Contains(stderr, words) || strings.Count(stderr, "\n") != 1 {
		t.Errorf("exit %d, message %q; expected 1 and %q", code, stderr, words)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left %v behind", left)
	}
}

// tableOf lists where every section's header begins, and the length of its contents.
func tableOf(file []byte) (offsets, lengths []int) {
	for pos := fileHeaderSize; pos < len(file); {
		n := int(binary.LittleEndian.Uint64(file[pos+4:]))
		offsets, lengths = append(offsets, pos), append(lengths, n)
		pos += sectionHeaderSize + n
	}
	return offsets, lengths
}

func refuseBoth(t *testing.T, name string, file []byte, words string) {
	t.Helper()
	if strings.HasSuffix(name, ".zkey") {
		refuseProve(t, write(t, "broken.zkey", file), tinyWtns, words)
	} else {
		refuseProve(t, tinyZkey, write(t, "broken.wtns", file), words)
	}
}

func TestTruncatedAnywhere(t *testing.T) {
	for _, name := range []string{tinyZkey, tinyWtns} {
		whole := read(t, name)
		for n := range whole {
			if n%7 == 0 || n == len(whole)-1 {
				refuseBoth(t, name, whole[:n], "broken")
			}
		}
		offsets, lengths := tableOf(whole)
		for i, offset := range offsets {
			refuseBoth(t, name, whole[:offset+5], "truncated")
			refuseBoth(t, name, whole[:offset+sectionHeaderSize+lengths[i]-1], "truncated")
		}
	}
}

// A section that is shorter or longer than the header says, in a table that is otherwise sound.
func TestSectionOfWrongLength(t *testing.T) {
	for _, name := range []string{tinyZkey, tinyWtns} {
		whole := read(t, name)
		offsets, lengths := tableOf(whole)
		for i, offset := range offsets {
			if name == tinyZkey && i == len(offsets)-1 {
				continue // the contributions, which a prover does not read
			}
			end := offset + sectionHeaderSize + lengths[i]
			short := append(bytes.Clone(whole[:end-1]), whole[end:]...)
			binary.LittleEndian.PutUint64(short[offset+4:], uint64(lengths[i]-1))
			refuseBoth(t, name, short, "expected")
			long := append(append(bytes.Clone(whole[:end]), 0), whole[end:]...)
			binary.LittleEndian.PutUint64(long[offset+4:], uint64(lengths[i]+1))
			refuseBoth(t, name, long, "expected")
		}
	}
}

func TestSectionMissingOrTwice(t *testing.T) {
	for _, name := range []string{tinyZkey, tinyWtns} {
		whole := read(t, name)
		offsets, lengths := tableOf(whole)
		for i, offset := range offsets {
			if name == tinyZkey && i == len(offsets)-1 {
				continue
			}
			renamed := bytes.Clone(whole)
			binary.LittleEndian.PutUint32(renamed[offset:], 77)
			refuseBoth(t, name, renamed, "missing")
			twice := append(bytes.Clone(whole), whole[offset:offset+sectionHeaderSize+lengths[i]]...)
			binary.LittleEndian.PutUint32(twice[8:], uint32(len(offsets)+1))
			refuseBoth(t, name, twice, "twice")
		}
	}
}

// edit overwrites bytes of the section with the given position in the file's table.
func edit(t *testing.T, name string, sectionIndex, at int, with ...byte) []byte {
	t.Helper()
	file := read(t, name)
	offsets, _ := tableOf(file)
	copy(file[offsets[sectionIndex]+sectionHeaderSize+at:], with)
	return file
}

func TestWrongFile(t *testing.T) {
	refuseProve(t, tinyWtns, tinyWtns, "not a zkey file")
	refuseProve(t, tinyZkey, tinyZkey, "not a wtns file")
	refuseProve(t, "testdata", tinyWtns, "not a regular file")
	refuseProve(t, "testdata/absent.zkey", tinyWtns, "no such file")
	refuseBoth(t, tinyZkey, append(read(t, tinyZkey), 0), "after the last section")

	refuseBoth(t, tinyZkey, edit(t, tinyZkey, 0, 0, 2), "protocol 2")
	refuseBoth(t, tinyZkey, edit(t, tinyZkey, 1, 4, 0), "wrong curve")
	refuseBoth(t, tinyZkey, edit(t, tinyZkey, 1, 0, 48), "wrong curve")
	refuseBoth(t, tinyZkey, edit(t, tinyZkey, 1, 76, 200), "public signals of")
	refuseBoth(t, tinyZkey, edit(t, tinyZkey, 1, 80, 7), "power of two")
	refuseBoth(t, tinyZkey, edit(t, tinyZkey, 1, 80, 0, 0, 0, 0x80), "power of two")
	refuseBoth(t, tinyZkey, edit(t, tinyZkey, 1, 84, 0xff), "G1 point 0")
	refuseBoth(t, tinyWtns, edit(t, tinyWtns, 0, 4, 0), "wrong curve")
	refuseBoth(t, tinyWtns, edit(t, tinyWtns, 0, 36, 5), "a witness of 5 values, the key expects 6")
}
