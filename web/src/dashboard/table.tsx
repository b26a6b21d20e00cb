// A table that people sort and take away, and settings that stay in the address.
import { useMemo, useState } from 'preact/hooks';
import { csv, number, save } from '../ui/format.ts';

// What a person chose stays in the address.
export function useSetting(name: string, initial: string): [string, (value: string) => void] {
  const [value, setValue] = useState(() => new URLSearchParams(location.search).get(name) ?? initial);
  return [value, (next) => {
    setValue(next);
    const query = new URLSearchParams(location.search);
    if (next === initial) query.delete(name);
    else query.set(name, next);
    history.replaceState(null, '', `${location.pathname}${query.size > 0 ? `?${query}` : ''}`);
  }];
}

export type Column<Row> = { name: string; value: (row: Row) => string | number; show?: (row: Row) => preact.ComponentChildren; number?: boolean; text?: boolean };

const most_rows = 12;

// Sorts by any column; exports all rows, also those that it does not show yet.
export function Table<Row>({ name, caption, columns, rows, sort }: { name: string; caption: string; columns: Column<Row>[]; rows: Row[]; sort: string }) {
  const [all, setAll] = useState(false);
  const [order, setOrder] = useSetting(`${name}-sort`, sort);
  const descending = order.startsWith('-');
  const column = columns.find((c) => c.name === order.replace(/^-/, '')) ?? columns[0]!;
  const sorted = useMemo(() => [...rows].sort((a, b) => {
    const [x, y] = [column.value(a), column.value(b)];
    return (typeof x === 'number' && typeof y === 'number' ? x - y : String(x).localeCompare(String(y))) * (descending ? -1 : 1);
  }), [rows, order]);
  return (
    <div class="stack tight">
      <div class="table" tabIndex={0} role="region" aria-label={caption}>
        <table>
          <caption class="vh">{caption}</caption>
          <thead><tr>{columns.map((c) => (
            <th key={c.name} scope="col" class={c.number ? 'num' : ''} aria-sort={c === column ? (descending ? 'descending' : 'ascending') : undefined}>
              <button type="button" onClick={() => setOrder(c === column && !descending ? `-${c.name}` : c.name)}>{c.name}{c === column ? (descending ? ' ↓' : ' ↑') : ''}</button>
            </th>
          ))}</tr></thead>
          <tbody>{sorted.slice(0, all ? undefined : most_rows).map((row, i) => <tr key={i}>{columns.map((c) => <td key={c.name} class={c.number ? 'num' : c.text ? 'text' : ''}>{c.show ? c.show(row) : c.value(row)}</td>)}</tr>)}</tbody>
        </table>
      </div>
      <div class="row">
        {sorted.length > most_rows && <button type="button" class="plain small" aria-expanded={all} onClick={() => setAll(!all)}>{all ? 'Show fewer' : `Show all ${number(sorted.length)}`}</button>}
        <button type="button" class="plain small" onClick={() => save(`${name}.csv`, csv([columns.map((c) => c.name), ...sorted.map((row) => columns.map((c) => c.value(row)))]), 'text/csv')}>Export as CSV</button>
      </div>
    </div>
  );
}
