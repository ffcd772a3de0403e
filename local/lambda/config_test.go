package lambda

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestEnvironmentOfAProcess(t *testing.T) {
	t.Setenv("CHATSTACK_OURS", "secret")
	logs := &recorder{}
	s := New(Options{Dir: t.TempDir(), Logs: logs})
	t.Cleanup(s.Close)
	f := &fixture{Service: s, t: t, logs: logs}
	f.put(func(cfg *Config) {
		cfg.MemoryMB = 256
		cfg.Handler = "main"
		cfg.Environment = map[string]string{"TABLE_NAME": "t", "TZ": "Europe/Berlin", "AWS_ENDPOINT_URL_DYNAMODB": "http://mine"}
		cfg.Service["AWS_ACCESS_KEY_ID"] = "id"
		cfg.Service["AWS_ENDPOINT_URL_DYNAMODB"] = "http://table"
	})
	var env []string
	f.value(&env, "environment")
	got := map[string]string{}
	for _, kv := range env {
		name, value, _ := strings.Cut(kv, "=")
		got[name] = value
	}
	for _, name := range []string{"AWS_LAMBDA_RUNTIME_API", "TMPDIR", "HOME", "_X_AMZN_TRACE_ID"} {
		if got[name] == "" {
			t.Errorf("%s is not set", name)
		}
		delete(got, name)
	}
	root := filepath.Dir(bootstrap)
	want := map[string]string{
		"_HANDLER":                        "main",
		"AWS_ACCESS_KEY_ID":               "id",
		"AWS_DEFAULT_REGION":              "eu-west-1",
		"AWS_ENDPOINT_URL_DYNAMODB":       "http://table",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
		"AWS_LAMBDA_FUNCTION_NAME":        "f",
		"AWS_LAMBDA_FUNCTION_VERSION":     "$LATEST",
		"AWS_LAMBDA_INITIALIZATION_TYPE":  "on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME":       "/aws/lambda/f",
		"AWS_LAMBDA_LOG_STREAM_NAME":      logs.all()[0].stream,
		"AWS_REGION":                      "eu-west-1",
		"AWS_XRAY_CONTEXT_MISSING":        "LOG_ERROR",
		"AWS_XRAY_DAEMON_ADDRESS":         "127.0.0.1:2000",
		"_AWS_XRAY_DAEMON_ADDRESS":        "127.0.0.1",
		"_AWS_XRAY_DAEMON_PORT":           "2000",
		"LAMBDA_RUNTIME_DIR":              "/var/runtime",
		"LAMBDA_TASK_ROOT":                root,
		"LANG":                            "en_US.UTF-8",
		"LD_LIBRARY_PATH":                 "/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:" + root + ":" + root + "/lib:/opt/lib",
		"PATH":                            "/usr/local/bin:/usr/bin/:/bin:/opt/bin",
		"TABLE_NAME":                      "t",
		"TZ":                              "Europe/Berlin",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	var dir string
	f.value(&dir, "directory")
	if resolved, err := filepath.EvalSymlinks(filepath.Dir(bootstrap)); err != nil || dir != resolved {
		t.Errorf("it runs in %s (%v)", dir, err)
	}
}

func TestPutRefuses(t *testing.T) {
	t.Parallel()
	s := New(Options{})
	t.Cleanup(s.Close)
	dir := t.TempDir()
	file := func(name string, mode os.FileMode, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	variable := func(name, value string) func(*Config) {
		return func(cfg *Config) { cfg.Environment = map[string]string{name: value} }
	}
	at := func(path string) func(*Config) { return func(cfg *Config) { cfg.Bootstrap = path } }
	for name, row := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"no name":            {func(cfg *Config) { cfg.Name = "" }, "needs a name"},
		"too little memory":  {func(cfg *Config) { cfg.MemoryMB = 64 }, "function f: memory of 64 MB"},
		"too much memory":    {func(cfg *Config) { cfg.MemoryMB = 10241 }, "memory of 10241 MB"},
		"too long":           {func(cfg *Config) { cfg.Timeout = 901 * time.Second }, "timeout of 15m1s"},
		"negative":           {func(cfg *Config) { cfg.Timeout = -1 }, "timeout of -1ns"},
		"concurrency":        {func(cfg *Config) { cfg.ReservedConcurrency = -2 }, "reserved concurrency of -2"},
		"reserved region":    {variable("AWS_REGION", "x"), "reserved by Lambda: AWS_REGION"},
		"reserved handler":   {variable("_HANDLER", "x"), "reserved by Lambda: _HANDLER"},
		"variable's name":    {variable("A-B", "x"), `environment variable "A-B"`},
		"reserved count":     {variable("AWS_LAMBDA_MAX_CONCURRENCY", "1"), "reserved by Lambda: AWS_LAMBDA_MAX_CONCURRENCY"},
		"variables too long": {variable("AB", strings.Repeat("x", 4088)), "environment variables of 4097 bytes"},
		"relative path":      {at("bootstrap"), "must be absolute"},
		"missing":            {at(filepath.Join(dir, "missing")), "no such file"},
		"directory":          {at(dir), "not a file"},
		"not executable":     {at(file("plain", 0o644, []byte("#!/bin/sh\n"))), "not executable: its mode is 0644"},
		"not a program":      {at(file("text", 0o755, []byte("hello"))), "neither an executable known here nor a script"},
		"empty":              {at(file("empty", 0o755, nil)), "neither an executable known here nor a script"},
	} {
		if err := s.Put(config(row.change)); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := s.Put(config(variable("AB", strings.Repeat("x", 4087)))); err != nil {
		t.Error(err)
	}
	// And the endpoints of services are no reserved names.
	if err := s.Put(config(variable("AWS_ENDPOINT_URL_DYNAMODB", "x"))); err != nil {
		t.Error(err)
	}
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	cfg := Config{Name: "f"}.withDefaults()
	if cfg.MemoryMB != 128 || cfg.Timeout != 3*time.Second || cfg.LogGroup != "/aws/lambda/f" || cfg.Handler != "bootstrap" {
		t.Errorf("%+v", cfg)
	}
}

// header writes the first bytes of an executable.
func header(t *testing.T, fields ...any) string {
	t.Helper()
	var b bytes.Buffer
	for _, field := range fields {
		if err := binary.Write(&b, binary.LittleEndian, field); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), "bootstrap")
	if err := os.WriteFile(path, b.Bytes(), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func elfHeader(t *testing.T, machine elf.Machine) string {
	return header(t, elf.Header64{
		Ident:   [elf.EI_NIDENT]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
		Type:    uint16(elf.ET_EXEC),
		Machine: uint16(machine),
		Version: uint32(elf.EV_CURRENT),
		Ehsize:  64,
	})
}

func machoHeader(t *testing.T, cpu uint32) string {
	return header(t, uint32(0xfeedfacf), cpu, uint32(0), uint32(2), [4]uint32{})
}

func TestExecutableForAnotherMachineIsRefused(t *testing.T) {
	t.Parallel()
	const x86, arm = 0x01000007, 0x0100000c
	built := map[string]string{
		"linux/amd64":    elfHeader(t, elf.EM_X86_64),
		"linux/arm64":    elfHeader(t, elf.EM_AARCH64),
		"linux/EM_RISCV": elfHeader(t, elf.EM_RISCV),
		"darwin/amd64":   machoHeader(t, x86),
		"darwin/arm64":   machoHeader(t, arm),
	}
	for _, here := range []platform{{"linux", "amd64"}, {"linux", "arm64"}, {"darwin", "arm64"}} {
		for name, path := range built {
			err := checkPlatform(path, here)
			if name == here.String() {
				if err != nil {
					t.Errorf("%s on %v: %v", name, here, err)
				}
				continue
			}
			want := "is built for " + name + " and this machine is " + here.String() + `: set the functions' target platform to "native"`
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s on %v: %v", name, here, err)
			}
		}
	}
	if err := checkPlatform(bootstrap, thisMachine()); err != nil {
		t.Errorf("what the toolchain here builds: %v", err)
	}
}
