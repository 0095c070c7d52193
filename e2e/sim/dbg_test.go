package sim
import "fmt"
import "os"
func init() { if os.Getenv("SIMDBG") != "" { dbg = func(f string, a ...any) { fmt.Printf(f+"\n", a...) } } }
