"""Contestants of a benchmark: processes of their own, on the same cores, asked in turns.

They take turns so that whatever else the machine does meets all of them alike: ratios within one run hold, where
seconds do not. A contestant answers one line of JSON to each line of its standard input.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

BACKENDS = ("jax", "torch", "tensorflow")
REFERENCE = "transformers"


def keras_versions():
    """What a contestant of ours runs on."""
    import keras

    import keras_tfm

    backend = keras.backend.backend()
    return f"keras_tfm {keras_tfm.__version__}, Keras {keras.__version__}, {backend} {__import__(backend).__version__}"


def reference_versions():
    """What Transformers runs on."""
    import torch
    import transformers

    return f"Transformers {transformers.__version__}, torch {torch.__version__}"


def serve(contestants, name, task):
    """Runs a contestant, in its process.

    Args:
        contestants: {name: generator function of the task}: it imports what it needs and yields the versions; asked to
            "load", it loads its model and yields its device and a function, which gets all other commands and returns
            a dict.
        name: which of them; those of `BACKENDS` are one.
        task: a dict of `threads`, the number of cores, and what else the contestant wants to know.
    """
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: task["threads"]])  # a framework takes a thread for each
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what libraries print goes elsewhere
    stages = contestants["keras" if name in BACKENDS else name](task)
    answers.write(json.dumps({"versions": next(stages)}) + "\n")
    imported = resident()
    for line in sys.stdin:
        command, start = line.strip(), time.perf_counter()
        if command == "load":
            device, act = next(stages)
            answer = {"device": str(device)}
        else:
            answer = act(command)
        answer |= {"seconds": time.perf_counter() - start, "peak": resident(peak=True) - imported}
        answers.write(json.dumps(answer) + "\n")


def resident(peak=False):
    """MiB of this process in memory, now or at most."""
    field = "VmHWM" if peak else "VmRSS"
    status = Path("/proc/self/status").read_text().split("\n")
    return int(next(line for line in status if line.startswith(field)).split()[1]) / 1024


class Process:
    """A contestant, seen from the first process.

    Args:
        name: a backend of ours, or `REFERENCE`.
        options: of the command line, see `parser`.
        task: what the contestant is told.
    """

    def __init__(self, name, options, **task):
        environment = {"KERAS_BACKEND": name, "TF_CPP_MIN_LOG_LEVEL": "3", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
        if options.device == "cpu":
            environment["CUDA_VISIBLE_DEVICES"] = ""
        python = options.reference if name == REFERENCE else sys.executable
        task |= {"device": options.device, "threads": options.threads}
        self.process = subprocess.Popen(
            [python, sys.argv[0], "--contestant", name, json.dumps(task)],
            env=os.environ | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None if options.verbose else subprocess.DEVNULL,
            text=True,
        )
        self.name, self.versions = name, self.answer()["versions"]

    def ask(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return self.answer()

    def answer(self):
        if not (line := self.process.stdout.readline()):
            raise RuntimeError(f"the process of {self.name} has ended; --verbose shows what it printed")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def parser(description):
    """The options that all benchmarks have."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reference", help="the Python that has transformers>=5 and torch")
    parser.add_argument("--backends", nargs="+", default=BACKENDS, choices=BACKENDS)
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="so many cores for each contestant")
    parser.add_argument("--device", choices=("cpu", "gpu"), default="cpu")
    parser.add_argument("--markdown", help="a file to add the table to, such as benchmarks/RESULTS.md")
    parser.add_argument("--verbose", action="store_true", help="show what the contestants print to standard error")
    parser.add_argument("--contestant", nargs=2, help=argparse.SUPPRESS)
    return parser


def run(parser, contestants, benchmark):
    """Parses the command line and runs the benchmark, a function of the options that returns Markdown; in a
    contestant's process, the contestant."""
    options = parser.parse_args()
    if options.contestant:
        name, task = options.contestant
        return serve(contestants, name, json.loads(task))
    if not options.reference:
        parser.error("--reference is needed: a Python that has transformers>=5 and torch")
    table = benchmark(options)
    print(table)
    if options.markdown:
        with open(options.markdown, "a") as file:
            file.write("\n" + table)


def heading(title, options, versions):
    """The first lines of a table: what was measured on which machine, and the versions, {contestant: text}."""
    machine = f"{os.cpu_count()} cores, {platform.machine()}" if options.device == "cpu" else options.device
    lines = [f"## {title} on {machine}", ""]
    if options.device == "cpu":
        lines += [f"{options.threads} threads each.", ""]
    return [*lines, *(f"- {name}: {version}" for name, version in versions.items()), ""]
