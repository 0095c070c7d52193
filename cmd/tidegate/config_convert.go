package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/tidegate/tidegate/core/config"
	"github.com/tidegate/tidegate/core/config/disk"
	"github.com/tidegate/tidegate/persist/vfs"
)

func configConvertCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "convert PATH --out DIR",
		Short: "Write a classic set as tibemsd.json, or a tibemsd.json as a classic set",
		Long: `Write a classic set as tibemsd.json, or a tibemsd.json as a classic set. The set
that is read stays as it is; what cannot be taken over is said on standard error.
Comments are not taken over.`,
		Args: cobra.ExactArgs(1),
	}
	out := cmd.Flags().String("out", "", "write into `DIR`, which is made if it is not there")
	force := cmd.Flags().Bool("force", false, "write over files that are there")
	_ = cmd.MarkFlagRequired("out")
	return overSet(cmd, func(cmd *cobra.Command, c *config.Config, _ []string) error {
		files, notes, err := c.Convert()
		if err != nil {
			return err
		}
		if err := vfs.OS.MkdirAll(*out); err != nil {
			return err
		}
		for _, f := range files {
			path := filepath.Join(*out, f.Name)
			if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) && !*force {
				return fmt.Errorf("%s is there already: choose another --out, or add --force", path)
			}
		}
		for _, f := range files {
			path := filepath.Join(*out, f.Name)
			if err := disk.Write(vfs.OS, path, f.Bytes); err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), path)
		}
		for _, n := range notes {
			fmt.Fprintln(cmd.ErrOrStderr(), n)
		}
		return nil
	})
}

func configJNDICommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "jndi PATH",
		Short: "Write a jndi.properties for Qpid JMS",
		Long: `Write a jndi.properties for Qpid JMS on standard output: a line for each connection
factory, static queue and topic, and JNDI alias, so that programs find by the same
names what they found in EMS. What Qpid JMS has no word for is said on standard
error.`,
		Args: cobra.ExactArgs(1),
	}
	host := cmd.Flags().String("host", "localhost", "the server's `HOST`, where a factory's URL names none")
	return overSet(cmd, func(cmd *cobra.Command, c *config.Config, _ []string) error {
		file, notes := c.JNDI(*host)
		for _, n := range notes {
			fmt.Fprintln(cmd.ErrOrStderr(), n)
		}
		_, err := cmd.OutOrStdout().Write(file)
		return err
	})
}
