// Writes proof_golden.hpp: trees, proofs, tiles, notes, cosignatures and DSSE envelopes, by the Go team's sumdb/tlog and
// sumdb/note and by crypto/ed25519.
//
//	mkdir /tmp/golden && cp tests/golden/make_proof.go /tmp/golden/ && cd /tmp/golden
//	go mod init golden && go get golang.org/x/mod@v0.43.0 && go run make_proof.go > …/tests/golden/proof_golden.hpp
//	go run make_proof.go pages > …/tests/web/log_golden.ts
package main

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type stored []tlog.Hash

func (s stored) ReadHashes(places []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(places))
	for i, place := range places {
		out[i] = s[place]
	}
	return out, nil
}

func digest(hashes []tlog.Hash) string {
	all := sha256.New()
	for _, h := range hashes {
		all.Write(h[:])
	}
	return hex.EncodeToString(all.Sum(nil))
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// Two checkpoints of one log, the way between them, and a checkpoint that contradicts both: what a page sees.
func pages() {
	seed := make([]byte, 32)
	for i := range seed {
		seed[i] = 1
	}
	key := ed25519.NewKeyFromSeed(seed)
	const name = "entente-log/digits-demo"
	verifier := must(note.NewVerifier(must(note.NewEd25519VerifierKey(name, key.Public().(ed25519.PublicKey)))))
	signer := must(note.NewSigner(fmt.Sprintf("PRIVATE+KEY+%s+%08x+%s", name, verifier.KeyHash(),
		base64.StdEncoding.EncodeToString(append([]byte{1}, seed...)))))
	head := func(text string, size int64) (string, stored) {
		var tree stored
		for i := int64(0); i < size; i++ {
			tree = append(tree, must(tlog.StoredHashes(i, []byte(fmt.Sprintf(text, i)), tree))...)
		}
		body := fmt.Sprintf("%s\n%d\n%s\n", name, size, must(tlog.TreeHash(size, tree)))
		return string(must(note.Sign(&note.Note{Text: body}, signer))), tree
	}
	three, _ := head("entry %d", 3)
	nine, tree := head("entry %d", 9)
	other, _ := head("another %d", 9)
	fmt.Println("// Made by tests/golden/make_proof.go: the log of the digits plan whose coordinator has the seed of thirty-two ones.")
	fmt.Printf("export const three = %+q;\nexport const nine = %+q;\nexport const fork = %+q;\nexport const way = [\n", three, nine, other)
	for _, hash := range must(tlog.ProveTree(9, 3, tree)) {
		fmt.Printf("  '%x',\n", hash[:])
	}
	fmt.Println("];")
}

func main() {
	if len(os.Args) > 1 {
		pages()
		return
	}
	var tree stored
	var roots []tlog.Hash
	for i := int64(0); i < 1000; i++ {
		tree = append(tree, must(tlog.StoredHashes(i, []byte(fmt.Sprintf("entry %d", i)), tree))...)
		roots = append(roots, must(tlog.TreeHash(i+1, tree)))
	}
	fmt.Println("// Made by make_proof.go. Leaf i holds the text \"entry i\"; a digest of hashes is SHA-256 of them one after the other.")
	fmt.Println("#pragma once\n\nnamespace golden {")
	fmt.Println("struct Root { unsigned size; const char* hash; };\ninline constexpr Root roots[] = {")
	for _, n := range []int{1, 2, 3, 7, 255, 256, 257, 600, 1000} {
		fmt.Printf("    {%d, \"%x\"},\n", n, roots[n-1][:])
	}
	fmt.Println("};\nstruct Proof { unsigned first, second, hashes; const char* digest; };\ninline constexpr Proof inclusions[] = {  // index, size")
	for _, p := range [][2]int64{{0, 1}, {0, 7}, {6, 7}, {3, 257}, {256, 257}, {511, 600}, {999, 1000}, {123, 1000}} {
		proof := must(tlog.ProveRecord(p[1], p[0], tree))
		fmt.Printf("    {%d, %d, %d, \"%s\"},\n", p[0], p[1], len(proof), digest(proof))
	}
	fmt.Println("};\ninline constexpr Proof consistencies[] = {  // from, to")
	for _, p := range [][2]int64{{1, 2}, {3, 7}, {4, 8}, {6, 7}, {255, 256}, {256, 257}, {257, 600}, {512, 1000}, {999, 1000}} {
		proof := must(tlog.ProveTree(p[1], p[0], tree))
		fmt.Printf("    {%d, %d, %d, \"%s\"},\n", p[0], p[1], len(proof), digest(proof))
	}
	fmt.Println("};\nstruct TileDigest { unsigned level, index, width; const char* digest; };\ninline constexpr TileDigest tiles[] = {  // of the first 600")
	for _, t := range []tlog.Tile{{H: 8, L: 0, N: 0, W: 256}, {H: 8, L: 0, N: 2, W: 88}, {H: 8, L: 1, N: 0, W: 2}} {
		fmt.Printf("    {%d, %d, %d, \"%x\"},\n", t.L, t.N, t.W, sha256.Sum256(must(tlog.ReadTileData(t, tree))))
	}
	fmt.Println("};")

	seed := make([]byte, 32)
	for i := range seed {
		seed[i] = byte(i)
	}
	key := ed25519.NewKeyFromSeed(seed)
	public := key.Public().(ed25519.PublicKey)
	const name = "entente-log/bearings"
	vkey := must(note.NewEd25519VerifierKey(name, public))
	verifier := must(note.NewVerifier(vkey))
	signer := must(note.NewSigner(fmt.Sprintf("PRIVATE+KEY+%s+%08x+%s", name, verifier.KeyHash(),
		base64.StdEncoding.EncodeToString(append([]byte{1}, seed...)))))
	text := fmt.Sprintf("%s\n600\n%s\n", name, roots[599])
	fmt.Printf("// The seed is the bytes 0 to 31.\ninline constexpr const char* verifier_key = %q;\n", vkey)
	fmt.Printf("inline constexpr const char* checkpoint =\n    %+q;\n", must(note.Sign(&note.Note{Text: text}, signer)))

	const witness = "plant-a"
	const when = 1679315147
	id := sha256.Sum256(append([]byte(witness+"\n\x04"), public...))
	line := append(append([]byte{}, id[:4]...), binary.BigEndian.AppendUint64(nil, when)...)
	line = append(line, ed25519.Sign(key, []byte(fmt.Sprintf("cosignature/v1\ntime %d\n%s", when, text)))...)
	fmt.Printf("inline constexpr const char* cosignature_line =\n    %+q;\n", "\u2014 "+witness+" "+base64.StdEncoding.EncodeToString(line)+"\n")

	const pae = "DSSEv1 29 http://example.com/HelloWorld 11 hello world"
	fmt.Printf("inline constexpr const char* dsse_signature = \"%x\";  // of %q\n", ed25519.Sign(key, []byte(pae)), pae)
	fmt.Println("}  // namespace golden")
}
