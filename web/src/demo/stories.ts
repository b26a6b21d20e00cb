// What the demo's companies can learn together. All but the digits are read from the same files as `entente simulate` reads, and
// their rows are made in the page.
import enginesPlan from '../../../examples/engine-health/plan.toml?raw';
import enginesTask from '../../../examples/engine-health/task.toml?raw';
import deliveriesTask from '../../../examples/late-deliveries/made.toml?raw';
import deliveriesPlan from '../../../examples/late-deliveries/plan.toml?raw';
import sensorsPlan from '../../../examples/sensor-anomalies/plan.toml?raw';
import sensorsTask from '../../../examples/sensor-anomalies/task.toml?raw';
import type { DemoFiles } from '../core/demo.ts';

export type StoryName = 'digits' | 'deliveries' | 'sensors' | 'engines';

export interface Story {
  label: string;
  rows: string;      // what a partner's examples are
  positive?: string; // what is said of those with label 1
  about: string;
  epochs: number;
  files: DemoFiles | null;
}

export const stories: Record<StoryName, Story> = {
  digits: { label: 'Digits', rows: 'digits', about: 'Handwritten digits (MNIST). Which one is it?', epochs: 1, files: null },
  deliveries: {
    label: 'Deliveries', rows: 'order lines', positive: 'late', epochs: 2,
    about: 'Order lines that this page makes itself: no real company’s. Which will be late? Each company buys from its own mixture of suppliers.',
    files: { story: 1, plan: deliveriesPlan, task: deliveriesTask },
  },
  sensors: {
    label: 'Sensors', rows: 'windows of 30 s', epochs: 1,
    about: 'Eight sensors of a pump, in rows that this page makes itself. Is it still as it was when it was well? Each company’s pumps fail in their own ways.',
    files: { story: 2, plan: sensorsPlan, task: sensorsTask },
  },
  engines: {
    label: 'Engines', rows: 'windows of 30 cycles', epochs: 1,
    about: 'Engines until they are worn, in rows that this page makes itself. How many cycles are left? Each company flies at its own altitudes.',
    files: { story: 3, plan: enginesPlan, task: enginesTask },
  },
};
