"""Makes the fixtures of tests/fixtures/models: runs the reference, Transformers 4.39.3, on the recipes.

    pip install transformers==4.39.3 torch "numpy<2"        (in a virtual environment of its own)
    python tests/oracle/make.py bert                        (or several, or none for all)

The few cases that name another version as their `reference` are made by running it in an environment with that one.

A fixture holds the configuration, the names and shapes of the tensors, the inputs and the expected outputs; the
weights are seeded from the tensors' names (seeded.py) on both sides.
"""

import base64
import copy
import importlib
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
import transformers
from safetensors import safe_open
from safetensors.torch import save_file
from seeded import weights

HERE = Path(__file__).parent


def main(architectures):
    for name in architectures or sorted(path.stem for path in (HERE / "recipes").glob("*.py")):
        for case in importlib.import_module(f"recipes.{name}").CASES:
            if not transformers.__version__.startswith(f"{case.reference}."):
                continue
            path = HERE.parent / "fixtures" / "models" / name / f"{case.name}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(record(case)) + "\n")
            print(f"{path.relative_to(HERE.parent)}: {path.stat().st_size / 1024:.0f} KB")


def record(case):
    """The fixture of one case: {config, classes: {name: {tensors, tied, calls}}}."""
    config, classes = None, {}
    for name in case.classes:
        torch.manual_seed(0)
        cls = getattr(transformers, name)
        with torch.no_grad():  # some fill their tables of waves in place
            model = cls(cls.config_class(**copy.deepcopy(case.config))).eval()  # some take it apart
        model, tensors, tied = seed(model, case.factors)
        config = config or model.config.to_diff_dict()  # the first one's: decoders alone say that they are such
        calls = [run(model, call) for call in case.calls(name)]
        classes[name] = {"tensors": tensors, "tied": tied, "calls": calls}
        if fixed := constants(model):
            classes[name]["constants"] = {tensor: packed(array) for tensor, array in fixed.items()}
    told = {"factors": case.factors} if case.factors else {}
    return {"model_type": model.config.model_type, "config": config, "classes": classes} | told


def seed(model, factors=()):
    """The model with its weights seeded, the shapes of the tensors that the reference saves, and {copy: original} of
    those that are tied."""
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        with safe_open(f"{folder}/model.safetensors", "pt") as file:
            tensors = {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118
        state = model.state_dict()
        if not set(tensors) <= set(state):  # what Transformers 5 stores by other names it reads by them, too
            seeded = {name: torch.from_numpy(weights(name, tuple(shape), factors)) for name, shape in tensors.items()}
            save_file(seeded, f"{folder}/model.safetensors", {"format": "pt"})
            return type(model).from_pretrained(folder).eval(), tensors, {}
    tied = {
        copy: name
        for copy in set(state) - set(tensors)
        for name in tensors
        if state[copy].data_ptr() == state[name].data_ptr()
    }
    tensors = {name: shape for name, shape in tensors.items() if name not in constants(model)}
    with torch.no_grad():
        for name, shape in tensors.items():
            state[name].copy_(torch.from_numpy(weights(name, tuple(shape), factors)))
    return model, tensors, dict(sorted(tied.items()))


def constants(model):
    """The whole numbers that the reference saves beside the weights, such as tables of places. They stay as they are.

    Counters are seeded, with 0."""
    whole = {name: array for name, array in model.state_dict().items() if not array.is_floating_point()}
    return {name: array for name, array in whole.items() if not name.endswith("num_batches_tracked")}


def run(model, call):
    inputs = {name: tensors_of(value) for name, value in call.inputs.items()}
    recorded = {"inputs": {name: noted(name, array) for name, array in call.inputs.items()}, "options": call.options}
    if "inputs_embeds" in inputs:
        inputs["input_ids"] = None  # FSMT insists on being told
    if call.real_tokens_only:
        recorded["real_tokens_only"] = True
    with torch.no_grad():
        if call.greedy:
            model.generation_config.eos_token_id = None  # on to the last token
            tokens = model.generate(**inputs, max_new_tokens=call.greedy, do_sample=False, num_beams=call.beams)
            prompt = 1 if model.config.is_encoder_decoder else inputs["input_ids"].shape[1]
            recorded["greedy"] = tokens[:, prompt:].tolist()
            recorded["num_beams"] = call.beams
        elif call.method:
            recorded["method"] = call.method
            recorded["outputs"] = {"logits": packed(getattr(model, call.method)(*inputs.values()))}
        elif call.labels or call.learns:
            labels = {name: torch.from_numpy(array) for name, array in call.labels.items()}
            recorded["labels"] = {name: packed(array) for name, array in labels.items()}
            given = {"labels": each_picture(labels)} if "boxes" in labels else labels
            recorded["loss"] = model(**inputs | given).loss.item()
        else:
            outputs = model(**inputs, **call.options)
            outputs = outputs if call.arrange is None else call.arrange(outputs)
            left_out = {"past_key_values", "loss"}
            if not {"last_hidden_state", "decoder_hidden_states"} & set(outputs):  # heads return predictions alone
                left_out.add("encoder_last_hidden_state")
            recorded["outputs"] = {k: packed(v) for k, v in outputs.items() if k not in left_out}
    return recorded


def each_picture(labels):
    """Labels of objects as the reference takes them: a dict for each picture, of the objects that are there."""
    there = labels["class_labels"] >= 0
    return [{name: array[i][row] for name, array in labels.items()} for i, row in enumerate(there)]


def tensors_of(value):
    """An array as a tensor, a list of them as a list."""
    return [tensors_of(each) for each in value] if isinstance(value, list) else torch.from_numpy(value)


def noted(name, array):
    """An input; what is seeded from its own name, by that."""
    if isinstance(array, list):
        return packed(array)
    if array.dtype == np.float32 and np.array_equal(array, weights(name, array.shape)):
        return {"seeded": name, "shape": array.shape}
    return packed(array)


def packed(value):
    """Arrays as {dtype, shape, base64 of the little-endian bytes}, tuples of them as lists, dicts as {"named": ..}."""
    if isinstance(value, dict):
        return {"named": {name: packed(v) for name, v in value.items()}}
    if isinstance(value, tuple | list):
        return [packed(v) for v in value]
    array = value.numpy() if isinstance(value, torch.Tensor) else np.asarray(value)
    array = array.astype({"f": "<f4", "i": "<i4", "b": "?"}[array.dtype.kind])
    return {"dtype": array.dtype.name, "shape": array.shape, "data": base64.b64encode(array.tobytes()).decode()}


if __name__ == "__main__":
    main(sys.argv[1:])
