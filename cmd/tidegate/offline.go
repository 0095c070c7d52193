package main

import (
	"errors"
	"io"

	"github.com/spf13/cobra"
)

func inspect(out io.Writer, data string, asJSON bool) error {
	_, _, _ = out, data, asJSON
	return errors.New("pending")
}

func verifyCommand() *cobra.Command { return &cobra.Command{Use: "verify"} }
func dumpCommand() *cobra.Command   { return &cobra.Command{Use: "dump"} }
