package client

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.com/chatstack/chat"
)

// asUser is inBubble on a stage that knows the client as anna.
func asUser(t *testing.T, test func(t *testing.T, s *stage, c *Client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := newStage(1)
		s.you = func([]string) map[string]any { return map[string]any{"user": "anna", "name": "Anna"} }
		c, err := Dial(t.Context(), "memory", &Options{Dial: s.dial, Token: func(context.Context) (string, error) { return "token", nil }})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		test(t, s, c)
	})
}

func TestIdentity(t *testing.T) {
	t.Parallel()
	t.Run("a message is sent again at once on the next connection, with its id", func(t *testing.T) {
		t.Parallel()
		for name, stored := range map[string]bool{"it was stored": true, "it was lost": false} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				asUser(t, func(t *testing.T, s *stage, c *Client) {
					var ids []string
					s.mu.Lock()
					s.serve = func(conn *stageConn, f clientFrame) bool {
						if f.Action != chat.ActionSendMessage {
							return false
						}
						if ids = append(ids, f.ID); len(ids) > 1 {
							return false
						}
						if stored {
							s.act(conn, f)
						}
						time.AfterFunc(time.Millisecond, func() { conn.cut(errors.New("cut")) })
						return true
					}
					s.mu.Unlock()
					began := time.Now()
					receipt, err := c.Send(t.Context(), "a", "hello")
					if err != nil || receipt.Seq != 1 {
						t.Fatalf("%+v, %v", receipt, err)
					}
					synctest.Wait()
					if took := time.Since(began); took > 2*time.Second {
						t.Errorf("it took %v", took)
					}
					if s.count(chat.ActionGetHistory) > 0 {
						t.Error("the history was searched")
					}
					if len(s.channels["a"].messages) != 1 {
						t.Errorf("it is stored %d times", len(s.channels["a"].messages))
					}
					if !stored && (len(ids) != 2 || ids[0] != ids[1]) {
						t.Errorf("it went with the ids %q", ids)
					}
				})
			})
		}
	})
	t.Run("one who is another user then knows nothing of the message", func(t *testing.T) {
		t.Parallel()
		asUser(t, func(t *testing.T, s *stage, c *Client) {
			s.mu.Lock()
			s.serve = func(conn *stageConn, f clientFrame) bool {
				if f.Action == chat.ActionSendMessage {
					s.you = func([]string) map[string]any { return map[string]any{"user": "bert"} }
					time.AfterFunc(time.Millisecond, func() { conn.cut(errors.New("cut")) })
				}
				return f.Action == chat.ActionSendMessage
			}
			s.mu.Unlock()
			if _, err := c.Send(t.Context(), "a", "hello"); !errors.Is(err, ErrNotKnown) {
				t.Errorf("the error is %v", err)
			}
		})
	})
	t.Run("an edit outlives its connection", func(t *testing.T) {
		t.Parallel()
		asUser(t, func(t *testing.T, s *stage, c *Client) {
			edits := 0
			s.mu.Lock()
			s.serve = func(conn *stageConn, f clientFrame) bool {
				if f.Action != chat.ActionEditMessage {
					return false
				}
				if edits++; edits == 1 {
					time.AfterFunc(time.Millisecond, func() { conn.cut(errors.New("cut")) })
				} else {
					conn.push(`{"event":"ack","id":"` + f.ID + `","channelId":"a","seq":2}`)
				}
				return true
			}
			s.mu.Unlock()
			if receipt, err := c.Edit(t.Context(), "a", 1, "x"); err != nil || receipt.Seq != 2 {
				t.Errorf("%+v, %v", receipt, err)
			}
		})
	})
	t.Run("the connection is replaced before its token expires, once for each token", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			s := newStage(1)
			tokens, lasts := 0, 10*time.Minute
			expiry := time.Now().Add(lasts)
			s.you = func([]string) map[string]any {
				return map[string]any{"user": "anna", "expiresAt": expiry.UTC().Format(time.RFC3339)}
			}
			c, err := Dial(t.Context(), "memory", &Options{Dial: s.dial, Token: func(context.Context) (string, error) {
				if tokens++; tokens <= 3 {
					expiry = time.Now().Add(lasts)
				}
				return fmt.Sprint("token", tokens), nil
			}})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			time.Sleep(time.Hour)
			synctest.Wait()
			// Three that were fresh, and one that lasts no longer than the third.
			if tokens != 4 {
				t.Errorf("%d tokens were asked for", tokens)
			}
			for i, at := range s.dials[1:] {
				if i < 3 && at.Sub(s.dials[i]) >= lasts {
					t.Errorf("connection %d lasted %v", i, at.Sub(s.dials[i]))
				}
			}
			if diff := cmp.Diff([]string{chat.Subprotocol, "bearer.token4"}, s.offered[3]); diff != "" {
				t.Errorf("subprotocols (-want +got):\n%s", diff)
			}
		})
	})
	t.Run("one who is banned everywhere ends, and says so", func(t *testing.T) {
		t.Parallel()
		asUser(t, func(t *testing.T, s *stage, c *Client) {
			s.one().push(`{"event":"banned","channelId":"a","at":"2026-03-01T12:00:00.000Z"}`)
			expect(t, c, "connecting", "online", "Banned")
			if err := c.Err(); err != nil {
				t.Errorf("banned from a channel: %v", err)
			}
			s.one().push(`{"event":"banned","reason":"spam","until":"2026-03-02T12:00:00.000Z","at":"2026-03-01T12:00:00.000Z"}`)
			for range c.Events() { // until it ends
			}
			_, sendErr := c.Send(t.Context(), "a", "x")
			for _, err := range []error{c.Err(), sendErr, c.Subscribe(t.Context(), "a")} {
				if banned, ok := errors.AsType[*BannedError](err); !ok || banned.Reason != "spam" || banned.Until.IsZero() || !errors.Is(err, ErrClosed) {
					t.Errorf("the error is %v", err)
				}
			}
		})
	})
	t.Run("one whose token is refused while it was away ends", func(t *testing.T) {
		t.Parallel()
		asUser(t, func(t *testing.T, s *stage, c *Client) {
			s.mu.Lock()
			s.refuse = func() error { return &RefusedError{StatusCode: 403} }
			s.mu.Unlock()
			s.one().cut(errors.New("cut"))
			for range c.Events() {
			}
			if refused, ok := errors.AsType[*RefusedError](c.Err()); !ok || refused.StatusCode != 403 {
				t.Errorf("the error is %v", c.Err())
			}
		})
	})
}

