package cloud

import (
	"crypto/rand"
	"encoding/base32"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"

	"example.com/chatstack/local/iam"
)

// An identity is who a function is to the services that it calls: a session of
// its role, with credentials of its own.
type identity struct {
	accessKeyID string
	principal   iam.Principal
}

func (i identity) provider() credentials.StaticCredentialsProvider {
	return credentials.NewStaticCredentialsProvider(i.accessKeyID, i.principal.SecretAccessKey, i.principal.SessionToken)
}

// identities are those of the functions. They last until the function is deleted
// or the cloud ends, and are written down nowhere.
type identities struct {
	authority *iam.Authority

	mu         sync.Mutex
	byFunction map[string]identity
}

func newIdentities(authority *iam.Authority) *identities {
	return &identities{authority: authority, byFunction: map[string]identity{}}
}

// assume lets a function act as a role, and returns its identity: the one that it
// has, unless the role is another now.
func (s *identities) assume(function string, role *Resource) identity {
	s.mu.Lock()
	defer s.mu.Unlock()
	if own, known := s.byFunction[function]; known && own.principal.RoleARN == role.Outputs.text("arn") {
		return own
	}
	// Processes that run still finish with the credentials that they have.
	own := newIdentity(function, role)
	s.byFunction[function] = own
	s.authority.PutPrincipal(own.accessKeyID, own.principal)
	return own
}

// forget ends a function's identity.
func (s *identities) forget(function string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.authority.DeletePrincipal(s.byFunction[function].accessKeyID)
	delete(s.byFunction, function)
}

func (s *identities) of(function string) (identity, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	own, known := s.byFunction[function]
	return own, known
}

// authorize asks whether a function's role allows an action.
func (s *identities) authorize(function, action, resource string) error {
	own, known := s.of(function)
	if !known {
		return fmt.Errorf("there is no function %s", function)
	}
	return s.authority.Authorize(own.principal, action, resource, nil)
}

// newIdentity makes one in the form of AWS's temporary credentials, whose access
// keys begin with ASIA.
func newIdentity(function string, role *Resource) identity {
	random := make([]byte, 10) // 16 characters
	rand.Read(random)
	return identity{
		accessKeyID: "ASIA" + base32.StdEncoding.EncodeToString(random),
		principal: iam.Principal{
			ARN:             "arn:aws:sts::" + AccountID + ":assumed-role/" + role.ID + "/" + function,
			Role:            role.ID,
			RoleARN:         role.Outputs.text("arn"),
			SecretAccessKey: rand.Text() + rand.Text()[:14],
			SessionToken:    rand.Text() + rand.Text() + rand.Text(),
		},
	}
}

// roleLogs writes the functions' log lines as their roles allow it. Without the
// permission, a function on AWS runs and its lines are lost.
type roleLogs struct {
	c *Cloud

	mu    sync.Mutex
	muted map[string]bool // by function
}

func (l *roleLogs) Log(function, group, stream string, at time.Time, line string) {
	if own, known := l.c.identities.of(function); known {
		resource := l.c.arn("logs", "log-group:"+group+":log-stream:"+stream)
		err := l.c.authority.Authorize(own.principal, "logs:CreateLogStream", resource, nil)
		if err == nil {
			err = l.c.authority.Authorize(own.principal, "logs:PutLogEvents", resource, nil)
		}
		if l.mute(function, err) {
			l.c.log.Warn("a function's log lines are lost, as they would be on AWS", "function", function, "error", err)
		}
		if err != nil {
			return
		}
	}
	l.c.logs.Log(group, stream, at, line)
}

// mute notes whether a function's lines are lost, and reports whether they have
// only begun to be.
func (l *roleLogs) mute(function string, err error) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	begins := err != nil && !l.muted[function]
	l.muted[function] = err != nil
	return begins
}

// isMuted reports whether a function's last line was lost.
func (l *roleLogs) isMuted(function string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.muted[function]
}
