// The page of lanes.mjs: hands calls to the Worker.
import { connect } from '../../../web/src/core/rpc.ts';

Object.assign(globalThis, { remote: connect(new Worker('/worker.mjs', { type: 'module' }), () => undefined) });
