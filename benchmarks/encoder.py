"""BERT-base beside Transformers on PyTorch, in one run: forward passes, loading, peak memory.

    python benchmarks/encoder.py --reference PYTHON [--markdown FILE]

PYTHON is the interpreter of an environment that has `transformers>=5` and `torch`; this script's own has keras_tfm and
the backends to measure. Each contestant is a process of its own, on the same cores, with the same checkpoint
(random weights, made anew); they take turns, so that whatever else the machine does meets all of them alike. Forward
passes go from NumPy arrays to NumPy arrays; memory is the peak of the resident set above what the process had after its
imports. Transformers leaves the weights in the mapped file until they are used, so loading is also measured together
with the first answer (1 x 16), which on JAX and TensorFlow is compiled for.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

SHAPES = {"8 x 128": (8, 128), "1 x 16": (1, 16)}  # batch x tokens
BACKENDS = ("jax", "torch", "tensorflow")
REFERENCE = "transformers"


# What runs in the contestants' processes. -----------------------------------------------------------------------------


def keras_contestant(checkpoint, device, dtype):
    """Yields the versions; then, once asked again, loads `checkpoint` and yields its device and forward pass."""
    import keras

    import keras_tfm as kt
    import keras_tfm.presets.io.load
    from keras_tfm.models.bert import BertModel
    from keras_tfm.runtime.compiling import compiled

    backend = keras.backend.backend()
    yield f"keras_tfm {kt.__version__}, Keras {keras.__version__}, {backend} {__import__(backend).__version__}"
    model = BertModel.from_preset(checkpoint, dtype=dtype)  # Keras takes a GPU where its backend sees one
    forward = compiled(model)
    yield model.weights[0].value.device, lambda inputs: forward(inputs)["last_hidden_state"]


def reference_contestant(checkpoint, device, dtype):
    """As `keras_contestant`."""
    import torch
    import transformers
    from transformers import BertModel

    yield f"Transformers {transformers.__version__}, torch {torch.__version__}"
    model = BertModel.from_pretrained(checkpoint, dtype=getattr(torch, dtype)).eval()
    model = model.to("cuda" if device == "gpu" else "cpu")

    def forward(inputs):
        with torch.inference_mode():
            tensors = {name: torch.from_numpy(x).to(model.device) for name, x in inputs.items()}
            return model(**tensors).last_hidden_state.float().cpu().numpy()

    yield model.device, forward


def resident(peak=False):
    """MiB of this process in memory, now or at most."""
    field = "VmHWM" if peak else "VmRSS"
    status = Path("/proc/self/status").read_text().split("\n")
    return int(next(line for line in status if line.startswith(field)).split()[1]) / 1024


def contestant(name, checkpoint, device, dtype, threads):
    """Answers one line of JSON to each line of standard input: "load", or a shape's name for a timed forward pass."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])  # every framework takes a thread for each
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what libraries print goes elsewhere
    stages = (reference_contestant if name == REFERENCE else keras_contestant)(checkpoint, device, dtype)
    answers.write(json.dumps({"versions": next(stages)}) + "\n")
    imported = resident()
    for line in sys.stdin:
        command, answer, start = line.strip(), {}, time.perf_counter()
        if command == "load":
            device, forward = next(stages)
            answer["device"] = str(device)
        else:
            outputs = forward(inputs(*SHAPES[command]))
            answer["outputs"] = outputs[:, :4, :16].astype("float32").tolist()
        answer |= {"seconds": time.perf_counter() - start, "peak": resident(peak=True) - imported}
        answers.write(json.dumps(answer) + "\n")


# What runs in the first process. --------------------------------------------------------------------------------------


