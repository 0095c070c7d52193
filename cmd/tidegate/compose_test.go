package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

// The compose file loads, and what it names exists: contexts, Dockerfiles, and
// the command that the health check and the image run.
func TestCompose(t *testing.T) {
	top, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	o, err := cli.NewProjectOptions([]string{filepath.Join(top, "docker-compose.yml")}, cli.WithWorkingDirectory(top))
	if err != nil {
		t.Fatal(err)
	}
	project, err := o.LoadProject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"gateway", "rabbitmq", "nats"} {
		s, err := project.GetService(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		exists(t, project, s)
	}
	gateway, err := project.GetService("gateway")
	if err != nil || gateway.HealthCheck == nil {
		t.Fatalf("the gateway has no health check: %v", err)
	}
	check := gateway.HealthCheck.Test
	if len(check) < 3 || check[0] != "CMD" || check[1] != "/tidegate" {
		t.Fatalf("health check %q does not run the binary itself", check)
	}
	cmd, rest, err := root().Find(check[2:])
	if err != nil || cmd.Name() != "inspect" {
		t.Fatalf("health check %q: %v %v", check, cmd, err)
	}
	if err := cmd.ParseFlags(rest); err != nil {
		t.Errorf("health check %q: %v", check, err)
	}
}

func exists(t *testing.T, project *types.Project, s types.ServiceConfig) {
	t.Helper()
	if s.Build == nil {
		if s.Image == "" {
			t.Errorf("%s has neither image nor build", s.Name)
		}
		return
	}
	if _, err := os.Stat(filepath.Join(s.Build.Context, s.Build.Dockerfile)); err != nil {
		t.Errorf("%s: %v", s.Name, err)
	}
	for _, v := range s.Volumes {
		if v.Type == types.VolumeTypeVolume && !slices.Contains(project.VolumeNames(), v.Source) {
			t.Errorf("%s: volume %s is not defined", s.Name, v.Source)
		}
	}
}
