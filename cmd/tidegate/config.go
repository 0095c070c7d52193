package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/tidegate/tidegate/core/config"
	"github.com/tidegate/tidegate/core/config/disk"
	"github.com/tidegate/tidegate/persist/vfs"
)

func configCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Check, show and convert an EMS configuration",
		Long: `Check, show and convert an EMS configuration: tibemsd.conf with the files it
names, or tibemsd.json. PATH is the main file, or its directory.`,
	}
	cmd.AddCommand(configCheckCommand(), configShowCommand(), configConvertCommand(), configJNDICommand())
	return cmd
}

// loadSet reads a set from the disk.
func loadSet(path string, o config.Options) (*config.Config, error) {
	return config.Load(disk.Files{FS: vfs.OS}, path, o)
}

// overSet has a command do something with the set that its first argument names.
func overSet(cmd *cobra.Command, do func(cmd *cobra.Command, c *config.Config, args []string) error) *cobra.Command {
	secondary := cmd.Flags().Bool("secondary", false, "read a tibemsd.json as the second server of the pair does")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := loadSet(args[0], config.Options{Secondary: *secondary})
		if err != nil {
			return err
		}
		return do(cmd, c, args[1:])
	}
	return cmd
}

func configCheckCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check PATH",
		Short: "Say what is wrong with a configuration",
		Long: `Say what is wrong with a configuration, with file, line and column, and what to
write. An error is what EMS would refuse or what has no meaning: the line does not
count. A warning is what the server goes on without, or what means something else
here. Exits with 1 if there is an error, with 2 if there is no configuration.`,
		Args: cobra.ExactArgs(1),
	}
	asJSON := cmd.Flags().Bool("json", false, "print JSON")
	return overSet(cmd, func(cmd *cobra.Command, c *config.Config, _ []string) (err error) {
		if *asJSON {
			err = printJSON(cmd.OutOrStdout(), map[string]any{"findings": orEmpty(c.Findings)})
		} else {
			err = printFindings(cmd.OutOrStdout(), c)
		}
		if err == nil && errorsIn(c.Findings) > 0 {
			err = &exit{code: exitNo}
		}
		return err
	})
}

func errorsIn(findings []config.Finding) int {
	n := 0
	for _, f := range findings {
		if f.Severity == config.Error {
			n++
		}
	}
	return n
}

func orEmpty[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

func printJSON(out io.Writer, v any) error {
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

func printFindings(out io.Writer, c *config.Config) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	if len(c.Findings) > 0 {
		fmt.Fprintln(w, "Place\tSeverity\tRule\tMessage")
	}
	for _, f := range c.Findings {
		message := f.Message
		if f.Fix != "" {
			message += ": " + f.Fix
		}
		fmt.Fprintf(w, "%s:%d:%d\t%s\t%s\t%s\n", f.File, f.Line, f.Column, f.Severity, f.Rule, message)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	n := errorsIn(c.Findings)
	_, err := fmt.Fprintf(out, "%s, %s in %s\n", count(n, "error"), count(len(c.Findings)-n, "warning"), count(len(c.FileNames()), "file"))
	return err
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
