package client

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.com/chatstack/chat"
)

// inBubble runs a test on a stage in memory whose time is its own.
func inBubble(t *testing.T, options Options, test func(t *testing.T, s *stage, c *Client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := newStage(1)
		options := options
		options.Dial = s.dial
		c, err := Dial(t.Context(), "memory", &options)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		test(t, s, c)
	})
}

func subscribe(t *testing.T, c *Client, channel string) {
	t.Helper()
	if err := c.Subscribe(t.Context(), channel); err != nil {
		t.Fatal(err)
	}
}

// came gives in short what came out until nothing more does.
func came(c *Client) []string {
	var short []string
	for {
		synctest.Wait()
		select {
		case e, open := <-c.Events():
			if !open {
				return append(short, "closed")
			}
			switch e := e.(type) {
			case Message:
				text := fmt.Sprint(e.Seq)
				if e.Late {
					text += " late"
				}
				short = append(short, text)
			case Revision:
				short = append(short, fmt.Sprintf("%d changes %d", e.Seq, e.TargetSeq))
			case Gap:
				short = append(short, fmt.Sprintf("gap %d-%d", e.From, e.To))
			case StateChange:
				short = append(short, string(e.State))
			case Foreign:
				short = append(short, "foreign "+string(e.Frame))
			default:
				short = append(short, fmt.Sprintf("%T", e)[len("client."):])
			}
		default:
			return short
		}
	}
}

func expect(t *testing.T, c *Client, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, came(c)); diff != "" {
		t.Errorf("what came out (-want +got):\n%s", diff)
	}
}

func message(seq int64) string {
	return fmt.Sprintf(`{"event":"channel_message","channelId":"a","messageId":"m%d","seq":%d}`, seq, seq)
}

