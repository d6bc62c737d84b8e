"""Text generation: a language model goes on with texts, or answers in conversations."""

import dataclasses

import numpy as np

from keras_tfm.generation.config import GenerationConfig
from keras_tfm.pipelines.base import Pipeline

NEW_TOKENS = 256  # at most, where nobody says how many
CALL = ("logits_processor", "stopping_criteria", "prefix_allowed_tokens_fn", "streamer", "seed")


class TextGenerationPipeline(Pipeline):
    """A text, or a conversation (a list of dicts with "role" and "content") -> a list of one dict for each text that is
    generated (`num_return_sequences`), with `generated_text`: the prompt and what goes on from it, as a text or as the
    conversation with the answer.

    Options: return_full_text, whether the prompt comes back, too (default True); prefix, a text before each prompt;
    clean_up_tokenization_spaces (default False); and any of `generate`'s, such as max_new_tokens=20, do_sample=True,
    streamer. Where neither they nor the model's generation_config say how long texts may become, 256 tokens are new.
    """

    auto_class = "AutoModelForCausalLM"

    @classmethod
    def option_names(cls):
        return [*super().option_names(), *CALL, *(field.name for field in dataclasses.fields(GenerationConfig))]

    def split_options(self, options):
        own = super().option_names()
        known, generate = ({k: v for k, v in options.items() if (k in own) == mine} for mine in (True, False))
        if unknown := set(generate) - set(self.option_names()):
            GenerationConfig().updated(**{name: generate[name] for name in unknown})  # says what they are close to
        return [*super().split_options(known), generate]

    def __call__(self, inputs, *, batch_size=None, **options):
        """As of every pipeline; a list of messages is one input."""
        if isinstance(inputs, list | tuple) and inputs and isinstance(inputs[0], dict):
            return super().__call__([inputs], batch_size=batch_size, **options)[0]
        return super().__call__(inputs, batch_size=batch_size, **options)

    def preprocess(self, item, *, prefix=""):
        """A text or a conversation -> the ids (T,)."""
        if isinstance(item, str):
            ids = self.tokenizer(prefix + item, padding=False)["input_ids"][0]
        else:
            ids = self.tokenizer.apply_chat_template(item, add_generation_prompt=True)["input_ids"][0]
        if not len(ids):
            raise ValueError("a prompt has no tokens: give the model something to go on with")
        return ids

    def postprocess(self, item, rows, *, return_full_text=True, clean_up_tokenization_spaces=False):
        """The new tokens of each text -> what is returned of them."""
        options = {"skip_special_tokens": True, "clean_up_tokenization_spaces": clean_up_tokenization_spaces}
        results = []
        for prompt, new in rows:
            # With the prompt before them, since the first token may be decoded differently on its own.
            known = self.tokenizer.decode(prompt, **options)
            text = self.tokenizer.decode(np.concatenate([prompt, new]), **options)[len(known) :]
            if return_full_text:
                text = item + text if isinstance(item, str) else [*item, {"role": "assistant", "content": text}]
            results.append({"generated_text": text})
        return results

    def _results(self, items, batch_size, before, after, generate, progress):
        """The results of some inputs, in their order. The longest are run first."""
        prompts = [self.preprocess(item, **before) for item in items]
        order = sorted(range(len(items)), key=lambda i: -len(prompts[i]))
        results = [None] * len(items)
        for start in range(0, len(items), batch_size):
            batch = order[start : start + batch_size]
            for i, rows in zip(batch, self._generate([prompts[i] for i in batch], generate), strict=True):
                results[i] = self.postprocess(items[i], rows, **after)
                progress.update()
        return results

    def _generate(self, prompts, options):
        """Prompts (T,) -> for each the pairs of it and of new tokens, without the padding behind the end."""
        width = max(map(len, prompts))
        ids = np.array([np.pad(prompt, (width - len(prompt), 0)) for prompt in prompts])
        mask = np.array([[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts])
        config = self.model.generation_config
        if not {"max_new_tokens", "max_length"} & {*options, *config.changed}:
            room = self.model.room or width + NEW_TOKENS
            options = options | {"max_new_tokens": max(1, min(NEW_TOKENS, room - width))}
        if "stop_strings" in options:
            options = options | {"tokenizer": self.tokenizer}
        sequences = self.model.generate({"input_ids": ids, "attention_mask": mask}, **options)
        count = len(sequences) // len(prompts)
        return [
            [(prompt, new) for new in sequences[i * count : (i + 1) * count, width:]]
            for i, prompt in enumerate(prompts)
        ]
