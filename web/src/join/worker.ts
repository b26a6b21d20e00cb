import { serve } from '../core/rpc.ts';
import { createPartner } from './partner.ts';

const send = serve(createPartner((news) => send(news)), self);
