// What an identity provider has put into the address, taken out of it at once: the code in there is good for one use, and nobody
// should copy, bookmark or reload it.
let answer: URLSearchParams | undefined;

const query = new URLSearchParams(location.search);
if (query.has('state') && (query.has('code') || query.has('error'))) {
  answer = query;
  history.replaceState(null, '', location.pathname + location.hash);
}

export const returning = (): boolean => answer !== undefined;

// Once.
export function came(): URLSearchParams | undefined {
  const taken = answer;
  answer = undefined;
  return taken;
}
