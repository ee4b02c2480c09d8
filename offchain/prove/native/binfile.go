// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
)

// snarkjs writes at most ten sections; the bound keeps a hostile table from growing the map.
const maxSections = 64

const (
	fileHeaderSize    = 12 // magic, version, number of sections
	sectionHeaderSize = 12 // id, length
	primeSize         = 4 + elementSize
)

type section struct {
	offset, size int64
}

type source interface {
	io.ReaderAt
	io.Closer
}

// binFile is the container of @iden3/binfileutils: a magic word, a version, then sections of an id and a length.
type binFile struct {
	file     source
	name     string
	sections map[uint32]section
}

// errorf names the file, so that a message says which of several inputs is at fault.
func (b *binFile) errorf(format string, args ...any) error {
	return fmt.Errorf("%s: %s", b.name, fmt.Sprintf(format, args...))
}

func openBinFile(name, magic string, maxVersion uint32) (*binFile, error) {
	file, size, err := open(name)
	if err != nil {
		return nil, err
	}
	return readBinFile(file, size, name, magic, maxVersion)
}

func readBinFile(file source, size int64, name, magic string, maxVersion uint32) (*binFile, error) {
	b := &binFile{file: file, name: name, sections: map[uint32]section{}}
	if err := b.readTable(magic, maxVersion, size); err != nil {
		file.Close()
		return nil, err
	}
	return b, nil
}

// open takes "-" for the standard input, so that a witness, which holds secrets, need not touch a disk.
func open(name string) (source, int64, error) {
	if name == "-" {
		contents, err := io.ReadAll(os.Stdin)
		return inMemory{bytes.NewReader(contents)}, int64(len(contents)), err
	}
	file, size, err := openRegular(name)
	if err != nil {
		return nil, 0, err
	}
	return file, size, nil
}

type inMemory struct{ *bytes.Reader }

func (inMemory) Close() error { return nil }

// openRegular refuses directories, pipes and devices: they have no size to check the contents against.
func openRegular(name string) (*os.File, int64, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, 0, err
	}
	if !info.Mode().IsRegular() {
		return nil, 0, fmt.Errorf("%s: not a regular file", name)
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, 0, err
	}
	return file, info.Size(), nil
}

func (b *binFile) close() { b.file.Close() }

func (b *binFile) readTable(magic string, maxVersion uint32, size int64) error {
	var head [fileHeaderSize]byte
	if err := b.readAt(head[:], 0, "file header"); err != nil {
		return err
	}
	if string(head[:4]) != magic {
		return b.errorf("not a %s file: it begins with %q, expected %q", magic, head[:4], magic)
	}
	if v := binary.LittleEndian.Uint32(head[4:]); v == 0 || v > maxVersion {
		return b.errorf("%s version %d, expected 1 to %d", magic, v, maxVersion)
	}
	count := binary.LittleEndian.Uint32(head[8:])
	if count > maxSections {
		return b.errorf("%d sections, expected at most %d", count, maxSections)
	}
	pos := int64(fileHeaderSize)
	for i := uint32(0); i < count; i++ {
		var err error
		if pos, err = b.readSectionHeader(pos, size); err != nil {
			return err
		}
	}
	if pos != size {
		return b.errorf("%d bytes after the last section, expected none", size-pos)
	}
	return nil
}

func (b *binFile) readSectionHeader(pos, fileSize int64) (int64, error) {
	var head [sectionHeaderSize]byte
	if err := b.readAt(head[:], pos, "section table"); err != nil {
		return 0, err
	}
	id := binary.LittleEndian.Uint32(head[:])
	length := binary.LittleEndian.Uint64(head[4:])
	pos += sectionHeaderSize
	if length > uint64(fileSize-pos) {
		return 0, b.errorf("truncated: section %d says %d bytes, the file has %d left", id, length, fileSize-pos)
	}
	if _, twice := b.sections[id]; twice {
		return 0, b.errorf("section %d appears twice, expected once", id)
	}
	b.sections[id] = section{offset: pos, size: int64(length)}
	return pos + int64(length), nil
}

func (b *binFile) readAt(p []byte, offset int64, what string) error {
	if _, err := b.file.ReadAt(p, offset); err == io.EOF {
		return b.errorf("truncated in its %s", what)
	} else if err != nil {
		return b.errorf("cannot read its %s: %v", what, err)
	}
	return nil
}

func (b *binFile) find(id uint32, what string) (section, error) {
	s, found := b.sections[id]
	if !found {
		return s, b.errorf("section %d (%s) is missing", id, what)
	}
	return s, nil
}

// sized finds a section and checks its length, before anything is allocated for its contents.
func (b *binFile) sized(id uint32, what string, want int64) (section, error) {
	s, err := b.find(id, what)
	if err == nil && s.size != want {
		err = b.errorf("section %d (%s) has %d bytes, expected %d", id, what, s.size, want)
	}
	return s, err
}

// headerOfCurve reads as much of a header as begins with the given primes, each after its length. They are compared
// before the header's own length is, so that a file of another curve is named as such, not as one of a wrong size.
func (b *binFile) headerOfCurve(id uint32, head []byte, primes ...*limbs) error {
	s, err := b.find(id, "header")
	if err != nil {
		return err
	}
	if s.size < int64(len(primes)*primeSize) {
		return b.errorf("section %d (header) has %d bytes, expected %d", id, s.size, len(head))
	}
	read := head[:min(s.size, int64(len(head)))]
	if err := b.readAt(read, s.offset, "header"); err != nil {
		return err
	}
	for i, p := range primes {
		at := read[i*primeSize:]
		if binary.LittleEndian.Uint32(at) != elementSize || readLimbs(at[4:]) != *p {
			return b.errorf("wrong curve: its prime %d is not that of bn128", i)
		}
	}
	_, err = b.sized(id, "header", int64(len(head)))
	return err
}
