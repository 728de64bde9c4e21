"""Ray actors called from the driver process: one that echoes, an asynchronous one, and one that counts and keeps its count in
a file. Reads lines "sync BYTES MS", "async IN_FLIGHT BYTES MS ACTORS" or "restart FILE" and answers each with a line of JSON."""

import json
import math
import os
import sys
import time

import ray

WARM_UP = 0.2

out = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # What Ray itself prints goes to stderr.


def tell(value):
    out.write(json.dumps(value) + "\n")
    out.flush()


@ray.remote(num_cpus=0)
class Echo:
    def echo(self, data):
        return data


@ray.remote(num_cpus=0)
class AsyncEcho:
    async def echo(self, data):
        return data


@ray.remote(num_cpus=0, max_restarts=-1, max_task_retries=-1)
class Kept:
    """As in Ray's page on fault tolerance with actor checkpointing: the state is in a file on the local disk."""

    def __init__(self, path):
        self.path = path
        self.value = int(open(path).read()) if os.path.exists(path) else 0

    def count(self):
        self.value += 1
        with open(self.path, "w") as file:
            file.write(str(self.value))
        return self.value

    def pid(self):
        return os.getpid()


def figures(times, elapsed):
    times.sort()
    at = lambda share: times[max(0, math.ceil(share * len(times)) - 1)] * 1000
    return {
        "p50Ms": at(0.5),
        "p99Ms": at(0.99),
        "maxMs": at(1),
        "perSecond": len(times) / elapsed if elapsed > 0 else 0,
        "count": len(times),
    }


def sync_calls(actor, size, ms):
    data = b"7" * size
    start = time.perf_counter()
    count_from, until = start + ms * WARM_UP / 1000, start + ms / 1000
    times = []
    while (at := time.perf_counter()) < until:
        ray.get(actor.echo.remote(data))
        ended = time.perf_counter()
        if ended >= count_from:
            times.append(ended - at)
    return figures(times, time.perf_counter() - count_from)


def async_calls(actors, in_flight, size, ms):
    """Keeps so many calls under way by waiting for any of them."""
    data = b"7" * size
    start = time.perf_counter()
    count_from, until = start + ms * WARM_UP / 1000, start + ms / 1000
    times, pending, issued = [], {}, 0
    while True:
        now = time.perf_counter()
        while now < until and len(pending) < in_flight:
            pending[actors[issued % len(actors)].echo.remote(data)] = now
            issued += 1
        if not pending:
            return figures(times, time.perf_counter() - count_from)
        ready, _ = ray.wait(list(pending), num_returns=max(1, len(pending) // 2))
        ray.get(ready)
        ended = time.perf_counter()
        for each in ready:
            began = pending.pop(each)
            if ended >= count_from:
                times.append(ended - began)


def restart(path):
    actor = Kept.remote(path)
    before = ray.get(actor.count.remote())
    pid = ray.get(actor.pid.remote())
    start = time.perf_counter()
    os.kill(pid, 9)
    after = ray.get(actor.count.remote())
    assert after >= before + 1, f"{after} after {before}"
    took = time.perf_counter() - start
    ray.kill(actor)
    return figures([took], 0)


ray.init(num_cpus=2, include_dashboard=False, configure_logging=False, log_to_driver=False, _node_ip_address="127.0.0.1")
echo, echoes = Echo.remote(), [AsyncEcho.remote() for _ in range(4)]
ray.get([echo.echo.remote(b"")] + [each.echo.remote(b"") for each in echoes])
tell({"ready": True, "ray": ray.__version__})
for line in sys.stdin:
    kind, *rest = line.split()
    if kind == "sync":
        tell(sync_calls(echo, *map(int, rest)))
    elif kind == "async":
        in_flight, size, ms, actors = map(int, rest)
        tell(async_calls(echoes[:actors], in_flight, size, ms))
    elif kind == "restart":
        tell(restart(rest[0]))
ray.shutdown()
