import { serve } from '../core/rpc.ts';
import { createPartner } from './partner.ts';

// The partner starts this script once more for each Worker that helps it. Few pages have some: what they do is fetched then.
if (self.name === 'slices') {
  const early: MessageEvent[] = [];
  self.onmessage = (event) => early.push(event);
  void import('../core/slices.ts').then(({ serveSlices }) => {
    serveSlices(self as never);
    for (const event of early) self.onmessage!(event);
  });
} else {
  const send = serve(createPartner((news) => send(news)), self);
}
