import { serve } from '../core/rpc.ts';
import { createEngine } from './engine.ts';

const send = serve(createEngine((news) => send(news)), self);
