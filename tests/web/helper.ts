// The Worker of tests/web/threads.test.mjs.
import { serveSlices, type HelperPort } from '../../web/src/core/slices.ts';

serveSlices(self as unknown as HelperPort);
