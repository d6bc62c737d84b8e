"""Greedy decoding beside Transformers on PyTorch, in one run: tokens a second after the first call, and that call.

    python benchmarks/generate.py --reference PYTHON [--markdown FILE]

PYTHON is the interpreter of an environment that has `transformers>=5` and `torch`; this script's own has keras_tfm and
the backends to measure. Each contestant is a process of its own, on the same cores, with the same checkpoint (random
weights, made anew); they take turns, so that whatever else the machine does meets all of them alike. A call gets a
prompt of 64 tokens a row and makes 64 more; its time includes the reading of the prompt. With few rows a step's time is
that of reading the weights, so their bytes times the steps a second are set beside what the machine reads at most.
int8 is ours alone (`model.quantize("int8")`), beside Transformers in float32.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
from contestants import REFERENCE, Process, heading, keras_versions, parser, reference_versions, run

PROMPT = NEW = 64  # tokens
BATCHES = (1, 8)
DTYPES = ("float32", "bfloat16", "int8")
MODELS = {
    "GPT-2 small": ("GPT2LMHeadModel", "GPT2Config", {}),
    "Llama 135M": (
        "LlamaForCausalLM",
        "LlamaConfig",
        {
            "vocab_size": 49152,
            "hidden_size": 576,
            "intermediate_size": 1536,
            "num_hidden_layers": 30,
            "num_attention_heads": 9,
            "num_key_value_heads": 3,
            "tie_word_embeddings": True,
        },
    ),
}


# What runs in the contestants' processes. -----------------------------------------------------------------------------


def keras_contestant(task):
    import keras

    import keras_tfm as kt

    yield keras_versions()
    quantized = task["dtype"] == "int8"
    cls = getattr(kt, task["class"])
    model = cls.from_preset(task["checkpoint"], dtype="float32" if quantized else task["dtype"])
    if quantized:
        model.quantize("int8")
    read = sum(keras.ops.convert_to_numpy(weight).nbytes for weight in model.weights if "position" not in weight.path)

    def generate(batch):
        texts = model.generate(prompts(int(batch)), max_new_tokens=NEW)
        return {"texts": texts.tolist(), "read": read}

    yield model.weights[0].value.device, generate


def reference_contestant(task):
    import torch
    import transformers

    yield reference_versions()
    cls, dtype = getattr(transformers, task["class"]), task["dtype"].replace("int8", "float32")
    model = cls.from_pretrained(task["checkpoint"], dtype=getattr(torch, dtype)).eval()
    model = model.to("cuda" if task["device"] == "gpu" else "cpu")
    read = sum(weight.nbytes for name, weight in model.named_parameters() if "wpe" not in name)  # tied ones are one
    numbers = torch.ones(2**28, device=model.device)  # 1 GiB

    def generate(command):
        if command == "bandwidth":
            start = time.perf_counter()
            numbers.sum().item()
            return {"bandwidth": numbers.nbytes / (time.perf_counter() - start)}
        with torch.inference_mode():
            ids = torch.from_numpy(prompts(int(command))).to(model.device)
            texts = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=NEW, do_sample=False)
            return {"texts": texts.tolist(), "read": read}

    yield model.device, generate


CONTESTANTS = {"keras": keras_contestant, REFERENCE: reference_contestant}


def prompts(rows):
    return np.random.default_rng(0).integers(1, 30000, (rows, PROMPT))


# What runs in the first process. --------------------------------------------------------------------------------------

WRITE = """
import sys, json, keras_tfm as kt
model, config, sizes, folder = sys.argv[1:]
endless = {"bos_token_id": None, "eos_token_id": None}  # no token ends a text
getattr(kt, model)(getattr(kt, config)(**json.loads(sizes), **endless)).save_preset(folder)
"""


def write_checkpoint(cls, config, sizes, folder):
    """Random weights, as the Hub has them."""
    subprocess.run([sys.executable, "-c", WRITE, cls, config, json.dumps(sizes), folder], check=True)


def measure(options, models):
    """Asks everything of everyone, in turns: versions, the table's rows, and how fast memory was read, in GB/s."""
    versions, rows, bandwidths = {}, [], []
    for model in options.models:
        with tempfile.TemporaryDirectory() as checkpoint:
            write_checkpoint(*models[model], checkpoint)
            for dtype in options.dtypes:
                task = {"class": models[model][0], "checkpoint": checkpoint, "dtype": dtype}
                processes = {name: Process(name, options, **task) for name in (*options.backends, REFERENCE)}
                for name, process in processes.items():
                    versions[name] = f"{process.versions}, on {process.ask('load')['device']}"
                for batch in options.batches:
                    first = {name: process.ask(str(batch)) for name, process in processes.items()}
                    seconds = {name: [] for name in processes}
                    for _ in range(options.rounds):
                        bandwidths.append(processes[REFERENCE].ask("bandwidth")["bandwidth"] / 1e9)
                        for name, process in processes.items():
                            seconds[name].append(process.ask(str(batch))["seconds"])
                    rows += [[model, dtype, batch, *row] for row in compared(first, seconds, batch)]
                for process in processes.values():
                    process.close()
    return versions, rows, bandwidths


def compared(first, seconds, batch):
    """For each contestant: tokens a second (least, median, most), times the reference's, GB/s of weights read, seconds
    of the first call, and how many of the new tokens come before the first that is not the reference's.

    Args:
        first: {contestant: what it answered at first}.
        seconds: {contestant: seconds of the later calls}.
    """
    middle = {name: statistics.median(values) for name, values in seconds.items()}
    wanted = np.array(first[REFERENCE]["texts"])
    for name, values in seconds.items():
        rates = (batch * NEW / x for x in (max(values), middle[name], min(values)))
        known = wanted.shape[1] - NEW  # the prompt, or with what the decoder begins
        same = np.cumprod(np.array(first[name]["texts"]) == wanted, axis=1).sum(axis=1).mean() - known
        yield (
            name,
            *(f"{rate:.1f}" for rate in rates),
            f"{middle[REFERENCE] / middle[name]:.2f}",
            f"{first[name]['read'] * NEW / middle[name] / 1e9:.1f}",
            f"{first[name]['seconds']:.1f}",
            f"{same:.0f}",
        )


def benchmark(options, models=MODELS, title=f"Greedy decoding, {NEW} tokens after {PROMPT},"):
    """The results as Markdown."""
    versions, rows, bandwidths = measure(options, models)
    lines = heading(title, options, versions)
    lines += [
        f"Memory is read at {statistics.median(bandwidths):.1f} GB/s (the sum of 1 GiB; median of {len(bandwidths)}).",
        "",
        "| model | dtype | batch | contestant | tok/s: min | median | max | / reference | weights, GB/s | first, s "
        "| same tokens |",
        "|---|---|--:|---|--:|--:|--:|--:|--:|--:|--:|",
        *(f"| {' | '.join(map(str, row))} |" for row in rows),
    ]
    return "\n".join(lines) + "\n"


def options(description, models=MODELS, dtypes=DTYPES):
    """The options of the benchmarks of generation."""
    options = parser(description)
    options.add_argument("--models", nargs="+", default=list(models), choices=models)
    options.add_argument("--dtypes", nargs="+", default=dtypes, choices=DTYPES)
    options.add_argument("--batches", nargs="+", type=int, default=BATCHES)
    options.add_argument("--rounds", type=int, default=7, help="calls of each contestant after its first")
    return options


if __name__ == "__main__":
    run(options(__doc__), CONTESTANTS, benchmark)
