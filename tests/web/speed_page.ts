// The page of tests/web/speed.mjs: hands calls to the Worker.
import { connect } from '../../web/src/core/rpc.ts';

Object.assign(globalThis, { remote: connect(new Worker('/speed_worker.mjs', { type: 'module' }), () => undefined) });
