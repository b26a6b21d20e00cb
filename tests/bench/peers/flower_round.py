"""Flower deployed on the loopback address, SuperLink and two SuperNodes, clients that have nothing to train: seconds a round."""
import json
import os
import pathlib
import signal
import socket
import statistics
import subprocess
import time

from peers.link import quiet

project = """[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "empty-round"
version = "1.0.0"
description = "Rounds with nothing to train"
license = { file = "LICENSE" }
dependencies = ["flwr>=1.41.0"]
[tool.hatch.build.targets.wheel]
packages = ["."]
[tool.flwr.app]
publisher = "bench"
fab-format-version = 1
flwr-version-target = "1.41.0"
[tool.flwr.app.components]
serverapp = "empty_round.server:app"
clientapp = "empty_round.client:app"
[tool.flwr.app.config]
out = ""
"""
client = """import numpy as np
from flwr.app import ArrayRecord, Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp

app = ClientApp()


@app.train()
def train(message: Message, context: Context):
    step = np.float32(1e-6 * (1 + int(context.node_config["partition-id"])))
    arrays = [a + step for a in message.content["arrays"].to_numpy_ndarrays()]
    return Message(content=RecordDict({"arrays": ArrayRecord(arrays), "metrics": MetricRecord({"num-examples": 64})}), reply_to=message)
"""
server = """import time
import numpy as np
from flwr.app import ArrayRecord, MetricRecord
from flwr.serverapp import ServerApp
from flwr.serverapp.strategy import FedAvg

app = ServerApp()


@app.main()
def main(grid, context):
    def mark(number, arrays):
        with open(context.run_config["out"], "a") as out:
            out.write(f"{time.time()}\\n")
        return MetricRecord({"round": number})
    model = [np.zeros(s, np.float32) for s in ((784, 200), (200,), (200, 200), (200,), (200, 10), (10,))]
    FedAvg(fraction_evaluate=0.0, min_available_nodes=2).start(
        grid=grid, initial_arrays=ArrayRecord(model), num_rounds=4, evaluate_fn=mark)
"""


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def wait_for(port, seconds=60):
    end = time.time() + seconds
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), 0.2).close()
        except OSError:
            if time.time() > end:
                raise
            time.sleep(0.1)


def measure(installed, scratch):
    app = pathlib.Path(scratch) / "empty-round"
    (app / "empty_round").mkdir(parents=True, exist_ok=True)
    (app / "pyproject.toml").write_text(project)
    (app / "LICENSE").write_text("Apache-2.0\n")
    for name, text in (("__init__", ""), ("client", client), ("server", server)):
        (app / f"empty_round/{name}.py").write_text(text)
    out = app / "rounds"
    out.write_text("")
    bin_folder = pathlib.Path(installed).resolve() / "bin"
    link, first, second = free_ports(3)
    home = app / "home"
    home.mkdir(exist_ok=True)
    (home / "config.toml").write_text(f'[superlink]\ndefault = "here"\n[superlink.here]\naddress = "127.0.0.1:{link}"\ninsecure = true\n')
    environment = dict(os.environ, **quiet, FLWR_HOME=str(home), PATH=f"{bin_folder}:{os.environ['PATH']}")
    running = []

    def start(name, *words):
        log = open(app / f"{name}.log", "w")
        running.append(subprocess.Popen([bin_folder / words[0], *map(str, words[1:])], env=environment, stdout=log, stderr=log,
                                        start_new_session=True))

    try:
        start("superlink", "flower-superlink", "--insecure", "--host", "127.0.0.1", "--port", link,
              "--disable-runtime-dependency-installation")
        wait_for(link)
        for number, port in enumerate((first, second)):
            start(f"node{number}", "flower-supernode", "--insecure", "--superlink", f"127.0.0.1:{link}", "--port", port,
                  "--node-config", f"partition-id={number} num-partitions=2")
        time.sleep(6)
        done = subprocess.run([bin_folder / "flwr", "run", app, "here", "--run-config", f"out={json.dumps(str(out))}"], env=environment,
                              capture_output=True, text=True, check=False)
        end = time.time() + 120
        while time.time() < end and len(out.read_text().splitlines()) < 5:
            time.sleep(0.2)
        marks = [float(line) for line in out.read_text().splitlines()]
        if len(marks) < 3:
            raise RuntimeError(f"Flower told of no rounds: {done.stdout[-500:]} {done.stderr[-500:]}")
        return {"value": statistics.median(b - a for a, b in zip(marks, marks[1:]))}
    finally:
        for process in reversed(running):
            os.killpg(process.pid, signal.SIGTERM)
        time.sleep(2)
        for process in running:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()
