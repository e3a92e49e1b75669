"""What driver and HTTP backend cost beyond the HTTP client: `python benchmarks/http_backend.py [--requests 100000]`.

A server in a process of its own answers at once, or after a known time. "Bare loop" is 256 asyncio workers that post
over the same client library and read the text of each reply; a client searches all of its connections at every call,
so the loop is also measured with a client for every 16 workers, as the backend has them. To compare with inspect-ai,
set INSPECT to the Python of an environment that has it: `python -m venv /tmp/inspect && /tmp/inspect/bin/pip install
inspect-ai openai`.
"""

from __future__ import annotations

import argparse
import asyncio
import heapq
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from hashlib import sha256
from pathlib import Path

import httpx2

from whetstone.core.flow import Flow, drive, sample
from whetstone.core.types import Sampling, user
from whetstone.models.http.model import HttpModel
from whetstone.models.http.settings import Settings

CONCURRENCY = 256
SLOW, QUICK, SHARE = 30.0, 0.2, 0.01
TARGETS = (
    "targets: 70 % of the bare loop, memory growth under 60 MB, stragglers under 1.3 times the ideal schedule, "
    "5 times the samples/s of inspect-ai"
)
SAMPLING = Sampling(temperature=1.0, max_tokens=16)


# ----------------------------------------------------------------------------------------- the server


def seconds_of(content: str) -> float:
    """How long the server takes for a question named `slow ...`: a hundredth of them takes half a minute."""
    digest = int.from_bytes(sha256(content.encode()).digest()[:4], "big")
    return SLOW if digest < SHARE * 2**32 else QUICK


CONTENT = {
    "id": "x",
    "object": "chat.completion",
    "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "the answer is 4"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17},
}


class Answers(asyncio.Protocol):
    """HTTP/1.1, as little of it as a well-behaved client needs."""

    body = json.dumps(CONTENT).encode()
    answer = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body) + body

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport, self.read = transport, b""

    def data_received(self, data: bytes) -> None:
        self.read += data
        head, blank, rest = self.read.partition(b"\r\n\r\n")
        _, found, length = head.lower().partition(b"content-length:")
        size = int(length.split(b"\r\n", 1)[0]) if found else 0
        if not blank or len(rest) < size:
            return
        self.read = rest[size:]
        content = json.loads(rest[:size])["messages"][-1]["content"]
        if isinstance(content, str) and content.startswith("slow"):
            asyncio.get_running_loop().call_later(seconds_of(content), self.transport.write, self.answer)
        else:
            self.transport.write(self.answer)


