// A task's metrics as people read them. The names are those of docs/tasks.md.
import { number } from './format.ts';

const labels: Record<string, string> = {
  auc: 'AUC', 'average-precision': 'Average precision', 'precision-at-10': 'Precision in the top 10\u00a0%', f1: 'F1', 'best-f1': 'Best F1',
  'false-alarm-rate': 'False alarm rate', 'missed-alarm-rate': 'Missed alarm rate', rmse: 'RMSE', 'nasa-score': 'NASA score', brier: 'Brier score',
};

const meanings: Record<string, string> = {
  auc: 'The chance that a row with the event gets a higher score than one without; 0.5 is guessing.',
  'average-precision': 'The share of alerts that are right, averaged over all thresholds.',
  rmse: 'The typical error, in the label’s unit.',
};

export const metricMeaning = (name: string): string => meanings[name] ?? '';
export const metricLabel = (name: string): string => labels[name] ?? name;

// Shares lie between 0 and 1; what does not is in the label's unit.
export const isShare = (name: string): boolean => !/^(rmse|nasa-score)$/.test(name);

export function metricValue(name: string, value: number | null | undefined): string {
  if (value === null || value === undefined) return '–';
  if (isShare(name)) return value.toFixed(3);
  return value < 100 ? value.toFixed(1) : number(value);
}

// Of a chart's axis: from a twentieth below the lowest share to 1.
export const shareRange = (min: number): [number, number] => [Math.max(0, Math.floor(min * 20 - 0.2) / 20), 1];
