package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// usage is what a process has used so far.
type usage struct {
	cpu, user time.Duration // cpu is user and system
	rss, peak int64         // resident memory now, and the most ever, in bytes
	written   int64         // to disk, in bytes; -1: the kernel does not tell
}

// processUsage reads the usage of a process on this machine.
func processUsage(pid int) (u usage, err error) {
	if u.cpu, err = processTime(pid); err != nil {
		return u, err
	}
	dir := fmt.Sprintf("/proc/%d/", pid)
	status, err := os.ReadFile(dir + "status")
	if err != nil {
		return u, err
	}
	u.rss, u.peak = procField(status, "VmRSS:")<<10, procField(status, "VmHWM:")<<10
	u.written = -1
	if io, err := os.ReadFile(dir + "io"); err == nil { // another user's is closed to us
		u.written = procField(io, "write_bytes:")
	}
	stat, err := os.ReadFile(dir + "stat")
	if err != nil {
		return u, err
	}
	// Ticks of the two are coarse: they only split the exact sum.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	const utime, stime = 11, 12 // 14 and 15 of proc_pid_stat(5), which counts from the name, 2
	if len(fields) > stime {
		user, _ := strconv.ParseInt(fields[utime], 10, 64)
		system, _ := strconv.ParseInt(fields[stime], 10, 64)
		u.user = time.Duration(float64(u.cpu) * float64(user) / float64(max(user+system, 1)))
	}
	return u, nil
}

// processTime is a process's processor time in nanoseconds, all its threads', by
// its clock (clock_getcpuclockid(3)): /proc has hundredths of a second only.
func processTime(pid int) (time.Duration, error) {
	const schedule = 2 // the clock of user and system time together
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|schedule), &t); err != nil {
		return 0, fmt.Errorf("no process of this machine that can be measured: %w", err)
	}
	return time.Duration(t.Nano()), nil
}

// procField reads the number behind a name in a file of /proc, 0 if it is not there.
func procField(file []byte, name string) int64 {
	_, rest, _ := strings.Cut(string(file), name)
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	n, _ := strconv.ParseInt(fields[0], 10, 64)
	return n
}

// machine says what was measured on.
type machine struct {
	Cores  int    `json:"cores"`
	CPU    string `json:"cpu"`
	Kernel string `json:"kernel"`
	Go     string `json:"go"`
}

func thisMachine() machine {
	m := machine{Cores: runtime.NumCPU(), CPU: runtime.GOARCH, Go: runtime.Version()}
	var name unix.Utsname
	if unix.Uname(&name) == nil {
		m.Kernel = unix.ByteSliceToString(name.Sysname[:]) + " " + unix.ByteSliceToString(name.Release[:])
	}
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return m
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if name, value, _ := strings.Cut(lines.Text(), ":"); strings.TrimSpace(name) == "model name" {
			m.CPU = strings.TrimSpace(value)
			break
		}
	}
	return m
}

// inMemory tells whether a folder lies in memory.
func inMemory(dir string) bool {
	var st unix.Statfs_t
	return unix.Statfs(dir, &st) == nil && (st.Type == unix.TMPFS_MAGIC || st.Type == unix.RAMFS_MAGIC)
}

// cores gives the broker's core and the load's, -1 where there are not two.
func cores() (broker, load int) {
	var set unix.CPUSet
	broker, load = -1, -1
	if unix.SchedGetaffinity(0, &set) != nil || set.Count() < 2 {
		return broker, load
	}
	for cpu := 0; load < 0; cpu++ {
		switch {
		case !set.IsSet(cpu):
		case broker < 0:
			broker = cpu
		default:
			load = cpu
		}
	}
	return broker, load
}

// pinThread keeps the calling thread, and those it starts, on a core.
func pinThread(thread, core int) error {
	var set unix.CPUSet
	set.Set(core)
	return unix.SchedSetaffinity(thread, &set)
}

// pinSelf keeps this whole process on a core. The runtime's threads are there
// already, so each is moved; those that come are started by one of them.
func pinSelf(core int) error {
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return err
	}
	for _, t := range threads {
		id, err := strconv.Atoi(t.Name())
		if err != nil {
			continue
		}
		if err := pinThread(id, core); err != nil && !errors.Is(err, unix.ESRCH) {
			return err
		}
	}
	runtime.GOMAXPROCS(1)
	return nil
}
