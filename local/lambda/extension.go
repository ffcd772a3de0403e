package lambda

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"

	"example.com/chatstack/internal/uuid"
)

// An extension is one that the process has registered of itself.
type extension struct{ id, name string }

// maxExtensions is how many Lambda takes in one environment.
const maxExtensions = 10

// register takes an extension of the process itself that listens for no event.
// That is how a runtime asks for SIGTERM before SIGKILL: the Go library does with
// lambda.WithEnableSIGTERM. Without one, Lambda sends SIGKILL alone.
func (a *runtimeAPI) register(w http.ResponseWriter, r *http.Request) {
	name := r.Header.Get("Lambda-Extension-Name")
	if name == "" {
		refuseExtension(w, "InvalidExtensionName", "Empty extension name")
		return
	}
	body, err := readBody(w, r)
	if err != nil {
		refuseBody(w, err)
		return
	}
	var registration struct{ Events []string }
	if err := json.Unmarshal(body, &registration); err != nil {
		refuse(w, http.StatusForbidden, "InvalidRequestFormat", err.Error())
		return
	}
	if len(registration.Events) > 0 {
		refuseExtension(w, "InvalidEventType", registration.Events[0]+": the local cloud sends no events to extensions: register for none")
		return
	}
	id, ok := a.addExtension(w, name)
	if !ok {
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Lambda-Extension-Identifier", id)
	// An error means that the process is gone.
	_ = json.NewEncoder(w).Encode(map[string]string{
		"functionName": a.cfg.Name, "functionVersion": version, "handler": a.cfg.Handler,
	})
}

func (a *runtimeAPI) addExtension(w http.ResponseWriter, name string) (id string, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.phase != initializing {
		refuseExtension(w, "RegistrationClosed", "Extension registration closed already")
		return "", false
	}
	for _, e := range a.extensions {
		if e.name == name {
			refuseExtension(w, "InvalidExtensionState", "Extension with this name already registered")
			return "", false
		}
	}
	if len(a.extensions) == maxExtensions {
		refuseExtension(w, "TooManyExtensions", "Extension limit ("+strconv.Itoa(maxExtensions)+") reached")
		return "", false
	}
	id = uuid.New()
	a.extensions = append(a.extensions, extension{id, name})
	return id, true
}

// wantsSIGTERM says whether the process is told of its end.
func (a *runtimeAPI) wantsSIGTERM() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.extensions) > 0
}

var extensionID = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// extensionEvent never answers a registered extension: there are no events for it.
func (a *runtimeAPI) extensionEvent(w http.ResponseWriter, r *http.Request) {
	switch id := r.Header.Get("Lambda-Extension-Identifier"); {
	case id == "":
		refuseExtension(w, "MissingExtensionIdentifier", "Missing Lambda-Extension-Identifier header")
	case !extensionID.MatchString(id):
		refuseExtension(w, "InvalidExtensionIdentifier", "Invalid Lambda-Extension-Identifier")
	case !a.knows(id):
		refuseExtension(w, "UnknownExtensionIdentifier", "Unknown extension "+id)
	default:
		<-r.Context().Done()
	}
}

func (a *runtimeAPI) knows(id string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, e := range a.extensions {
		if e.id == id {
			return true
		}
	}
	return false
}

func refuseExtension(w http.ResponseWriter, kind, message string) {
	refuse(w, http.StatusForbidden, "Extension."+kind, message)
}
