"""Sentence embedding: one vector a text, pooled as the files of sentence-transformers say."""

import json

import numpy as np

from keras_tfm.pipelines.base import Pipeline, hub_options
from keras_tfm.pipelines.batching import first_row

POOLINGS = {
    "cls": lambda x: x[0],
    "max": lambda x: x.max(axis=0),
    "mean": lambda x: x.mean(axis=0),
    "mean_sqrt_len": lambda x: x.sum(axis=0) / len(x) ** 0.5,
}
STORED = {f"pooling_mode_{name}_tokens": name for name in ("mean", "max", "mean_sqrt_len")}
STORED["pooling_mode_cls_token"] = "cls"


class SentenceEmbeddingPipeline(Pipeline):
    """A text -> a float32 array (D,); a list of N texts -> (N, D).

    Options, by default as `modules.json` and the files that it names say:
        pooling: how token vectors become one: "cls", "max", "mean", "mean_sqrt_len" (the sum over the root of the
            length), or a list of these, one vector behind the other.
        normalize: whether to scale vectors to length 1.
        max_length: tokens beyond are cut. Default: what tokenizer and model have room for.
        lower: whether to lower-case texts before they are tokenized.

    Raises:
        ValueError: no `pooling`, given or stored; or a stored module that is not supported.
    """

    auto_class = "AutoModel"
    outputs = ("last_hidden_state",)

    def __init__(self, model, tokenizer, **options):
        super().__init__(model, tokenizer, **options)
        if not self.options.get("pooling"):
            raise ValueError(
                f"how to pool is not known, since there is no modules.json: pass pooling=, one of {', '.join(POOLINGS)}"
            )

    @classmethod
    def from_preset(cls, source, tokenizer=None, **options):
        from keras_tfm.presets.io.hub import open_preset

        stored = stored_options(open_preset(source, **hub_options(options)))
        return super().from_preset(source, tokenizer, **stored | options)

    def __call__(self, inputs, **options):
        results = super().__call__(inputs, **options)
        return np.stack(results) if isinstance(results, list) and results else results

    def preprocess(self, text, *, max_length=None, lower=False):
        if not isinstance(text, str):
            raise TypeError(f"an input is a text, not {text!r:.80}")
        text = text.strip().lower() if lower else text.strip()
        return [first_row(self.tokenize(text, truncation=True, max_length=max_length))]

    def postprocess(self, text, rows, *, pooling, normalize=False):
        modes = [pooling] if isinstance(pooling, str) else pooling
        if unknown := set(modes) - set(POOLINGS):
            raise ValueError(f"pooling {', '.join(sorted(unknown))} is unknown: use {', '.join(POOLINGS)}")
        vector = np.concatenate([POOLINGS[mode](rows[0]["last_hidden_state"]) for mode in modes])
        return vector / max(np.linalg.norm(vector), 1e-12) if normalize else vector


def stored_options(preset):
    """The options that sentence-transformers stored in a preset, {} if it did not."""
    path = preset.path("modules.json")
    if path is None:
        return {}
    try:
        modules = {module["type"].rpartition(".")[2]: module["path"] for module in json.loads(path.read_bytes())}
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(f"modules.json of {preset.name} is not a list of modules with type and path") from error
    if set(modules) - {"Normalize"} != {"Transformer", "Pooling"} or modules["Transformer"]:
        raise ValueError(
            f"modules.json of {preset.name} asks for {', '.join(modules)}; only a Transformer at its root, Pooling and "
            "Normalize are supported"
        )
    pooling = preset.json(f"{modules['Pooling']}/config.json") or {}
    stored = [name for name, value in pooling.items() if name.startswith("pooling_mode_") and value]
    if not stored or set(stored) - set(STORED):
        raise ValueError(
            f"pooling {', '.join(stored) or 'mode'} of {preset.name} is not supported, only {', '.join(POOLINGS)}"
        )
    transformer = preset.json("sentence_bert_config.json") or {}
    return {
        "pooling": [mode for mode in POOLINGS if mode in {STORED[name] for name in stored}],
        "normalize": "Normalize" in modules,
        "max_length": transformer.get("max_seq_length"),
        "lower": transformer.get("do_lower_case", False),
    }
