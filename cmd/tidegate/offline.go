package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/tidegate/tidegate/core/server"
	"github.com/tidegate/tidegate/persist/record"
	"github.com/tidegate/tidegate/persist/store"
	"github.com/tidegate/tidegate/persist/vfs"
)

func inspect(out io.Writer, data string, asJSON bool) error {
	r, err := store.Inspect(vfs.OS, data)
	if err != nil {
		return err
	}
	if asJSON {
		text, err := json.MarshalIndent(r, "", "  ")
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(out, string(text))
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "store\t%s\nid\t%s\nformat\t%d\nsegments\t%d\nspill files\t%d\ncheckpoints\t%d\nlarge messages\t%d\n",
		r.Dir, r.ID, r.Format, len(r.SegmentList), len(r.Spills), len(r.Checkpoints), len(r.Large))
	for _, l := range r.Large {
		of := "not stored, removed at the next start"
		if l.ID != 0 {
			of = fmt.Sprintf("message %d", l.ID)
		}
		fmt.Fprintf(w, "%s\t%d bytes, %s\n", l.Name, l.Bytes, of)
	}
	return w.Flush()
}

func verifyCommand() *cobra.Command {
	data := ""
	cmd := &cobra.Command{
		Use:   "verify [--data DIR]",
		Short: "Read everything in a store and report damage; exits with 1 if there is any",
		Args:  cobra.NoArgs,
	}
	cmd.Flags().StringVar(&data, "data", defaultData, "the store's `DIR`; its server must be stopped")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		problems := 0
		err := store.Verify(vfs.OS, data, func(problem string) {
			problems++
			fmt.Fprintln(cmd.OutOrStdout(), problem)
		})
		if err != nil {
			return err
		}
		if problems > 0 {
			return &exit{exitNo, fmt.Sprintf("%s: %d problems", data, problems)}
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%s: no problems\n", data)
		return nil
	}
	return cmd
}

func dumpCommand() *cobra.Command {
	data := ""
	cmd := &cobra.Command{
		Use:   "dump [--data DIR]",
		Short: "Print every record of a store, a line each",
		Args:  cobra.NoArgs,
	}
	cmd.Flags().StringVar(&data, "data", defaultData, "the store's `DIR`; its server must be stopped")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		out := bufio.NewWriter(cmd.OutOrStdout())
		err := store.Dump(vfs.OS, data, func(pos uint64, segment string, offset int64, r record.Record) error {
			text, err := server.Describe(r)
			if err != nil {
				return fmt.Errorf("%s, offset %d: %w", segment, offset, err)
			}
			size := 0
			for _, p := range r.Body {
				size += len(p)
			}
			if size > 0 {
				text += fmt.Sprintf(", %d bytes", size)
			}
			_, err = fmt.Fprintf(out, "%d\t%s:%d\t%s\n", pos, segment, offset, text)
			return err
		})
		if err != nil {
			return err
		}
		return out.Flush()
	}
	return cmd
}
