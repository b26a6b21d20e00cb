"""The measurements behind what the project says of itself. script/bench builds and calls this."""
import argparse
import json
import os
import pathlib
import sys
import tempfile
import tomllib

import connector
import durable
import figures
import measure
import rows
import tasks
import wire
from peers import link

here = pathlib.Path(__file__).parent
document = rows.root / "docs/benchmarks.md"


own_figures = {**figures.all_of_them, "dataspace": connector.dataspace}


def mnist():
    folder = pathlib.Path(os.environ.get("ENTENTE_MNIST_DIR", rows.root / "third_party/mnist"))
    if not folder.is_dir():
        sys.exit("expected MNIST in third_party/mnist: run script/fetch-mnist, or set ENTENTE_MNIST_DIR")
    return folder


def targets():
    """Sections by their full name: "train.fused" and its lines."""
    found = {}

    def walk(name, table):
        for key, value in table.items():
            full = f"{name}.{key}" if name else key
            if isinstance(value, dict):
                walk(full, value)
            else:
                found.setdefault(name, {})[key] = float(value)

    walk("", tomllib.loads((here / "targets.toml").read_text()))
    return found


def write_table(command, title, table, document=document):
    """Between its marks; the words around it are written by hand."""
    begin, end = f"<!-- {command} -->\n", "<!-- end -->"
    before, rest = document.read_text().split(begin)
    after = rest.split(end, 1)[1]
    document.write_text(f"{before}{begin}\n{title}\n\n{table}\n\n{end}{after}")


def wire_table(write, check):
    found = wire.lines(str(rows.entente), str(mnist()))
    print(f"{wire.title()}\n\n{wire.table(found)}")
    if write:
        write_table("script/bench wire", wire.title(), wire.table(found))
    if check and any(line["short"] for line in found):
        sys.exit(1)


def durable_tables(write):
    title, found = durable.title(), durable.tables()
    print(f"{title}\n\n{found}")
    if write:
        write_table("script/bench durable", title, found, rows.root / "docs/reliability.md")


def main():
    parser = argparse.ArgumentParser(prog="script/bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
                                     epilog="Without peers, what needs none is measured and the rest is named.\n"
                                            "example: script/bench --only train.fused --check")
    parser.add_argument("what", nargs="?", choices=(*own_figures, "wire", "durable", "tasks"),
                        help="one of the coordinator's own figures, what updates weigh, how many it takes durably, or the tasks on tables, instead of the table")
    parser.add_argument("--install-peers", action="store_true", help="PyTorch, Flower and the browser's peers into build/peers, and stop")
    parser.add_argument("--only", metavar="ID-PREFIX", default="", help="a part of the table")
    parser.add_argument("--passes", type=int, help="how often each pair is measured")
    parser.add_argument("--json", action="store_true", help="one object a line: id, ours, theirs, peer, ratio, at_least")
    parser.add_argument("--check", action="store_true", help="say what falls short, and exit 1 if anything does")
    parser.add_argument("--write", action="store_true", help="put the table into its document")
    o = parser.parse_args()
    if o.install_peers:
        link.install()
        return
    if o.what == "wire":
        wire_table(o.write, o.check)
        return
    if o.what == "durable":
        durable_tables(o.write)
        return
    if o.what == "tasks":
        sys.exit(0 if tasks.run(rows.entente, targets(), o.only, o.json, o.write, o.check) else 1)
    if o.what:
        own_figures[o.what](rows.entente, str(mnist()))
        return
    outcomes, skipped, failed = [], [], []
    with tempfile.TemporaryDirectory() as scratch:
        bench = rows.Bench(mnist(), scratch, targets())
        try:
            for row in bench.rows():
                if not row.id.startswith(o.only):
                    continue
                if row.skip:
                    skipped.append(row)
                    continue
                try:
                    outcome = measure.measure(row, o.passes)
                except (RuntimeError, OSError, ValueError, IndexError) as error:
                    failed.append((row, error))
                    print(f"{row.id}: {error}", file=sys.stderr)
                    continue
                outcomes.append(outcome)
                if o.json:
                    print(json.dumps(outcome.as_json()), flush=True)
                else:
                    print(f"{row.id:28} {measure.figure(outcome.ratio):>7}  at least {row.at_least:g}  "
                          f"{'met' if outcome.met else 'SHORT'}", file=sys.stderr, flush=True)
        finally:
            bench.close()
    if not o.json:
        print(measure.machine() + "\n\n" + measure.table(outcomes))
    for row in skipped:
        print(f"not measured: {row.id}: {row.skip}", file=sys.stderr)
    if o.write:
        write_table("script/bench", measure.machine() + ".", measure.table(outcomes))
    if o.check:
        short = [outcome for outcome in outcomes if not outcome.met]
        for outcome in short:
            print(f"short: {outcome.row.id}: {outcome.ratio:.3g} of {outcome.row.peer}, at least {outcome.row.at_least:g}")
        sys.exit(1 if short or failed else 0)


main()
