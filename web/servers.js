// servers.js finds the WebSocket endpoint to talk to: the one in the page's
// address, else those that the host of the page lists in endpoints.json, else
// the one that a person types.
//
// A server is { name, url, identity }, where name stays the same when url does not
// (the local cloud may come back on another port), url gives the endpoint, or a
// promise of it, and identity says how users sign in: "" not at all, "local" with
// the page's own host, anything else with a token from elsewhere.

/** How long the host of the page may take to answer, in ms. */
const patience = 5_000;

/** fromAddress returns the server of ?endpoint=wss://…, or null. */
export function fromAddress(search) {
  const endpoint = new URLSearchParams(search).get("endpoint");
  return endpoint ? typed(endpoint) : null;
}

/** typed returns the server at an endpoint that a person gave. */
export function typed(endpoint) {
  return { name: endpoint, url: () => endpoint, identity: "" };
}

/** isEndpoint reports whether text can be a WebSocket endpoint. */
export function isEndpoint(text) {
  try {
    return ["ws:", "wss:"].includes(new URL(text).protocol);
  } catch {
    return false;
  }
}

/** listed returns the servers that the host of the page knows; it may know none. */
export async function listed(fetchList = fetchEndpoints) {
  const list = await fetchList();
  return list.map(({ name, stage, endpoint, identity = "" }) => {
    let last = endpoint;
    const url = async () => {
      const now = (await fetchList()).find((other) => other.name === name && other.stage === stage);
      return (last = now?.endpoint ?? last);
    };
    return { name: stage ? `${name} · ${stage}` : name, url, identity: identity === "anonymous" ? "" : identity };
  });
}

async function fetchEndpoints() {
  try {
    const response = await fetch("./endpoints.json", { cache: "no-store", signal: AbortSignal.timeout(patience) });
    if (!response.ok) return [];
    const { endpoints } = await response.json();
    return endpoints.filter(({ name, endpoint }) => name && isEndpoint(endpoint));
  } catch {
    return [];
  }
}