func TestOrder(t *testing.T) {
	t.Parallel()
	t.Run("what comes twice and out of order is put into order", func(t *testing.T) {
		t.Parallel()
		inBubble(t, Options{}, func(t *testing.T, s *stage, c *Client) {
			subscribe(t, c, "a")
			for _, seq := range []int64{2, 2, 3, 1, 1, 3} {
				s.one().push(message(seq))
			}
			s.one().push(message(4) + "\n" + message(5) + "\n" + `{"event":"message_edited","channelId":"a","seq":6,"targetSeq":2}`)
			expect(t, c, "connecting", "online", "1", "2", "3", "4", "5", "6 changes 2")
		})
	})
	t.Run("what was lost is fetched at once", func(t *testing.T) {
		t.Parallel()
		inBubble(t, Options{}, func(t *testing.T, s *stage, c *Client) {
			subscribe(t, c, "a")
			came(c)
			s.publish("a", "lost", false)
			s.publish("a", "seen", true)
			expect(t, c)
			time.Sleep(time.Second)
			expect(t, c, "1", "2")
		})
	})
	t.Run("what was on its way when the client left is no place to begin", func(t *testing.T) {
		t.Parallel()
		inBubble(t, Options{}, func(t *testing.T, s *stage, c *Client) {
			subscribe(t, c, "a")
			s.publish("a", "one", true)
			s.publish("a", "two", true)
			expect(t, c, "connecting", "online", "1", "2")
			if err := c.Unsubscribe(t.Context(), "a"); err != nil {
				t.Fatal(err)
			}
			s.one().push(message(2))
			expect(t, c)
			if err := c.SubscribeAfter(t.Context(), "a", 0); err != nil {
				t.Fatal(err)
			}
			expect(t, c, "1", "2")

			// A service may put it in again.
			if err := c.Unsubscribe(t.Context(), "a"); err != nil {
				t.Fatal(err)
			}
			self := `","channelId":"a","subscriberId":"` + s.one().id + `"}`
			s.one().push(`{"event":"subscriber_unsub` + self + "\n" + `{"event":"subscriber_sub` + self + "\n" + message(3))
			expect(t, c, "Left", "Joined", "3")
		})
	})
	t.Run("a number that nobody has is given up, and comes late if it comes", func(t *testing.T) {
		t.Parallel()
		inBubble(t, Options{}, func(t *testing.T, s *stage, c *Client) {
			subscribe(t, c, "a")
			came(c)
			s.skip("a")
			s.publish("a", "next", true)
			time.Sleep(4900 * time.Millisecond)
			expect(t, c)
			time.Sleep(200 * time.Millisecond)
			expect(t, c, "gap 1-1", "2")
			s.one().push(message(1))
			s.one().push(message(1))
			expect(t, c, "1 late")
		})
	})
	t.Run("the last message of all is missed for no longer than a heartbeat", func(t *testing.T) {
		t.Parallel()
		inBubble(t, Options{}, func(t *testing.T, s *stage, c *Client) {
			subscribe(t, c, "a")
			came(c)
			s.publish("a", "lost", false)
			time.Sleep(5*time.Minute + time.Second)
			expect(t, c, "1")
		})
	})
	t.Run("one who does not read gets all later", func(t *testing.T) {
		t.Parallel()
		inBubble(t, Options{Buffer: 4}, func(t *testing.T, s *stage, c *Client) {
			subscribe(t, c, "a")
			var want []string
			for i := range 20 {
				s.publish("a", "m", true)
				want = append(want, fmt.Sprint(i+1))
			}
			s.one().push(`{"event":"subscriber_sub","channelId":"a","subscriberId":"x"}`)
			synctest.Wait()
			expect(t, c, append([]string{"connecting", "online", "1", "2", "Overflow"}, want[2:]...)...)
		})
	})
	t.Run("nothing is given up because it was not read", func(t *testing.T) {
		t.Parallel()
		inBubble(t, Options{Buffer: 4}, func(t *testing.T, s *stage, c *Client) {
			subscribe(t, c, "a")
			for range 9 {
				s.publish("a", "lost", false)
			}
			s.publish("a", "seen", true)
			for range 2 {
				s.one().push(`{"event":"subscriber_sub","channelId":"a","subscriberId":"x"}`)
			}
			time.Sleep(time.Minute)
			expect(t, c, "connecting", "online", "Joined", "Joined", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10")
		})
	})
	t.Run("a channel that a service put the client into begins where it is", func(t *testing.T) {
		t.Parallel()
		inBubble(t, Options{}, func(t *testing.T, s *stage, c *Client) {
			s.one().push(message(7))
			s.one().push(message(8))
			expect(t, c, "connecting", "online", "7", "8")
		})
	})
	t.Run("a channel that begins anew is told of", func(t *testing.T) {
		t.Parallel()
		inBubble(t, Options{}, func(t *testing.T, s *stage, c *Client) {
			if err := c.SubscribeAfter(t.Context(), "a", 40); err != nil {
				t.Fatal(err)
			}
			s.publish("a", "first", true)
			time.Sleep(time.Second)
			expect(t, c, "connecting", "online", "Reset", "1")
		})
	})
}

func TestReconnect(t *testing.T) {
	t.Parallel()
	t.Run("nothing is missed that came while it was away, however much", func(t *testing.T) {
		t.Parallel()
		for _, missed := range []int{1, 300, 1500} {
			inBubble(t, Options{}, func(t *testing.T, s *stage, c *Client) {
				subscribe(t, c, "a")
				came(c)
				s.one().cut(errors.New("cut"))
				want := []string{"offline", "connecting", "online"}
				for i := range missed {
					s.publish("a", "m", true)
					want = append(want, fmt.Sprint(i+1))
				}
				time.Sleep(2 * time.Second)
				expect(t, c, want...)
			})
		}
	})
	t.Run("the pauses are random, and longer each time up to a limit", func(t *testing.T) {
		t.Parallel()
		var most []time.Duration
		options := Options{MaxBackoff: 8 * time.Second}
		options.random = func(d time.Duration) time.Duration { most = append(most, d); return d / 2 }
		inBubble(t, options, func(t *testing.T, s *stage, c *Client) {
			came(c)
			time.Sleep(time.Minute)
			s.mu.Lock()
			s.refuse = func() error { return &RefusedError{StatusCode: 500} }
			most = nil
			s.mu.Unlock()
			s.one().cut(errors.New("cut"))
			time.Sleep(18 * time.Second)
			synctest.Wait()
			want := []time.Duration{1, 2, 4, 8, 8, 8, 8}
			for i := range want {
				want[i] *= time.Second
			}
			if diff := cmp.Diff(want, most); diff != "" {
				t.Errorf("the longest that each pause could be (-want +got):\n%s", diff)
			}

			s.mu.Lock()
			s.refuse = nil
			s.mu.Unlock()
			time.Sleep(time.Minute)
			synctest.Wait()
			most = nil
			s.one().cut(errors.New("cut"))
			synctest.Wait()
			if len(most) != 1 || most[0] != time.Second {
				t.Errorf("after a time online the pauses are up to %v", most)
			}
		})
	})
	t.Run("it is planned before two hours are over", func(t *testing.T) {
		t.Parallel()
		inBubble(t, Options{}, func(t *testing.T, s *stage, c *Client) {
			subscribe(t, c, "a")
			came(c)
			time.Sleep(110*time.Minute + time.Second)
			expect(t, c, "offline", "connecting", "online")
			if pings := s.count("ping"); pings < 19 || pings > 22 {
				t.Errorf("%d pings in 110 minutes, want one in five", pings)
			}
		})
	})
	t.Run("a planned one waits for what is under way, and takes nothing new", func(t *testing.T) {
		t.Parallel()
		for _, answered := range []bool{true, false} {
			options := Options{random: func(time.Duration) time.Duration { return 0 }}
			inBubble(t, options, func(t *testing.T, s *stage, c *Client) {
				came(c)
				first := s.one()
				on := map[string]string{}
				s.mu.Lock()
				s.serve = func(to *stageConn, f clientFrame) bool {
					if f.Action != "sendMessage" {
						return false
					}
					if on[f.Content] = to.id; to != first {
						return false
					}
					time.AfterFunc(10*time.Second, func() {
						s.mu.Lock()
						defer s.mu.Unlock()
						if answered {
							s.act(to, f)
						}
					})
					return true
				}
				s.mu.Unlock()
				time.Sleep(110*time.Minute - 2*time.Second)
				var senders sync.WaitGroup
				for _, content := range []string{"before", "after"} {
					senders.Go(func() {
						if _, err := c.Send(t.Context(), content, content); err != nil {
							t.Error(err)
						}
					})
					time.Sleep(3 * time.Second)
				}
				before := time.Now()
				senders.Wait()
				limit := map[bool]time.Duration{true: 10 * time.Second, false: 61 * time.Second}[answered]
				if took := time.Since(before); took > limit {
					t.Errorf("it took %v", took)
				}
				if want := map[bool]string{true: "conn-1", false: "conn-2"}[answered]; on["before"] != want || on["after"] != "conn-2" {
					t.Errorf("they went out last on %v", on)
				}
			})
		}
	})
	t.Run("a question is asked again", func(t *testing.T) {
		t.Parallel()
		inBubble(t, Options{}, func(t *testing.T, s *stage, c *Client) {
			first := s.one()
			s.mu.Lock()
			s.serve = func(to *stageConn, _ clientFrame) bool { return to == first }
			s.mu.Unlock()
			time.AfterFunc(time.Second, func() { first.cut(errors.New("cut")) })
			if _, err := c.HistoryBefore(t.Context(), "a", 0, 10); err != nil {
				t.Error(err)
			}
		})
	})
	t.Run("a connection that says nothing is given up", func(t *testing.T) {
		t.Parallel()
		inBubble(t, Options{}, func(t *testing.T, s *stage, c *Client) {
			came(c)
			silent := s.one()
			s.mu.Lock()
			s.serve = func(to *stageConn, _ clientFrame) bool { return to == silent }
			s.mu.Unlock()
			time.Sleep(7 * time.Minute)
			expect(t, c, "offline", "connecting", "online")
		})
	})
	t.Run("a client that a service took out of a channel stays out", func(t *testing.T) {
		t.Parallel()
		inBubble(t, Options{}, func(t *testing.T, s *stage, c *Client) {
			subscribe(t, c, "a")
			conn := s.one()
			conn.push(`{"event":"subscriber_unsub","channelId":"a","subscriberId":"` + conn.id + `","reason":"left"}`)
			synctest.Wait()
			conn.cut(errors.New("cut"))
			time.Sleep(2 * time.Second)
			expect(t, c, "connecting", "online", "Left", "offline", "connecting", "online")
			if n := s.count("subscribeChannel"); n != 1 {
				t.Errorf("it subscribed %d times", n)
			}
		})
	})
	t.Run("each connection offers the protocol and a fresh token", func(t *testing.T) {
		t.Parallel()
		tokens := 0
		options := Options{Token: func(context.Context) (string, error) { tokens++; return fmt.Sprint("t", tokens), nil }}
		inBubble(t, options, func(t *testing.T, s *stage, c *Client) {
			came(c)
			s.one().cut(errors.New("cut"))
			time.Sleep(2 * time.Second)
			synctest.Wait()
			if diff := cmp.Diff([][]string{{"chatstack.v1", "bearer.t1"}, {"chatstack.v1", "bearer.t2"}}, s.offered); diff != "" {
				t.Error(diff)
			}
		})
	})
}

func TestSend(t *testing.T) {
	t.Parallel()
	// on gives a stage that serves sendMessage frames by f, counted from 1.
	on := func(s *stage, f func(n int, c *stageConn, frame clientFrame) bool) {
		s.mu.Lock()
		defer s.mu.Unlock()
		n := 0
		s.serve = func(c *stageConn, frame clientFrame) bool {
			if frame.Action != "sendMessage" {
				return false
			}
			n++
			return f(n, c, frame)
		}
	}
	took := func(f func()) time.Duration {
		before := time.Now()
		f()
		return time.Since(before)
	}

	t.Run("a frame that vanishes is sent again with its id", func(t *testing.T) {
		t.Parallel()
		inBubble(t, Options{}, func(t *testing.T, s *stage, c *Client) {
			ids := map[string]bool{}
			on(s, func(n int, _ *stageConn, f clientFrame) bool { ids[f.ID] = true; return n < 3 })
			receipt, err := c.Send(t.Context(), "a", "x")
			if err != nil || receipt.Seq != 1 || receipt.MessageID != "a 1" || len(ids) != 1 || s.count("sendMessage") != 3 {
				t.Errorf("%+v, %v after %d frames with the ids %v", receipt, err, s.count("sendMessage"), ids)
			}
		})
	})
	t.Run("an error says which by its code, and internal is none", func(t *testing.T) {
		t.Parallel()
		inBubble(t, Options{}, func(t *testing.T, s *stage, c *Client) {
			on(s, func(n int, to *stageConn, f clientFrame) bool {
				code := []string{"", "internal", "content_empty"}[n]
				to.push(`{"event":"error","id":"` + f.ID + `","code":"` + code + `","message":"a sentence"}`)
				return true
			})
			_, err := c.Send(t.Context(), "a", "x")
			if code := chat.ErrorCode(err); code != chat.CodeContentEmpty || !strings.Contains(err.Error(), "a sentence") {
				t.Errorf("the error is %v with code %s", err, code)
			}
		})
	})
	t.Run("a frame of API Gateway's has it sent again soon", func(t *testing.T) {
		t.Parallel()
		inBubble(t, Options{}, func(t *testing.T, s *stage, c *Client) {
			came(c)
			foreign := `{"message": "Internal server error", "connectionId":"x", "requestId":"y"}`
			on(s, func(n int, to *stageConn, _ clientFrame) bool {
				if n == 1 {
					to.push(foreign)
				}
				return n == 1
			})
			if d := took(func() { c.Send(t.Context(), "a", "x") }); d > 2500*time.Millisecond {
				t.Errorf("it took %v", d)
			}
			expect(t, c, "foreign "+foreign)
		})
	})
	t.Run("a message whose connection ends is looked for before it is sent anew", func(t *testing.T) {
		t.Parallel()
		for _, stored := range []bool{true, false} {
			inBubble(t, Options{}, func(t *testing.T, s *stage, c *Client) {
				s.publish("a", "before", true)
				on(s, func(n int, to *stageConn, f clientFrame) bool {
					if n > 1 {
						return false
					}
					time.AfterFunc(0, func() { to.cut(errors.New("cut")) })
					if stored { // at the very end of the function's time
						time.AfterFunc(29*time.Second, func() {
							s.mu.Lock()
							defer s.mu.Unlock()
							s.act(to, f)
						})
					}
					return true
				})
				d := took(func() {
					if receipt, err := c.Send(t.Context(), "a", "x"); err != nil || receipt.Seq != 2 {
						t.Errorf("%+v, %v", receipt, err)
					}
				})
				want := map[bool]int{true: 1, false: 2}[stored]
				if n := s.count("sendMessage"); n != want || d < 30*time.Second || d > 31*time.Second {
					t.Errorf("stored %v: %d frames in %v, want %d in 30 s", stored, n, d, want)
				}
			})
		}
	})
	t.Run("one that never gets an answer is not known", func(t *testing.T) {
		t.Parallel()
		inBubble(t, Options{}, func(t *testing.T, s *stage, c *Client) {
			on(s, func(int, *stageConn, clientFrame) bool { return true })
			d := took(func() {
				if _, err := c.Send(t.Context(), "a", "x"); !errors.Is(err, ErrNotKnown) {
					t.Errorf("the error is %v", err)
				}
			})
			if d != 570*time.Second {
				t.Errorf("it took %v", d)
			}
			synctest.Wait()
			if len(s.conns) != 0 {
				t.Error("the next message goes out on the same connection")
			}
		})
	})
	t.Run("one that was never on its way is not sent", func(t *testing.T) {
		t.Parallel()
		inBubble(t, Options{}, func(t *testing.T, s *stage, c *Client) {
			s.mu.Lock()
			s.refuse = func() error { return errors.New("no network") }
			s.mu.Unlock()
			s.one().cut(errors.New("cut"))
			synctest.Wait()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if _, err := c.Send(ctx, "a", "x"); !errors.Is(err, ErrNotSent) || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("the error is %v", err)
			}
		})
	})
	t.Run("one that its caller left is not taken for the next", func(t *testing.T) {
		t.Parallel()
		inBubble(t, Options{}, func(t *testing.T, s *stage, c *Client) {
			on(s, func(n int, _ *stageConn, _ clientFrame) bool { return n == 1 })
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if _, err := c.Send(ctx, "a", "left"); !errors.Is(err, ErrNotKnown) {
				t.Errorf("the error is %v", err)
			}
			if receipt, err := c.Send(t.Context(), "a", "next"); err != nil || receipt.Seq != 2 {
				t.Errorf("%+v, %v", receipt, err)
			}
		})
	})
	t.Run("one that its caller left is not sent anew", func(t *testing.T) {
		t.Parallel()
		inBubble(t, Options{}, func(t *testing.T, s *stage, c *Client) {
			on(s, func(int, *stageConn, clientFrame) bool { return true })
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			c.Send(ctx, "a", "left")
			s.one().cut(errors.New("cut"))
			time.Sleep(2 * time.Minute)
			if n := s.count("sendMessage"); n != 1 {
				t.Errorf("%d frames were sent", n)
			}
		})
	})
	t.Run("one that is sent too fast waits, and goes out", func(t *testing.T) {
		t.Parallel()
		inBubble(t, Options{}, func(t *testing.T, s *stage, c *Client) {
			on(s, func(n int, to *stageConn, f clientFrame) bool {
				if n < 4 {
					to.push(`{"event":"error","id":"` + f.ID + `","code":"rate_limited","message":"a sentence"}`)
				}
				return n < 4
			})
			d := took(func() {
				if _, err := c.Send(t.Context(), "a", "x"); err != nil {
					t.Error(err)
				}
			})
			if d < 750*time.Millisecond || d > 1500*time.Millisecond {
				t.Errorf("it took %v", d)
			}
		})
	})
	t.Run("messages of one client keep their order", func(t *testing.T) {
		t.Parallel()
		inBubble(t, Options{}, func(t *testing.T, s *stage, c *Client) {
			s.setFaults(faults{MaxDelay: time.Second, LoseFrame: 30})
			done := make(chan Receipt)
			for i := range 10 {
				go func() {
					receipt, _ := c.Send(t.Context(), "a", fmt.Sprint(i))
					done <- receipt
				}()
				synctest.Wait()
			}
			for range 10 {
				<-done
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			page, _ := s.channels["a"].list(0, 100)
			for i, m := range page {
				if m.Content != fmt.Sprint(i) {
					t.Errorf("the %d. message is %s", i, m.Content)
				}
			}
		})
	})
}

func TestClose(t *testing.T) {
	t.Parallel()
	t.Run("nothing goes on, and who waits is told", func(t *testing.T) {
		t.Parallel()
		inBubble(t, Options{}, func(t *testing.T, s *stage, c *Client) {
			s.mu.Lock()
			s.serve = func(*stageConn, clientFrame) bool { return true }
			s.mu.Unlock()
			errs := make(chan error, 3)
			go func() { _, err := c.Send(t.Context(), "a", "x"); errs <- err }()
			go func() { errs <- c.Subscribe(t.Context(), "a") }()
			go func() { _, err := c.HistoryBefore(t.Context(), "a", 0, 10); errs <- err }()
			synctest.Wait()
			c.Close()
			for range 3 {
				if err := <-errs; !errors.Is(err, ErrClosed) {
					t.Errorf("the error is %v", err)
				}
			}
			if err := c.Subscribe(t.Context(), "a"); !errors.Is(err, ErrClosed) {
				t.Errorf("after Close the error is %v", err)
			}
			if got := came(c); got[len(got)-1] != "closed" {
				t.Errorf("the events end with %v", got)
			}
		})
	})
	t.Run("a first connection that is refused is told, and leaves nothing", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			s := newStage(1)
			s.refuse = func() error { return &RefusedError{StatusCode: 403} }
			_, err := Dial(t.Context(), "memory", &Options{Dial: s.dial})
			if refused, ok := errors.AsType[*RefusedError](err); !ok || refused.StatusCode != 403 {
				t.Errorf("the error is %v", err)
			}
		})
	})
}

