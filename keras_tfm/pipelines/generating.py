"""What the tasks share whose models write texts."""

import warnings

import numpy as np

from keras_tfm.generation.config import DEFAULTS, GenerationConfig
from keras_tfm.generation.prompt import end_tokens
from keras_tfm.pipelines.base import Pipeline
from keras_tfm.tokenizers.batch import pad_rows

OPTIONS = ("generation_config", "assistant_model", "logits_processor", "stopping_criteria", "prefix_allowed_tokens_fn")
OPTIONS += ("streamer", "seed", "stop_sequence", *DEFAULTS)


class GeneratingPipeline(Pipeline):
    """A task whose model goes on with the rows, or with what its decoder starts with. Each row gets `generated`, the
    ids (N, T) of N texts (`num_return_sequences`): of a decoder alone those that are new.

    What the model's configuration says of the task, in `task_specific_params`, counts: options of `generate`, which are
    the defaults of calls, and a `prefix` for texts.

    Options of all these tasks: any of `generate`'s, and stop_sequence, a text whose first token ends texts.
    """

    encoder_decoder = True

    def __init__(self, model, tokenizer, **options):
        needed, prefix = ("an encoder-decoder", "decoder_") if self.encoder_decoder else ("a decoder", "")
        if getattr(model, "decoder_prefix", None) != prefix:
            raise ValueError(f"{self.task} needs {needed} with a language model's head, not {type(model).__name__}")
        super().__init__(model, tokenizer, **options)

    @classmethod
    def option_names(cls):
        return [*super().option_names(), *OPTIONS]

    def split_options(self, options):
        """Options -> those of `preprocess`, those of `postprocess` and those of `generation`."""
        own = super().option_names()
        known, others = ({k: v for k, v in options.items() if (k in own) == mine} for mine in (True, False))
        if unknown := set(others) - set(self.option_names()):
            GenerationConfig().updated(**{name: others[name] for name in unknown})  # says what they are close to
        return [*super().split_options(known), others]

    @property
    def task_params(self):
        """What the model's configuration says of the task."""
        return (self.model.config.extra.get("task_specific_params") or {}).get(self.task, {})

    @property
    def prefix(self):
        """What the model's configuration has put before each text."""
        return self.task_params.get("prefix", self.model.config.extra.get("prefix")) or ""

    def generation(self, rows, *, stop_sequence=None, **options):
        """The options of a call, for these rows -> those of `generate`."""
        if stop_sequence is not None:
            tokens = self.tokenizer.encode(stop_sequence, add_special_tokens=False)
            if not tokens:
                raise ValueError("stop_sequence has no tokens: leave it out, or give it some")
            if len(tokens) > 1:
                warnings.warn("the first token of stop_sequence ends texts: stop_strings takes more", stacklevel=2)
            options["eos_token_id"] = tokens[0]
        if "generation_config" not in options:
            said = {name: value for name, value in self.task_params.items() if name in DEFAULTS}
            options["generation_config"] = self.model.generation_config.updated(**said)
        if options["generation_config"].pad_token_id is None:
            options = {"pad_token_id": self.tokenizer.pad_token_id} | options
        return options | {"tokenizer": self.tokenizer, "return_dict_in_generate": False}

    def model_outputs(self, rows, batch_size, options):
        sources = [row["input_ids"] for row in rows]
        width, side = max(map(len, sources)), "right" if self.encoder_decoder else "left"
        inputs = {
            "input_ids": pad_rows(sources, width, self.tokenizer.pad_token_id or 0, side),
            "attention_mask": pad_rows([np.ones_like(ids) for ids in sources], width, 0, side),
        }
        options = self.generation(rows, **options)
        texts = self.model.generate(inputs, **options)
        texts = texts.reshape(len(rows), -1, texts.shape[1])[:, :, 0 if self.encoder_decoder else width :]
        ends, first = end_tokens(effective(options)), int(self.encoder_decoder)
        return [{"generated": until_the_end(its_texts, ends, first)} for its_texts in texts]


def effective(options):
    """The `GenerationConfig` that `generate` makes of its options."""
    return options["generation_config"].updated(**{name: options[name] for name in DEFAULTS if name in options})


def most_tokens(options):
    """How long texts may become with these options of `generate`."""
    config = effective(options)
    return config.max_length if config.max_new_tokens is None else config.max_new_tokens


def until_the_end(texts, ends, start):
    """Texts (N, T) without the padding that follows when all have ended, which they do from their token `start` on."""
    ended = np.isin(texts[:, start:], ends)
    lengths = np.where(ended.any(1), start + ended.argmax(1) + 1, texts.shape[1])
    return texts[:, : lengths.max()]
