"""ViT-B/16, Swin-T and ResNet-50 beside Transformers on PyTorch, in one run: forward passes and training steps.

    python benchmarks/vision.py --reference PYTHON [--models vit resnet] [--dtypes float32] [--markdown FILE]

PYTHON is the interpreter of an environment that has `transformers>=5` and `torch`; this script's own has keras_tfm and
the backends to measure. Each contestant is a process of its own, on the same cores, with the same checkpoint (random
weights, made anew) and the same pictures of 224 x 224; they take turns, so that whatever else the machine does meets
all of them alike. Forward passes go from NumPy arrays to NumPy arrays. A training step is one of AdamW, with all
weights and all of the optimizer's numbers of the type that is measured.
"""

import statistics
import subprocess
import sys
import tempfile

import numpy as np
from contestants import REFERENCE, Process, heading, keras_versions, parser, reference_versions, run

MODELS = {"vit": ("ViT-B/16", "ViT"), "swin": ("Swin-T", "Swin"), "resnet": ("ResNet-50", "ResNet")}
LABELS = 1000


# What runs in the contestants' processes. -----------------------------------------------------------------------------


def keras_contestant(task):
    import keras

    import keras_tfm as kt
    from keras_tfm.runtime.compiling import compiled

    yield keras_versions()
    model = kt.AutoModelForImageClassification.from_preset(task["checkpoint"], dtype=task["dtype"])
    model.compile(keras.optimizers.AdamW(1e-6))
    forward = compiled(model)

    def act(what, batch):
        if what == "training step":
            return {"loss": float(model.train_on_batch({"pixel_values": pictures(batch)}, labels(batch)))}
        return part(forward({"pixel_values": pictures(batch)}))

    yield model.weights[0].value.device, commands(act)


def reference_contestant(task):
    import torch
    from transformers import AutoModelForImageClassification

    yield reference_versions()
    dtype = getattr(torch, task["dtype"])
    model = AutoModelForImageClassification.from_pretrained(task["checkpoint"], dtype=dtype)
    model = model.to("cuda" if task["device"] == "gpu" else "cpu").eval()
    optimizer = torch.optim.AdamW(model.parameters(), 1e-6)

    def tensors(batch):
        return torch.from_numpy(pictures(batch)).to(model.device, dtype)

    def act(what, batch):
        if what == "training step":
            loss = model.train()(tensors(batch), labels=torch.from_numpy(labels(batch)).to(model.device)).loss
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            return {"loss": loss.item()}
        with torch.inference_mode():
            return part(model.eval()(tensors(batch)).logits.float().cpu().numpy())

    yield model.device, commands(act)


def commands(act):
    """The function of a command such as "forward 8"."""

    def obey(command):
        what, _, batch = command.rpartition(" ")
        return act(what, int(batch))

    return obey


def part(logits):
    """As much of the logits as is compared."""
    return {"outputs": logits[:, :32].astype("float32").tolist()}


def pictures(batch):
    return np.random.default_rng(0).standard_normal((batch, 3, 224, 224), "float32")


def labels(batch):
    return np.random.default_rng(1).integers(0, LABELS, batch)


# What runs in the first process. --------------------------------------------------------------------------------------


WRITE = """
import sys, keras, keras_tfm as kt
name, labels, folder = sys.argv[1:]
cls = getattr(kt, f"{name}ForImageClassification")
model = cls(cls.config_class.from_dict({}, num_labels=int(labels)))  # whose defaults are those models
for seed, weight in enumerate(model.weights):  # biases and norms, too
    if weight.dtype == "float32":
        weight.assign(weight + keras.random.normal(weight.shape, stddev=0.02, seed=seed))
model.save_preset(folder)
"""


def write_checkpoint(name, folder):
    """A model with random weights, as the Hub has it; written by a process whose memory nobody measures."""
    subprocess.run([sys.executable, "-c", WRITE, name, str(LABELS), folder], check=True, stderr=subprocess.DEVNULL)


def measure(options, checkpoint, dtype):
    """Asks everything of everyone, in turns: versions, {what: {contestant: [ms]}}, {what: {contestant: difference}}."""
    names = [*options.backends, REFERENCE]
    processes = [Process(name, options, checkpoint=checkpoint, dtype=dtype) for name in names]
    versions = {p.name: f"{p.versions}, on {p.ask('load')['device']}" for p in processes}
    wanted = [f"forward {batch}" for batch in options.batches]
    wanted += [f"training step {options.train}"] if options.train else []
    times, differences = {}, {}
    for what in wanted:
        answers = {}
        for process in processes:
            for _ in range(3):  # compiles, records, warms up
                answers[process.name] = process.ask(what)
        if "outputs" in answers[REFERENCE]:
            outputs = {name: np.array(answer["outputs"]) for name, answer in answers.items()}
            scale = np.abs(outputs[REFERENCE]).max()
            gaps = {name: np.abs(outputs[name] - outputs[REFERENCE]).max() / scale for name in options.backends}
            differences[what] = gaps
        times[what] = {name: [] for name in names}
        for _ in range(options.rounds * (5 if what == "forward 1" else 1)):
            for process in processes:
                times[what][process.name].append(process.ask(what)["seconds"] * 1000)
    for process in processes:
        process.close()
    return versions, times, differences


def report(options, results):
    """The results, {(model, dtype): what was measured}, as Markdown."""
    lines = heading("Pictures", options, next(iter(results.values()))[0])
    lines += ["| model | what | contestant | min, ms | median | max | median / reference |"]
    lines += ["|---|---|---|--:|--:|--:|--:|"]
    for (model, dtype), (_, times, _) in results.items():
        for what, values in times.items():
            reference = statistics.median(values[REFERENCE])
            for name, seconds in values.items():
                middle = statistics.median(seconds)
                cells = " | ".join(f"{value:.0f}" for value in (min(seconds), middle, max(seconds)))
                lines.append(f"| {model}, {dtype} | {what} | {name} | {cells} | {middle / reference:.2f} |")
    lines += ["", "Largest difference of a logit from the reference's, as a part of the largest logit:", ""]
    for (model, dtype), (_, _, differences) in results.items():
        for what, gaps in differences.items():
            told = ", ".join(f"{name} {gap:.1e}" for name, gap in gaps.items())
            lines.append(f"- {model}, {dtype}, {what}: {told}")
    return "\n".join(lines) + "\n"


def benchmark(options):
    results = {}
    for model in options.models:
        title, name = MODELS[model]
        with tempfile.TemporaryDirectory() as checkpoint:
            write_checkpoint(name, checkpoint)
            for dtype in options.dtypes:
                results[title, dtype] = measure(options, checkpoint, dtype)
    return report(options, results)


if __name__ == "__main__":
    parser = parser(__doc__)
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--dtypes", nargs="+", choices=("float32", "bfloat16"), default=["float32", "bfloat16"])
    parser.add_argument("--batches", nargs="+", type=int, default=[1, 8], help="pictures of a forward pass")
    parser.add_argument("--train", type=int, default=8, help="pictures of a training step, 0 for none. Default 8")
    parser.add_argument("--rounds", type=int, default=10, help="passes and steps each (of one picture: five times)")
    run(parser, {"keras": keras_contestant, REFERENCE: reference_contestant}, benchmark)
