package lambda

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
)

// register takes an extension of the process itself that listens for no event.
// That is how a runtime asks for SIGTERM before SIGKILL: the Go library does with
// lambda.WithEnableSIGTERM. Without one, Lambda sends SIGKILL alone.
func (a *runtimeAPI) register(w http.ResponseWriter, r *http.Request) {
	name := r.Header.Get("Lambda-Extension-Name")
	if name == "" {
		refuse(w, http.StatusBadRequest, "Extension.InvalidExtensionName", "the header Lambda-Extension-Name is missing")
		return
	}
	var body struct{ Events []string }
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&body)
	if err != nil && !errors.Is(err, io.EOF) {
		refuse(w, http.StatusBadRequest, "InvalidRequest", "the body is not a registration: "+err.Error())
		return
	}
	if len(body.Events) > 0 {
		refuse(w, http.StatusForbidden, "Extension.InvalidEventType", "the local cloud sends no events to extensions: register for none")
		return
	}
	id, ok := a.addExtension()
	if !ok {
		refuse(w, http.StatusForbidden, "Extension.RegistrationClosed", "extensions register before the first invocation")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Lambda-Extension-Identifier", id)
	// An error means that the process is gone.
	_ = json.NewEncoder(w).Encode(map[string]string{
		"functionName": a.cfg.Name, "functionVersion": version, "handler": "bootstrap",
	})
}

func (a *runtimeAPI) addExtension() (id string, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.phase != initializing {
		return "", false
	}
	id = newUUID()
	a.extensions = append(a.extensions, id)
	return id, true
}

// wantsSIGTERM says whether the process is told of its end.
func (a *runtimeAPI) wantsSIGTERM() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.extensions) > 0
}

// extensionEvent never answers a registered extension: there are no events for it.
func (a *runtimeAPI) extensionEvent(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	known := slices.Contains(a.extensions, r.Header.Get("Lambda-Extension-Identifier"))
	a.mu.Unlock()
	if !known {
		refuse(w, http.StatusForbidden, "Extension.UnknownExtensionIdentifier", "unknown extension")
		return
	}
	<-r.Context().Done()
}