async def serve() -> None:
    server = await asyncio.get_running_loop().create_server(Answers, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def served() -> Iterator[str]:
    """The base URL of a server in a process of its own."""
    process = subprocess.Popen([sys.executable, __file__, "--serve"], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
    finally:
        process.kill()


# ------------------------------------------------------------------------------------------- the rows


async def bare(url: str, n: int, clients: int) -> float:
    """Seconds of the bare loop."""
    questions = iter(range(n))
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=None)

    async def work(client: httpx2.AsyncClient) -> None:
        for i in questions:
            messages = [{"role": "user", "content": f"What is {i} + {i}?"}]
            body = {"model": "m", "messages": messages, "max_tokens": 16, "temperature": 1.0, "seed": i}
            reply = await client.post(f"{url}/chat/completions", json=body)
            assert reply.json()["choices"][0]["message"]["content"]

    async with AsyncExitStack() as stack:
        opened = [
            await stack.enter_async_context(httpx2.AsyncClient(limits=limits, timeout=None)) for _ in range(clients)
        ]
        began = time.perf_counter()
        await asyncio.gather(*(work(opened[i % clients]) for i in range(CONCURRENCY)))
        return time.perf_counter() - began


def ask(question: str) -> Flow[str]:
    replies = yield from sample(user(question), sampling=SAMPLING)
    return replies[0].text


def driven(model: HttpModel, n: int) -> float:
    """Seconds of driver and backend."""
    done = drive(((str(i), ask(f"What is {i} + {i}?")) for i in range(n)), {"policy": model})
    assert not done.failures
    return done.seconds


def resident() -> float:
    """Megabytes of this process that are in memory."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    raise OSError("no VmRSS in /proc/self/status")


def throughput(n: int, rounds: int) -> None:
    """All in turn, several times, on one server; the medians are compared."""
    with served() as url:
        model = HttpModel(Settings("m", (url,), concurrency=CONCURRENCY))
        driven(model, n // 4)
        rows: dict[str, Callable[[], float]] = {
            "bare loop": lambda: asyncio.run(bare(url, n, 1)),
            "bare loop, 16 clients": lambda: asyncio.run(bare(url, n, CONCURRENCY // 16)),
            "driver and backend": lambda: driven(model, n),
        }
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in rows}
        for _ in range(rounds):
            for name, run in rows.items():
                before = time.process_time()
                seconds = run()
                taken[name].append((seconds, time.process_time() - before))
        model.close()
    print(f"{'':24}{'requests/s':>12}{'CPU us/request':>16}{'backend reaches':>17}")
    middle = {name: sorted(pairs)[rounds // 2] for name, pairs in taken.items()}
    for name, (seconds, cpu) in middle.items():
        share = seconds / middle["driver and backend"][0]
        print(f"{name:24}{n / seconds:>12,.0f}{cpu / n * 1e6:>16.0f}{share:>17.0%}")
    print()


def memory(n: int) -> None:
    """Growth of the resident memory, after a tenth of the requests, over the rest."""
    with served() as url:
        model = HttpModel(Settings("m", (url,), concurrency=CONCURRENCY))
        marks: list[tuple[int, float]] = []

        def watch(done: int, started: int, ledger: object) -> None:
            if done >= len(marks) * n // 10:
                marks.append((done, resident()))

        done = drive(((str(i), count(f"What is {i} + {i}?")) for i in range(n)), {"policy": model}, progress=watch)
        marks.append((n, resident()))
        model.close()
        assert len(done.results) == n
    print("memory: " + ", ".join(f"{megabytes:.0f} MB at {done:,}" for done, megabytes in marks))
    print(f"growth over {n:,} requests: {marks[-1][1] - marks[0][1]:.0f} MB, results included\n")


def count(question: str) -> Flow[int]:
    replies = yield from sample(user(question), sampling=SAMPLING)
    return len(replies[0].text)


def stragglers(n: int) -> None:
    """A hundredth of the requests takes 30 seconds; flows of two turns, so that a barrier would show."""
    names = [f"slow {i}" for i in range(n // 2)]

    def turns(name: str) -> Flow[int]:
        first = yield from sample(user(name), sampling=SAMPLING)
        second = yield from sample(user(f"{name} again"), sampling=SAMPLING)
        return len(first + second)

    with served() as url:
        model = HttpModel(Settings("m", (url,), concurrency=CONCURRENCY))
        done = drive(((name, turns(name)) for name in names), {"policy": model})
        model.close()
    assert not done.failures
    lengths = [(seconds_of(name), seconds_of(f"{name} again")) for name in names]
    best = ideal(lengths)
    slow = sum(second == SLOW for pair in lengths for second in pair)
    barrier = sum(max(pair[turn] for pair in lengths[i : i + 256]) for i in range(0, n // 2, 256) for turn in (0, 1))
    print(f"{n:,} requests, {slow} of them take {SLOW:.0f} s: {done.seconds:.1f} s")
    print(
        f"ideal schedule {best:.1f} s: {done.seconds / best:.2f} times; in batches of {CONCURRENCY}: {barrier:.0f} s\n"
    )


def ideal(lengths: list[tuple[float, float]]) -> float:
    """Seconds of a schedule that loses no time: whoever is ready takes a free slot, longest remainder first."""
    ready = [(-a - b, i, 0) for i, (a, b) in enumerate(lengths)]
    heapq.heapify(ready)
    running: list[tuple[float, int, int]] = []
    now = 0.0
    while ready or running:
        while ready and len(running) < CONCURRENCY:
            _, i, turn = heapq.heappop(ready)
            heapq.heappush(running, (now + lengths[i][turn], i, turn))
        now, i, turn = heapq.heappop(running)
        if turn == 0:
            heapq.heappush(ready, (-lengths[i][1], i, 1))
    return now


# ------------------------------------------------------------------------------------------ inspect-ai

INSPECT = """
import sys, time
from inspect_ai import Task, eval
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import GenerateConfig
from inspect_ai.scorer import includes
from inspect_ai.solver import generate

url, n = sys.argv[1], int(sys.argv[2])
samples = [Sample(input=f"What is {i} + {i}?", target="4", id=i) for i in range(n)]
task = Task(dataset=MemoryDataset(samples), solver=generate(), scorer=includes())
began = time.perf_counter()
logs = eval(
    task, model="openai/m", model_base_url=url, display="none", log_dir=sys.argv[3], max_connections=256,
    max_samples=256, max_tokens=16, temperature=1.0, log_samples=True, model_args={"responses_api": False},
)
assert logs[0].status == "success", logs[0].error
assert len(logs[0].samples) == n
print(time.perf_counter() - began)
"""


def answered(i: int) -> Flow[bool]:
    replies = yield from sample(user(f"What is {i} + {i}?"), sampling=SAMPLING)
    return "4" in replies[0].text


def compared(python: str, n: int) -> None:
    """The same trivial task: ask, and look for the target in the reply."""
    with served() as url, tempfile.TemporaryDirectory() as folder:
        model = HttpModel(Settings("m", (url,), concurrency=CONCURRENCY))
        driven(model, 200)
        done = drive(((str(i), answered(i)) for i in range(n)), {"policy": model})
        model.close()
        assert all(done.results.values())
        environment = {**os.environ, "OPENAI_API_KEY": "none"}
        command = [python, "-c", INSPECT, url, str(n), folder]
        run = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=folder)
        if run.returncode:
            sys.exit(f"inspect-ai failed: {run.stderr[-2000:] or run.stdout[-2000:]}")
        theirs = float(run.stdout.split()[-1])
    print(f"inspect-ai {theirs / n * 1e3:.1f} ms a sample, Whetstone {done.seconds / n * 1e3:.2f} ms a sample")
    print(f"Whetstone answers {theirs / done.seconds:.1f} times the samples/s\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=100_000, help="of the memory row")
    parser.add_argument("--rows", default="throughput,memory,stragglers,inspect")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        asyncio.run(serve())
        return
    rows = args.rows.split(",")
    if "throughput" in rows:
        throughput(args.requests // 50, 9)
    if "memory" in rows:
        memory(args.requests)
    if "stragglers" in rows:
        stragglers(2_000)
    if "inspect" in rows and os.environ.get("INSPECT"):
        compared(os.environ["INSPECT"], 1_000)
    print(TARGETS)


if __name__ == "__main__":
    main()
