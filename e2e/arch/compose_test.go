package arch

import (
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

// TestCompose loads the compose file as Compose does and checks that what it
// names exists: no container engine runs where these tests do.
func TestCompose(t *testing.T) {
	folder, err := filepath.Abs(top)
	if err != nil {
		t.Fatal(err)
	}
	options, err := cli.NewProjectOptions([]string{filepath.Join(folder, "docker-compose.yml")}, cli.WithWorkingDirectory(folder))
	if err != nil {
		t.Fatal(err)
	}
	project, err := options.LoadProject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := project.ServiceNames(); !slices.Equal(slices.Sorted(slices.Values(got)), []string{"artemis", "gateway", "nats", "rabbitmq"}) {
		t.Fatalf("services %v", got)
	}
	for _, s := range project.Services {
		checkService(t, project, s)
	}
	gateway := project.Services["gateway"]
	if gateway.Build == nil {
		t.Fatal("the gateway is not built from the repository")
	}
	mustExist(t, filepath.Join(gateway.Build.Context, gateway.Build.Dockerfile))
	checkTransports(t, project, gateway)
	if gateway.User == "" || strings.HasPrefix(gateway.User, "0") || gateway.User == "root" {
		t.Errorf("the gateway runs as %q", gateway.User)
	}
	check := gateway.HealthCheck.Test
	if check[1] != "/tidegate" {
		t.Fatalf("the health check runs %q, not the binary itself", check[1])
	}

	// What the image runs and what checks it are commands of the binary, with
	// flags that it has: asked for help, it would refuse others.
	binary := filepath.Join(t.TempDir(), "tidegate")
	build := exec.Command("go", "build", "-o", binary, "./cmd/tidegate")
	build.Dir = folder
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the gateway: %v\n%s", err, out)
	}
	for _, words := range [][]string{gateway.Command, check[2:]} {
		help, err := exec.Command(binary, append(slices.Clone(words), "--help")...).CombinedOutput()
		if err != nil {
			t.Errorf("tidegate %s: %v\n%s", strings.Join(words, " "), err, help)
		}
		for _, w := range words {
			if strings.HasPrefix(w, "--") && !strings.Contains(string(help), w) {
				t.Errorf("tidegate %s has no flag %s", words[0], w)
			}
		}
	}
	// Where nobody answers the check fails.
	dead := append(slices.Clone(check[2:len(check)-1]), "amqp://127.0.0.1:1")
	if err := exec.Command(binary, dead...).Run(); err == nil {
		t.Error("the health check passes where nobody listens")
	}
}

// checkTransports: the gateway has a configuration whose transports lead to services of the
// project, at ports that those have.
func checkTransports(t *testing.T, project *types.Project, gateway types.ServiceConfig) {
	t.Helper()
	led := 0
	for _, v := range gateway.Volumes {
		if !strings.HasSuffix(v.Target, "/transports.conf") {
			continue
		}
		text, err := os.ReadFile(v.Source)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			address, ok := strings.CutPrefix(strings.TrimSpace(line), "url = ")
			if !ok {
				continue
			}
			u, err := url.Parse(address)
			if err != nil {
				t.Fatal(err)
			}
			led++
			port := func(p types.ServicePortConfig) bool { return strconv.Itoa(int(p.Target)) == u.Port() }
			if s, ok := project.Services[u.Hostname()]; !ok || !slices.ContainsFunc(s.Ports, port) {
				t.Errorf("%s: %s leads to no service of the project", v.Source, address)
			}
		}
	}
	if led != len(project.Services)-1 {
		t.Errorf("%d transports lead to %d other services", led, len(project.Services)-1)
	}
}

func checkService(t *testing.T, project *types.Project, s types.ServiceConfig) {
	t.Helper()
	if s.HealthCheck == nil || len(s.HealthCheck.Test) < 2 || s.HealthCheck.Test[0] != "CMD" {
		t.Errorf("%s has no health check that runs without a shell", s.Name)
	}
	if s.Build == nil && s.Image == "" {
		t.Errorf("%s has neither an image nor a build", s.Name)
	}
	for _, p := range s.Ports {
		if p.HostIP != "127.0.0.1" {
			t.Errorf("%s opens port %s to the world", s.Name, p.Published)
		}
	}
	for _, v := range s.Volumes {
		switch v.Type {
		case types.VolumeTypeBind:
			mustExist(t, v.Source)
		case types.VolumeTypeVolume:
			if _, ok := project.Volumes[v.Source]; !ok {
				t.Errorf("%s mounts %s, which is declared nowhere", s.Name, v.Source)
			}
		}
	}
}
