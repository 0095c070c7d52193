package main

import (
	"errors"
	"fmt"

	"github.com/spf13/pflag"
	"github.com/spf13/viper"

	"github.com/tidegate/tidegate/core"
)

func transactionFlags(f *pflag.FlagSet) {
	f.Int("max-transactions", core.DefaultMaxTransactions, "let a connection have `N` transactions open")
	f.Int("max-transaction-work", core.DefaultMaxTransactionWork, "let a transaction hold `N` sends and acknowledgements")
	f.String("max-transaction-bytes", "1GiB", "let a transaction hold messages of `BYTES` in all")
	f.Duration("transaction-timeout", 0, "roll a transaction back that long after its first send or acknowledgement (0: never, as EMS)")
}

// transactionLimits reads what transactionFlags offers.
func transactionLimits(v *viper.Viper) (core.TransactionLimits, error) {
	l := core.TransactionLimits{
		Open: v.GetInt("max-transactions"), Work: v.GetInt("max-transaction-work"), TimeOut: v.GetDuration("transaction-timeout"),
	}
	var err error
	if l.Bytes, err = parseBytes(v.GetString("max-transaction-bytes")); err != nil || l.Bytes <= 0 {
		return l, fmt.Errorf("--max-transaction-bytes %s: write a number of bytes above 0, with KiB, MiB, GiB, KB, MB or GB if you like", v.GetString("max-transaction-bytes"))
	}
	if l.Open <= 0 || l.Work <= 0 || l.TimeOut < 0 {
		return l, errors.New("--max-transactions and --max-transaction-work must be above 0, --transaction-timeout not below")
	}
	return l, nil
}