func TestHistory(t *testing.T) {
	t.Parallel()
	inBubble(t, Options{}, func(t *testing.T, s *stage, c *Client) {
		for range 3 {
			s.publish("a", "m", false)
		}
		page, err := c.HistoryAfter(t.Context(), "a", 1, 1)
		if err != nil || len(page.Messages) != 1 || page.Messages[0].(Message).Seq != 2 || !page.More {
			t.Errorf("%+v, %v", page, err)
		}
		page, err = c.HistoryBefore(t.Context(), "a", 0, 10)
		if err != nil || len(page.Messages) != 3 || page.Messages[0].(Message).Seq != 3 || page.More {
			t.Errorf("%+v, %v", page, err)
		}
	})
}

func TestOtherActions(t *testing.T) {
	t.Parallel()
	// answering gives a stage that answers an action so, its id put in.
	answering := func(s *stage, action, answer string) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.serve = func(c *stageConn, f clientFrame) bool {
			if f.Action == action {
				c.push(strings.Replace(answer, "ID", f.ID, 1))
			}
			return true
		}
	}
	t.Run("members come with their count, page by page", func(t *testing.T) {
		t.Parallel()
		inBubble(t, Options{}, func(t *testing.T, s *stage, c *Client) {
			s.mu.Lock()
			s.serve = func(c *stageConn, f clientFrame) bool {
				next := map[string]string{"": "u", "u": "v", "v": ""}[f.Cursor]
				c.push(`{"event":"members","id":"` + f.ID + `","channelId":"a","count":3,"members":[{"user":"` + f.Cursor + `","name":"n","connections":["x","y"],"since":"2026-03-01T12:00:00.000Z"}],"cursor":"` + next + `"}`)
				return true
			}
			s.mu.Unlock()
			members, count, err := c.Members(t.Context(), "a")
			if err != nil || count != 3 {
				t.Fatal(count, err)
			}
			var got []Member
			for m, err := range members {
				if err != nil {
					t.Error(err)
				}
				got = append(got, m)
			}
			var want []Member
			for _, user := range []string{"", "u", "v"} {
				want = append(want, Member{User: user, Name: "n", Connections: []string{"x", "y"}, Since: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)})
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("members (-want +got):\n%s", diff)
			}
		})
	})
	t.Run("a change gets its receipt", func(t *testing.T) {
		t.Parallel()
		inBubble(t, Options{}, func(t *testing.T, s *stage, c *Client) {
			answering(s, "editMessage", `{"event":"ack","id":"ID","channelId":"a","messageId":"m","seq":7,"at":"2026-03-01T12:00:00.000Z"}`)
			if receipt, err := c.Edit(t.Context(), "a", 3, "x"); err != nil || receipt.Seq != 7 || receipt.MessageID != "m" {
				t.Errorf("%+v, %v", receipt, err)
			}
		})
	})
	t.Run("a change whose connection ends is not known", func(t *testing.T) {
		t.Parallel()
		inBubble(t, Options{}, func(t *testing.T, s *stage, c *Client) {
			answering(s, "none", "")
			conn := s.one()
			time.AfterFunc(time.Second, func() { conn.cut(errors.New("cut")) })
			if _, err := c.Delete(t.Context(), "a", 3); !errors.Is(err, ErrNotKnown) {
				t.Errorf("the error is %v", err)
			}
		})
	})
	t.Run("typing is acknowledged, and shown", func(t *testing.T) {
		t.Parallel()
		inBubble(t, Options{}, func(t *testing.T, s *stage, c *Client) {
			came(c)
			answering(s, "typing", `{"event":"ack","id":"ID","channelId":"a","at":"2026-03-01T12:00:00.000Z"}`)
			if err := c.Typing(t.Context(), "a"); err != nil {
				t.Error(err)
			}
			s.one().push(`{"event":"typing","channelId":"a","name":"n","senderId":"x"}`)
			expect(t, c, "Typing")
		})
	})
	t.Run("who unsubscribes is told nothing more of the channel", func(t *testing.T) {
		t.Parallel()
		inBubble(t, Options{}, func(t *testing.T, s *stage, c *Client) {
			subscribe(t, c, "a")
			if err := c.Unsubscribe(t.Context(), "a"); err != nil {
				t.Error(err)
			}
			s.publish("a", "unseen", true)
			s.one().cut(errors.New("cut"))
			time.Sleep(2 * time.Second)
			expect(t, c, "connecting", "online", "offline", "connecting", "online")
		})
	})
	t.Run("a subscription that is refused is told by its code, then and after a reconnect", func(t *testing.T) {
		t.Parallel()
		inBubble(t, Options{}, func(t *testing.T, s *stage, c *Client) {
			subscribe(t, c, "a")
			s.mu.Lock()
			s.serve = func(c *stageConn, f clientFrame) bool {
				if f.Action == "subscribeChannel" {
					c.push(`{"event":"error","id":"` + f.ID + `","code":"too_many_subscriptions","message":"a sentence"}`)
				}
				return f.Action == "subscribeChannel"
			}
			s.mu.Unlock()
			if err := c.Subscribe(t.Context(), "b"); chat.ErrorCode(err) != chat.CodeTooManySubscriptions {
				t.Errorf("the error is %v", err)
			}
			came(c)
			s.one().cut(errors.New("cut"))
			time.Sleep(2 * time.Second)
			expect(t, c, "offline", "connecting", "online", "SubscriptionRefused")
		})
	})
}