func TestPace(t *testing.T) {
	t.Parallel()
	for code, wait := range map[string]time.Duration{"rate_limited": 3 * time.Second, "slow_mode": time.Minute, "too slow": time.Hour} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			asUser(t, func(t *testing.T, s *stage, c *Client) {
				began, tries := time.Now(), 0
				s.mu.Lock()
				s.serve = func(conn *stageConn, f clientFrame) bool {
					if f.Action != chat.ActionSendMessage {
						return false
					}
					tries++
					if time.Since(began) >= wait {
						return false
					}
					says := code
					if says == "too slow" {
						says = "slow_mode"
					}
					conn.push(fmt.Sprintf(`{"event":"error","id":"%s","code":"%s","message":"a sentence","retryAfterMs":%d}`, f.ID, says, wait.Milliseconds()))
					return true
				}
				s.mu.Unlock()
				_, err := c.Send(t.Context(), "a", "x")
				if code == "too slow" {
					if chat.ErrorCode(err) != chat.CodeSlowMode || time.Since(began) > time.Second {
						t.Errorf("after %v the error is %v", time.Since(began), err)
					}
					return
				}
				if err != nil || tries != 2 || time.Since(began) > wait+time.Second {
					t.Errorf("sent after %v and %d tries: %v", time.Since(began), tries, err)
				}
			})
		})
	}
}

