package control

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"example.com/chatstack/local/tokens"
)

// errNoStage is what is said to who asks for a token that nobody would take.
var errNoStage = errors.New(`no stage here takes tokens of this machine: set chatstack:identity to {"mode":"jwt"}, without an issuer, and deploy`)

// ServePage adds to the page what it and the stages' authorizers ask for; they
// know the issuer of tokens on this machine by the page's address.
//
//	GET  /endpoints.json                     what the page can connect to
//	POST /token                              {"user", "name"}: a token to connect with
//	GET  /.well-known/openid-configuration   where the keys are
//	GET  /jwks.json                          the keys
//
// Any program of this machine may ask for a token. A web page may not, unless it
// is the chat page: that is told by the headers that browsers send, and by the
// name of the host, which could lead here from anywhere.
func (s *Server) ServePage(mux *http.ServeMux) {
	mux.HandleFunc("GET /endpoints.json", s.Endpoints)
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]any{
			"issuer": s.url(), "jwks_uri": s.url() + tokens.KeysPath, "id_token_signing_alg_values_supported": []string{"ES256"},
		})
	})
	mux.HandleFunc("GET "+tokens.KeysPath, func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, s.Issuer.Keys())
	})
	mux.Handle("POST /token", http.NewCrossOriginProtection().Handler(http.HandlerFunc(s.pageToken)))
}

// url is that of the page's host, without a slash at its end: the issuer's.
func (s *Server) url() string { return strings.TrimSuffix(s.Page, "/") }

// isOwnHost reports whether a request names this machine as its host.
func (s *Server) isOwnHost(host string) bool {
	own, err := url.Parse(s.Page)
	return err == nil && (host == own.Host || host == "localhost:"+own.Port())
}

func (s *Server) pageToken(w http.ResponseWriter, r *http.Request) {
	if !s.isOwnHost(r.Host) || r.Header.Get("Content-Type") != "application/json" {
		http.Error(w, "a token is for the chat page and programs of this machine: send JSON, as application/json, to "+s.url(), http.StatusForbidden)
		return
	}
	var asked struct {
		User string `json:"user"`
		Name string `json:"name"`
	}
	if read(w, r, &asked) {
		s.sign(w, tokens.Request{User: asked.User, Name: asked.Name})
	}
}

func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	var asked tokens.Request
	if read(w, r, &asked) {
		s.sign(w, asked)
	}
}

func (s *Server) sign(w http.ResponseWriter, asked tokens.Request) {
	if _, err := asked.Check(); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	audience := s.audience()
	if audience == nil {
		http.Error(w, errNoStage.Error(), http.StatusConflict)
		return
	}
	token, err := s.Issuer.Sign(s.url(), audience, asked)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	answer(w, http.StatusOK, token)
}

// audience is that of the stages that take tokens of this machine; nil where none
// does.
func (s *Server) audience() []string {
	var audience []string
	for _, api := range s.Cloud.Overview().APIs {
		if s.takesOwnTokens(api) {
			audience = append(audience, api.Identity.Audience...)
		}
	}
	slices.Sort(audience)
	return slices.Compact(audience)
}

// Sign asks the cloud for a token that its stages take.
func (a Address) Sign(ctx context.Context, asked tokens.Request) (*tokens.Token, error) {
	var token tokens.Token
	if err := a.call(ctx, http.MethodPost, "token", asked, &token); err != nil {
		return nil, err
	}
	return &token, nil
}
