// SPDX-License-Identifier: GPL-3.0-or-later

// Command hokusai-prover makes and checks Groth16 proofs over bn254 from and to the files of snarkjs.
//
// Build: CGO_ENABLED=0 go build -trimpath -o hokusai-prover .
package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
)

const version = "hokusai-prover 0.1.0 (groth16, bn128, snarkjs file formats)"

const usage = `usage:
  hokusai-prover prove ZKEY WTNS PROOF.json PUBLIC.json    (WTNS may be - for the standard input)
  hokusai-prover serve ZKEY           (witnesses in, each after its length; proofs out, a line each)
  hokusai-prover verify VERIFICATION_KEY.json PUBLIC.json PROOF.json
  hokusai-prover devkey R1CS ZKEY     (R1CS may be - ; the key's secrets are known to everybody)
  hokusai-prover version
`

const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

func run(args []string, stdout, stderr io.Writer) int {
	command := ""
	if len(args) > 0 {
		command = args[0]
	}
	var err error
	switch {
	case command == "prove" && len(args) == 5:
		if filepath.Clean(args[3]) == filepath.Clean(args[4]) {
			fmt.Fprintln(stderr, "PROOF.json and PUBLIC.json are the same file")
			return exitUsage
		}
		err = proveFiles(args[1], args[2], args[3], args[4])
	case command == "serve" && len(args) == 2:
		err = serve(args[1], os.Stdin, stdout)
	case command == "verify" && len(args) == 4:
		if err = verifyFiles(args[1], args[2], args[3]); err == nil {
			fmt.Fprintln(stdout, "valid")
		}
	case command == "devkey" && len(args) == 3:
		err = developmentKeyFile(args[1], args[2])
	case command == "version" && len(args) == 1:
		fmt.Fprintln(stdout, version)
	default:
		fmt.Fprint(stderr, usage)
		return exitUsage
	}
	if err != nil {
		fmt.Fprintln(stderr, err)
		return exitFailed
	}
	return exitDone
}