func TestDirect(t *testing.T) {
	t.Parallel()
	direct := func(seq int, from, to string) string {
		return fmt.Sprintf(`{"event":"direct_message","channelId":"direct:x","user":"%s","to":"%s","name":"N","content":"c","messageId":"m%d","seq":%d}`, from, to, seq, seq)
	}
	t.Run("messages between two users come once and in order, also those of an absence", func(t *testing.T) {
		t.Parallel()
		asUser(t, func(t *testing.T, s *stage, c *Client) {
			var history []string
			s.mu.Lock()
			s.serve = func(conn *stageConn, f clientFrame) bool {
				if f.Action != chat.ActionGetHistory {
					return false
				}
				history = append(history, fmt.Sprintf("%s%s %d", f.ChannelID, f.User, *f.After))
				messages := ""
				if len(history) > 1 {
					messages = direct(8, "anna", "bert")
				}
				conn.push(`{"event":"history","id":"` + f.ID + `","messages":[` + messages + `],"more":false}`)
				return true
			}
			s.mu.Unlock()
			s.one().push(direct(5, "bert", "anna"))
			s.one().push(direct(7, "anna", "bert"))
			s.one().push(direct(6, "bert", "anna"))
			s.one().push(direct(7, "anna", "bert"))
			var got []int64
			read := func() {
				for synctest.Wait(); ; synctest.Wait() {
					select {
					case e := <-c.Events():
						if d, ok := e.(Direct); ok {
							got = append(got, d.Seq)
						}
						continue
					default:
					}
					return
				}
			}
			read()
			s.one().cut(errors.New("cut"))
			time.Sleep(2 * time.Second)
			read()
			s.one().cut(errors.New("cut"))
			time.Sleep(4 * time.Second)
			read()
			synctest.Wait()
			if diff := cmp.Diff([]int64{5, 6, 7, 8}, got); diff != "" {
				t.Errorf("numbers (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]string{"bert 7", "bert 7"}, history); diff != "" {
				t.Errorf("histories (-want +got):\n%s", diff)
			}
		})
	})
	t.Run("what is asked of a user names it", func(t *testing.T) {
		t.Parallel()
		asUser(t, func(t *testing.T, s *stage, c *Client) {
			var asked []string
			s.mu.Lock()
			s.serve = func(conn *stageConn, f clientFrame) bool {
				asked = append(asked, fmt.Sprintf("%s %s %q %d %s", f.Action, f.User, f.ChannelID, f.Seconds, f.Reason))
				conn.push(`{"event":"ack","id":"` + f.ID + `","seq":3,"directs":[{"user":"carl","channelId":"direct:y","seq":4}],"messages":[` + direct(1, "bert", "anna") + `]}`)
				return true
			}
			s.mu.Unlock()
			ctx := t.Context()
			receipt, err := c.SendDirect(ctx, "bert", "x")
			if err != nil || receipt.Seq != 3 {
				t.Errorf("%+v, %v", receipt, err)
			}
			page, errBefore := c.DirectHistoryBefore(ctx, "bert", 9, 1)
			if len(page.Messages) != 1 || page.Messages[0].(Direct).User != "bert" {
				t.Errorf("the history is %+v", page)
			}
			_, errAfter := c.DirectHistoryAfter(ctx, "bert", 0, 1)
			_, errEdit := c.EditDirect(ctx, "bert", 1, "y")
			_, errDelete := c.DeleteDirect(ctx, "bert", 1)
			conversations, errList := c.Conversations(ctx)
			for conversation, err := range conversations {
				if err != nil || conversation.User != "carl" || conversation.Seq != 4 {
					t.Errorf("%+v, %v", conversation, err)
				}
			}
			here := Sanction{ChannelID: "a", For: time.Minute, Reason: "spam"}
			if err := errors.Join(
				errBefore, errAfter, errEdit, errDelete, errList,
				c.Kick(ctx, "bert", Sanction{ChannelID: "a"}), c.Ban(ctx, "bert", Sanction{}), c.Unban(ctx, "bert", "a"),
				c.Mute(ctx, "bert", here), c.Unmute(ctx, "bert", ""), c.SetSlowMode(ctx, "a", 30*time.Second),
			); err != nil {
				t.Error(err)
			}
			want := []string{
				`sendDirect bert "" 0 `, `getHistory bert "" 0 `, `getHistory bert "" 0 `, `editMessage bert "" 0 `, `deleteMessage bert "" 0 `, `listDirects  "" 0 `,
				`kickUser bert "a" 0 `, `banUser bert "" 0 `, `unbanUser bert "a" 0 `, `muteUser bert "a" 60 spam`, `unmuteUser bert "" 0 `, `setSlowMode  "a" 30 `,
			}
			if diff := cmp.Diff(want, asked); diff != "" {
				t.Errorf("frames (-want +got):\n%s", diff)
			}
		})
	})
}

func TestEventsOfUsers(t *testing.T) {
	t.Parallel()
	at, until := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	for frame, want := range map[string]Event{
		`{"event":"channel_message","channelId":"a","seq":1,"user":"u","name":"N"}`:                                         Message{ChannelID: "a", Seq: 1, User: "u", Name: "N"},
		`{"event":"message_edited","channelId":"a","seq":2,"targetSeq":1,"user":"u","name":"N"}`:                            Revision{ChannelID: "a", Seq: 2, TargetSeq: 1, User: "u", Name: "N"},
		`{"event":"subscriber_sub","channelId":"a","subscriberId":"x","user":"u","name":"N","count":4}`:                     Joined{ChannelID: "a", ConnectionID: "x", User: "u", Name: "N", Count: 4},
		`{"event":"subscriber_unsub","channelId":"a","subscriberId":"x","user":"u","name":"N","count":3,"reason":"kicked"}`: Left{ChannelID: "a", ConnectionID: "x", User: "u", Name: "N", Count: 3, Reason: "kicked"},
		`{"event":"typing","channelId":"a","senderId":"x","user":"u","name":"N"}`:                                           Typing{ChannelID: "a", ConnectionID: "x", User: "u", Name: "N"},
		`{"event":"kicked","channelId":"a","reason":"r","at":"2026-03-01T12:00:00.000Z"}`:                                   Kicked{ChannelID: "a", Reason: "r", At: at},
		`{"event":"banned","reason":"r","until":"2026-03-02T12:00:00.000Z","at":"2026-03-01T12:00:00.000Z"}`:                Banned{Reason: "r", Until: until, At: at},
		`{"event":"unbanned","channelId":"a","at":"2026-03-01T12:00:00.000Z"}`:                                              Unbanned{ChannelID: "a", At: at},
		`{"event":"muted","channelId":"a","reason":"r","until":"2026-03-02T12:00:00.000Z","at":"2026-03-01T12:00:00.000Z"}`: Muted{ChannelID: "a", Reason: "r", Until: until, At: at},
		`{"event":"unmuted","at":"2026-03-01T12:00:00.000Z"}`:                                                               Unmuted{At: at},
		`{"event":"slow_mode","channelId":"a","seconds":30,"at":"2026-03-01T12:00:00.000Z"}`:                                SlowMode{ChannelID: "a", Every: 30 * time.Second, At: at},
		`{"event":"token_expired","at":"2026-03-01T12:00:00.000Z"}`:                                                         TokenExpired{At: at},
	} {
		if diff := cmp.Diff(want, decode([]byte(frame))[0].public(false)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", frame, diff)
		}
	}
}