def inputs(batch, length):
    """Random tokens; every other row has padding in its last quarter."""
    draw = np.random.default_rng(0)
    mask = np.ones((batch, length), "int32")
    mask[::2, length - length // 4 :] = 0
    ids = draw.integers(1, 30000, (batch, length)).astype("int32")
    return {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}


class Process:
    """A contestant."""

    def __init__(self, python, name, options):
        environment = {"KERAS_BACKEND": name, "TF_CPP_MIN_LOG_LEVEL": "3", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
        if options.device == "cpu":
            environment["CUDA_VISIBLE_DEVICES"] = ""
        self.process = subprocess.Popen(
            [python, __file__, "--contestant", name, options.checkpoint, "--device", options.device]
            + ["--dtype", options.dtype, "--threads", str(options.threads)],
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


WRITE = """
import sys, keras, keras_tfm as kt
model = kt.BertModel(kt.BertConfig())
for seed, weight in enumerate(model.weights):  # biases and norms, too
    weight.assign(weight + keras.random.normal(weight.shape, stddev=0.02, seed=seed))
model.save_preset(sys.argv[1])
"""


def write_checkpoint(folder):
    """A BERT-base with random weights, as the Hub has it; written by a process whose memory nobody measures."""
    subprocess.run([sys.executable, "-c", WRITE, folder], check=True, stderr=subprocess.DEVNULL)


def measure(options):
    """Asks everything of everyone, in turns: versions, and {what: {contestant: [numbers]}}."""
    numbers, versions = {}, {}

    def note(what, name, value):
        numbers.setdefault(what, {}).setdefault(name, []).append(value)

    pythons = dict.fromkeys(options.backends, sys.executable) | {REFERENCE: options.reference}
    for _ in range(options.loads):
        for name, python in pythons.items():
            process = Process(python, name, options)
            loaded, answered = process.ask("load"), process.ask("1 x 16")
            process.close()
            note("load, s", name, loaded["seconds"])
            note("load, peak MiB", name, loaded["peak"])
            note("load and first answer, s", name, loaded["seconds"] + answered["seconds"])
            note("load and first answer, peak MiB", name, answered["peak"])

    processes = [Process(python, name, options) for name, python in pythons.items()]
    outputs = {}
    for process in processes:
        versions[process.name] = f"{process.versions}, on {process.ask('load')['device']}"
        for shape in SHAPES:
            for _ in range(3):  # compiles, records, warms up
                answer = process.ask(shape)
            outputs[process.name, shape] = np.array(answer["outputs"])
    for shape in SHAPES:
        for _ in range(options.rounds * (1 if shape == "8 x 128" else 5)):
            for process in processes:
                note(f"forward {shape}, ms", process.name, process.ask(shape)["seconds"] * 1000)
        for name in pythons:
            note(f"difference {shape}", name, np.abs(outputs[name, shape] - outputs[REFERENCE, shape]).max())
    for process in processes:
        process.close()
    return versions, numbers


def report(options, versions, numbers):
    """The results as a Markdown table."""
    machine = f"{os.cpu_count()} cores, {platform.machine()}" if options.device == "cpu" else options.device
    lines = [f"## BERT-base on {machine}, {options.dtype}", ""]
    if options.device == "cpu":
        lines += [f"{options.threads} threads each.", ""]
    lines += [*(f"- {name}: {version}" for name, version in versions.items()), ""]
    lines += ["| what | contestant | min | median | max | median / reference |", "|---|---|--:|--:|--:|--:|"]
    for what, results in numbers.items():
        if what.startswith("difference"):
            continue
        for name, values in results.items():
            middle = statistics.median(values)
            ratio = middle / statistics.median(results[REFERENCE])
            digits = 0 if max(values) > 100 else 1 if "ms" in what else 2
            cells = (f"{value:.{digits}f}" for value in (min(values), middle, max(values)))
            lines.append(f"| {what} | {name} | {' | '.join(cells)} | {ratio:.2f} |")
    lines += ["", "Largest difference of a hidden state from the reference's:", ""]
    for shape in SHAPES:
        differences = numbers[f"difference {shape}"]
        lines.append(f"- {shape}: " + ", ".join(f"{n} {d[0]:.1e}" for n, d in differences.items() if n != REFERENCE))
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reference", help="the Python that has transformers>=5 and torch")
    parser.add_argument("--backends", nargs="+", default=BACKENDS, choices=BACKENDS)
    parser.add_argument("--rounds", type=int, default=10, help="passes of 8 x 128 each (1 x 16: five times as many)")
    parser.add_argument("--loads", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="so many cores for each contestant")
    parser.add_argument("--device", choices=("cpu", "gpu"), default="cpu")
    parser.add_argument("--dtype", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--markdown", help="a file to add the table to, such as benchmarks/RESULTS.md")
    parser.add_argument("--verbose", action="store_true", help="show what the contestants print to standard error")
    parser.add_argument("--contestant", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.contestant:
        return contestant(*options.contestant, options.device, options.dtype, options.threads)
    if not options.reference:
        parser.error("--reference is needed: a Python that has transformers>=5 and torch")
    with tempfile.TemporaryDirectory() as options.checkpoint:
        write_checkpoint(options.checkpoint)
        table = report(options, *measure(options))
    print(table)
    if options.markdown:
        with open(options.markdown, "a") as file:
            file.write("\n" + table)


if __name__ == "__main__":
    main()
