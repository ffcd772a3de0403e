package lambda

import (
	"maps"
	"path/filepath"
	"slices"
	"strconv"
)

// variables is the environment of one process, as KEY=value. Nothing of ours is
// in it.
//
// AWS_EXECUTION_ENV is absent, as in all of Lambda's OS-only runtimes, and so is
// AWS_LAMBDA_MAX_CONCURRENCY, which would start several loops in one process. The
// X-Ray daemon has an address of its own on Lambda; here it is that at which one
// would listen on this machine.
func variables(cfg *Config, stream, dir, runtimeAPI string) []string {
	root := filepath.Dir(cfg.Bootstrap)
	all := map[string]string{
		"LANG":                     "en_US.UTF-8",
		"LD_LIBRARY_PATH":          "/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:" + root + ":" + root + "/lib:/opt/lib",
		"PATH":                     "/usr/local/bin:/usr/bin/:/bin:/opt/bin",
		"TZ":                       ":UTC",
		"AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
		"AWS_XRAY_DAEMON_ADDRESS":  "127.0.0.1:2000",
		"_AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1",
		"_AWS_XRAY_DAEMON_PORT":    "2000",
	}
	maps.Copy(all, cfg.Environment)
	maps.Copy(all, map[string]string{
		"_HANDLER":                        cfg.Handler,
		"AWS_LAMBDA_FUNCTION_NAME":        cfg.Name,
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": strconv.Itoa(cfg.MemoryMB),
		"AWS_LAMBDA_FUNCTION_VERSION":     version,
		"AWS_LAMBDA_INITIALIZATION_TYPE":  "on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME":       cfg.LogGroup,
		"AWS_LAMBDA_LOG_STREAM_NAME":      stream,
		"AWS_LAMBDA_RUNTIME_API":          runtimeAPI,
		"LAMBDA_TASK_ROOT":                root,
		"LAMBDA_RUNTIME_DIR":              "/var/runtime",

		// A directory for this environment alone, in place of the /tmp that it would
		// have on Lambda. It is also its home: without one an SDK would look up
		// the user's, and take settings from there.
		"TMPDIR": dir,
		"HOME":   dir,
	})
	maps.Copy(all, cfg.Service)
	if region := all["AWS_REGION"]; region != "" {
		all["AWS_DEFAULT_REGION"] = region
	}
	env := make([]string, 0, len(all))
	for _, name := range slices.Sorted(maps.Keys(all)) {
		env = append(env, name+"="+all[name])
	}
	return env
}

// version is the only version of a function that there is here.
const version = "$LATEST"
