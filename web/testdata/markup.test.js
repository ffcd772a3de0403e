import assert from "node:assert/strict";
import test from "node:test";

import { parse, plain } from "../markup.js";

/** show writes a parsed content so that text and elements cannot be confused. */
function show(nodes) {
  return nodes.map((node) => (typeof node === "string" ? JSON.stringify(node) : `${node.tag}(${show(node.children)})`)).join(" ");
}

const cases = {
  "": ``,
  "plain\ntext": `"plain\\ntext"`,
  "<b>bold</b> and <em>so on</em>": `b("bold") " and " em("so on")`,
  "<UL><Li>one</lI></uL>": `ul(li("one"))`,
  "a &lt;b&gt; &amp;amp; &#39;c&#34; &#x41; &quot;": `"a <b> &amp; 'c\\" A \\""`,
  "&nbsp; &; &#0; &#xD800; &#9999999; & &lt": `"&nbsp; &; &#0; &#xD800; &#9999999; & &lt"`,
  "<script>alert(1)</script>": `"<script>alert(1)</script>"`,
  '<b onclick="x">y</b>': `"<b onclick=\\"x\\">y</b>"`,
  "<b >y</b >": `"<b >y</b >"`,
  "<br/><!-- c --><x><": `"<br/><!-- c --><x><"`,
  "</b>a<b>b": `"</b>a" b("b")`,
  "<b><i>x</b>y</i>z": `b(i("x")) "y</i>z"`,
  "&lt;b&gt;x": `"<b>x"`,
  "<constructor><__proto__>": `"<constructor><__proto__>"`,
};

for (const [content, want] of Object.entries(cases)) {
  test(`parse ${JSON.stringify(content)}`, () => assert.equal(show(parse(content)), want));
}

test("depth is bounded, and text below it is kept", () => {
  const depth = (nodes) => Math.max(0, ...nodes.map((node) => (node.tag ? 1 + depth(node.children) : 0)));
  const nodes = parse("<b>".repeat(5000) + "deep" + "</b>".repeat(5000) + "after");
  assert.equal(depth(nodes), 16);
  assert.equal(nodes.at(-1), "after");
  assert.equal(plain("<b>".repeat(5000) + "deep"), "deep");
});

test("plain is what one reads", () => {
  assert.equal(plain("<b>a</b>b <ul><li>one</li><li>two</li></ul>\n\nc &lt; d"), "ab one two c < d");
});
