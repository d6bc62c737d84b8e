"""BERT-base beside Transformers on PyTorch, in one run: forward passes, loading, peak memory.

    python benchmarks/encoder.py --reference PYTHON [--markdown FILE]

PYTHON is the interpreter of an environment that has `transformers>=5` and `torch`; this script's own has keras_tfm and
the backends to measure. Each contestant is a process of its own, on the same cores, with the same checkpoint
(random weights, made anew); they take turns, so that whatever else the machine does meets all of them alike. Forward
passes go from NumPy arrays to NumPy arrays; memory is the peak of the resident set above what the process had after its
imports. Transformers leaves the weights in the mapped file until they are used, so loading is also measured together
with the first answer (1 x 16), which on JAX and TensorFlow is compiled for.
"""

import statistics
import subprocess
import sys
import tempfile

import numpy as np
from contestants import REFERENCE, Process, heading, keras_versions, parser, reference_versions, run

SHAPES = {"8 x 128": (8, 128), "1 x 16": (1, 16)}  # batch x tokens


# What runs in the contestants' processes. -----------------------------------------------------------------------------


def keras_contestant(task):
    from keras_tfm.models.bert import BertModel
    from keras_tfm.presets.io.load import load_model
    from keras_tfm.runtime.compiling import compiled

    yield keras_versions()
    model = load_model(BertModel, task["checkpoint"], dtype=task["dtype"])  # on a GPU where the backend sees one
    forward = compiled(model)
    yield model.weights[0].value.device, lambda shape: part(forward(inputs(*SHAPES[shape]))["last_hidden_state"])


def reference_contestant(task):
    import torch
    from transformers import BertModel

    yield reference_versions()
    model = BertModel.from_pretrained(task["checkpoint"], dtype=getattr(torch, task["dtype"])).eval()
    model = model.to("cuda" if task["device"] == "gpu" else "cpu")

    def forward(shape):
        with torch.inference_mode():
            tensors = {name: torch.from_numpy(x).to(model.device) for name, x in inputs(*SHAPES[shape]).items()}
            return part(model(**tensors).last_hidden_state.float().cpu().numpy())

    yield model.device, forward


def part(states):
    """As much of the hidden states as is compared."""
    return {"outputs": states[:, :4, :16].astype("float32").tolist()}


# What runs in the first process. --------------------------------------------------------------------------------------


def inputs(batch, length):
    """Random tokens; every other row has padding in its last quarter."""
    draw = np.random.default_rng(0)
    mask = np.ones((batch, length), "int32")
    mask[::2, length - length // 4 :] = 0
    ids = draw.integers(1, 30000, (batch, length)).astype("int32")
    return {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}


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


def measure(options, checkpoint):
    """Asks everything of everyone, in turns: versions, and {what: {contestant: [numbers]}}."""
    numbers, versions = {}, {}

    def note(what, name, value):
        numbers.setdefault(what, {}).setdefault(name, []).append(value)

    names = [*options.backends, REFERENCE]
    task = {"checkpoint": checkpoint, "dtype": options.dtype}
    for _ in range(options.loads):
        for name in names:
            process = Process(name, options, **task)
            loaded, answered = process.ask("load"), process.ask("1 x 16")
            process.close()
            note("load, s", name, loaded["seconds"])
            note("load, peak MiB", name, loaded["peak"])
            note("load and first answer, s", name, loaded["seconds"] + answered["seconds"])
            note("load and first answer, peak MiB", name, answered["peak"])

    processes = [Process(name, options, **task) for name in names]
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
        for name in names:
            note(f"difference {shape}", name, np.abs(outputs[name, shape] - outputs[REFERENCE, shape]).max())
    for process in processes:
        process.close()
    return versions, numbers


def report(options, versions, numbers):
    """The results as a Markdown table."""
    lines = heading(f"BERT-base, {options.dtype},", options, versions)
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


def benchmark(options):
    with tempfile.TemporaryDirectory() as checkpoint:
        write_checkpoint(checkpoint)
        return report(options, *measure(options, checkpoint))


if __name__ == "__main__":
    parser = parser(__doc__)
    parser.add_argument("--rounds", type=int, default=10, help="passes of 8 x 128 each (1 x 16: five times as many)")
    parser.add_argument("--loads", type=int, default=3)
    parser.add_argument("--dtype", choices=("float32", "bfloat16"), default="float32")
    run(parser, {"keras": keras_contestant, REFERENCE: reference_contestant}, benchmark)
