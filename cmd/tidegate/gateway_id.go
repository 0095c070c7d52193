package main

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/tidegate/tidegate/core/config/disk"
	"github.com/tidegate/tidegate/persist/vfs"
)

// gatewayIDFile holds the name by which other gateways know this one, below the data
// directory: it goes with the messages, since their ids are told apart by it.
const gatewayIDFile = "gateway-id"

const gatewayIDBytes = 6

// gatewayID reads the name, or makes one.
func gatewayID(data string) (string, error) {
	file := filepath.Join(data, gatewayIDFile)
	text, err := disk.Files{FS: vfs.OS}.Read(file)
	if errors.Is(err, fs.ErrNotExist) {
		b := make([]byte, gatewayIDBytes)
		_, _ = rand.Read(b) // it never fails
		id := hex.EncodeToString(b)
		return id, disk.Write(vfs.OS, file, []byte(id+"\n"))
	}
	if err != nil {
		return "", err
	}
	id := strings.TrimSpace(string(text))
	if b, err := hex.DecodeString(id); err != nil || len(b) != gatewayIDBytes {
		return "", fmt.Errorf("%s: it must have %d hexadecimal digits, as tidegate wrote it: bring it back, or delete it if no other gateway has seen messages of this one", file, 2*gatewayIDBytes)
	}
	return id, nil
}

// gatewayName is how the server is called in marks of loops: its own name makes them
// readable, the id makes them its own.
func gatewayName(server, id string) string {
	plain := strings.Map(func(r rune) rune {
		if r < '0' || r > 'z' || r == ';' {
			return '_'
		}
		return r
	}, server)
	return plain[:min(len(plain), 32)] + "-" + id
}
