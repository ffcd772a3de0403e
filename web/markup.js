// markup.js turns the content of a message into DOM nodes. The server has
// already taken every tag but nine out of it and escaped the rest; this module
// does not rely on that. It never hands text to an HTML parser: it knows nine
// tags, none with attributes, and a few escapes, and whatever is anything else,
// a tag with an attribute included, is text and is shown as such.

const tags = new Set(["ul", "ol", "b", "i", "em", "strike", "pre", "strong", "li"]);
const blocks = new Set(["ul", "ol", "li", "pre"]);
const escapes = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
const token = /<(\/?)([a-z]+)>|&(?:#(\d{1,7})|#x([\da-f]{1,6})|(amp|lt|gt|quot|apos));/gi;

/** Tags deeper than this are dropped: browsers overflow on a tree of thousands. */
const maxDepth = 16;

/**
 * parse returns the content as a list of strings and { tag, children } nodes.
 * Tags that are left open end with their parent; the end of nothing is text.
 */
export function parse(content) {
  const root = { tag: "", children: [] };
  const open = [root];
  let dropped = 0;
  let at = 0;
  const text = (piece) => {
    const { children } = open.at(-1);
    if (typeof children.at(-1) === "string") children[children.length - 1] += piece;
    else if (piece) children.push(piece);
  };
  for (const match of content.matchAll(token)) {
    const [source, slash, name, decimal, hex, escape] = match;
    const tag = name?.toLowerCase();
    text(content.slice(at, match.index));
    at = match.index + source.length;
    if (tag && !tags.has(tag)) text(source);
    else if (!tag) text(escape ? escapes[escape.toLowerCase()] : character(decimal, hex, source));
    else if (slash) {
      const start = open.findLastIndex((node) => node.tag === tag);
      if (dropped > 0) dropped--;
      else if (start > 0) open.length = start;
      else text(source);
    } else if (open.length > maxDepth) dropped++;
    else {
      const node = { tag, children: [] };
      open.at(-1).children.push(node);
      open.push(node);
    }
  }
  text(content.slice(at));
  return root.children;
}

function character(decimal, hex, source) {
  const code = decimal ? parseInt(decimal, 10) : parseInt(hex, 16);
  const valid = code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff);
  return valid ? String.fromCodePoint(code) : source;
}

/** render returns the content as a fragment of newly made nodes. */
export function render(content, document = globalThis.document) {
  const build = (nodes, parent) => {
    for (const node of nodes) {
      parent.append(typeof node === "string" ? node : build(node.children, document.createElement(node.tag)));
    }
    return parent;
  };
  return build(parse(content), document.createDocumentFragment());
}

/** plain returns what a reader sees of the content, as one line of text. */
export function plain(content) {
  const read = (node) => {
    if (typeof node === "string") return node;
    const inner = node.children.map(read).join("");
    return blocks.has(node.tag) ? ` ${inner} ` : inner;
  };
  return parse(content).map(read).join("").replace(/\s+/g, " ").trim();
}
