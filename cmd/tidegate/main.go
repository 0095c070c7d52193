// Command tidegate is the gateway broker and its tools in one binary.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/viper"
)

// version is set by the linker (Makefile).
var version = "dev"

// Exit codes. What a command itself says with 1 stands in its help.
const (
	exitNo    = 1 // the answer is no: a time-out, a finding
	exitError = 2 // it could not be done, or was asked for wrongly
)

// exit is an error with an exit code of its own; its text may be empty.
type exit struct {
	code int
	text string
}

func (e *exit) Error() string { return e.text }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	cmd := root()
	if args, ok := calledAs(os.Args, os.Stderr); ok {
		cmd.SetArgs(args)
	}
	err := cmd.ExecuteContext(ctx)
	stop()
	if err == nil {
		return
	}
	code := exitError
	var e *exit
	if errors.As(err, &e) {
		code = e.code
	}
	if err.Error() != "" {
		fmt.Fprintln(os.Stderr, "tidegate:", err)
	}
	os.Exit(code)
}

func root() *cobra.Command {
	cmd := &cobra.Command{
		Use:           "tidegate",
		Short:         "A JMS broker that speaks AMQP 1.0 and behaves as TIBCO EMS does",
		SilenceUsage:  true,
		SilenceErrors: true,
		Version:       version,
	}
	cmd.AddCommand(serveCommand(), sendCommand(), receiveCommand(), browseCommand(), storeCommand(), adminCommand(), configCommand(), passwdCommand(), benchCommand(), versionCommand())
	return cmd
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs,
		Run: func(cmd *cobra.Command, _ []string) { fmt.Fprintln(cmd.OutOrStdout(), "tidegate", version) },
	}
}

// settings joins flags, environment (TIDEGATE_*) and tidegate.yaml, in that
// order of precedence. What has no flag comes beside them.
func settings(cmd *cobra.Command, file string) (*viper.Viper, *fileOnly, error) {
	v := viper.New()
	v.SetEnvPrefix("TIDEGATE")
	v.SetEnvKeyReplacer(strings.NewReplacer("-", "_"))
	v.AutomaticEnv()
	if err := v.BindPFlags(cmd.Flags()); err != nil {
		return nil, nil, err
	}
	c, err := readConfig(file, cmd.Flags())
	if err != nil {
		return nil, nil, err
	}
	if err := v.MergeConfigMap(c.values); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", c.name, err)
	}
	return v, &c.only, nil
}
