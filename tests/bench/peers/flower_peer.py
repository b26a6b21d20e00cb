"""Flower's simulation engine: virtual clients train the 2NN with PyTorch, E=1, B=10."""
import os
import pathlib
import statistics
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
os.environ["PYTHONPATH"] = str(pathlib.Path(__file__).parent) + ":" + os.environ.get("PYTHONPATH", "")

from link import serve  # noqa: E402


def tree_mb():
    """Proportional memory of this process and everything below it."""
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                parents[int(name)] = int(pathlib.Path(f"/proc/{name}/stat").read_text().rsplit(")", 1)[1].split()[1])
            except OSError:
                pass
    mine = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in mine} - mine:
        mine |= more
    total = 0
    for pid in mine:
        try:
            for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
        except OSError:
            pass
    return total / 1024


def simulate(partners, sample, rounds, mnist):
    from flwr.app import ArrayRecord, Context, Message, MetricRecord, RecordDict
    from flwr.clientapp import ClientApp
    from flwr.serverapp import ServerApp
    from flwr.serverapp.strategy import FedAvg
    from flwr.simulation import run_simulation

    import flower_client
    client, server, marks = ClientApp(), ServerApp(), []

    @client.train()
    def _train(message: Message, context: Context):
        share = int(context.node_config["partition-id"])
        arrays, examples = flower_client.train(message.content["arrays"].to_numpy_ndarrays(), mnist, share, partners)
        return Message(content=RecordDict({"arrays": ArrayRecord(arrays), "metrics": MetricRecord({"num-examples": examples})}),
                       reply_to=message)

    @server.main()
    def _main(grid, context):
        def mark(number, arrays):
            marks.append(time.time())
            return MetricRecord({"round": number})
        FedAvg(fraction_train=sample, fraction_evaluate=0.0, min_available_nodes=partners).start(
            grid=grid, initial_arrays=ArrayRecord(flower_client.initial()), num_rounds=rounds, evaluate_fn=mark)

    peak, ended = 0.0, False

    def watch():
        nonlocal peak
        while not ended:
            peak = max(peak, tree_mb())
            time.sleep(0.25)

    threading.Thread(target=watch, daemon=True).start()
    began = time.time()
    run_simulation(server_app=server, client_app=client, num_supernodes=partners,
                   backend_config={"client_resources": {"num_cpus": 1, "num_gpus": 0.0}})
    ended = True
    seconds = [b - a for a, b in zip(marks, marks[1:])]
    later = statistics.median(seconds[1:] or seconds)
    return {"value": sample * partners / later, "first_round_s": marks[1] - began, "memory_mb": peak}


serve({"simulate": simulate})
