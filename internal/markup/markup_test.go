package markup

import (
	"strings"
	"testing"

	"golang.org/x/net/html"
)

func TestSanitize(t *testing.T) {
	t.Parallel()
	s := NewSanitizer()
	for _, tt := range []struct{ name, in, want string }{
		{"plain text", "hello world!", "hello world!"},
		{"allowed elements", "<ul><li>a</li></ul><ol><li>b</li></ol>", "<ul><li>a</li></ul><ol><li>b</li></ol>"},
		{"closed in itself", "<strong/>a<li />b<B/>", "ab"},
		{"all the inline ones", "<b>1</b><i>2</i><em>3</em><strike>4</strike><pre>5</pre><strong>6</strong>", "<b>1</b><i>2</i><em>3</em><strike>4</strike><pre>5</pre><strong>6</strong>"},
		{"capital letters", "<B>x</B>", "<b>x</b>"},
		{"attributes go", `<b onclick="alert(1)" class=x style="color:red">x</b>`, "<b>x</b>"},
		{"other tags go, their text stays", `<a href="javascript:alert(1)">x</a><h1>y</h1><span>z</span>`, "xyz"},
		{"script goes whole", "a<script>alert(1)</script>b", "ab"},
		{"style goes whole", "a<style>b{}</style>c", "ac"},
		{"image goes", `x<img src=x onerror=alert(1)>y`, "xy"},
		{"comment goes", "a<!-- <b> -->b", "ab"},
		{"text is escaped", `1 < 2 & 3 > 2 "q" 'q'`, "1 &lt; 2 &amp; 3 &gt; 2 &#34;q&#34; &#39;q&#39;"},
		{"an escaped tag stays escaped", "&lt;script&gt;", "&lt;script&gt;"},
		{"a reference to a letter is the letter", "&eacute;&#x41;", "éA"},
		{"an unfinished tag is no tag", "a <b", "a "},
		{"scripts of the world", "שלום 你好 नमस्ते 👋", "שלום 你好 नमस्ते 👋"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := s.Sanitize(tt.in); got != tt.want {
				t.Errorf("Sanitize(%q) = %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

// FuzzSanitize checks what the rest of the chat relies on: the result has no
// element but the allowed ones, no attribute at all, and is stable.
func FuzzSanitize(f *testing.F) {
	for _, seed := range []string{"", "a<b>c", "<b a=1>", "<<b>>", "<scr<script>ipt>", "<svg/onload=x>", "&lt;b&gt;", "<b/><i", "<pre><xmp><b>"} {
		f.Add(seed)
	}
	s := NewSanitizer()
	allowed := " ul ol li b strong i em strike pre "
	f.Fuzz(func(t *testing.T, in string) {
		out := s.Sanitize(in)
		if again := s.Sanitize(out); again != out {
			t.Errorf("Sanitize(%q) = %q, again %q", in, out, again)
		}
		for z := html.NewTokenizer(strings.NewReader(out)); z.Next() != html.ErrorToken; {
			switch token := z.Token(); token.Type {
			case html.TextToken:
			case html.StartTagToken, html.EndTagToken, html.SelfClosingTagToken:
				if !strings.Contains(allowed, " "+token.Data+" ") || len(token.Attr) > 0 {
					t.Errorf("Sanitize(%q) = %q has %v", in, out, token)
				}
			default:
				t.Errorf("Sanitize(%q) = %q has a %v", in, out, token.Type)
			}
		}
	})
}

// The example of docs/protocol.md.
func TestDocumentedExample(t *testing.T) {
	t.Parallel()
	const in, want = `1 < 2 <u>&</u> <b>3</b>`, `1 &lt; 2 &amp; <b>3</b>`
	if got := NewSanitizer().Sanitize(in); got != want {
		t.Errorf("Sanitize(%q) = %q, want %q", in, got, want)
	}
}
