// What the steps of the page share: whom they ask, the heading that is read out, and what went wrong in a partner's words.
import type { RefObject } from 'preact';
import type { Fault, Remote } from '../core/rpc.ts';
import type { Trouble } from '../ui/parts.tsx';
import type { PartnerMethods } from './partner.ts';

export type PartnerRemote = Remote<PartnerMethods>;
export type Heading = { heading: RefObject<HTMLHeadingElement> };

export function troubleOf(fault: Fault, happened: string, safe: string, todo: string): Trouble {
  return { happened: `${happened} ${fault.message}`, safe, todo, code: fault.reason };
}

export function joinTrouble(fault: Fault): Trouble {
  const ask = 'Ask the operator for a new link.';
  const known: Record<string, string> = {
    'join.unknown': 'This invitation is not known.', 'join.used': 'This invitation was used before.', 'join.expired': 'This invitation has expired.',
    'join.other-key': 'Your company has joined already, from another browser or machine.', 'join.removed': 'Your company has left or was removed.',
  };
  if (known[fault.reason]) return { happened: known[fault.reason]!, safe: 'Nothing was sent.', todo: ask, code: fault.reason };
  return troubleOf(fault, 'The invitation could not be read.', 'Nothing was sent.', fault.status === 0 ? 'Check the network, then load the page again.' : ask);
}
