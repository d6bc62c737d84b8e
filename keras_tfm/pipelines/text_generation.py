"""Text generation: a language model goes on with texts, or answers in conversations."""

import numpy as np

from keras_tfm.pipelines.batching import first_row
from keras_tfm.pipelines.generating import GeneratingPipeline

NEW_TOKENS = 256  # at most, where nobody says how many


class TextGenerationPipeline(GeneratingPipeline):
    """A text, or a conversation (a list of dicts with "role" and "content") -> a list of one dict for each text that is
    generated (`num_return_sequences`), with `generated_text`: the prompt and what goes on from it, as a text or as the
    conversation with the answer.

    Options: return_full_text, whether the prompt comes back, too (default True); prefix, a text before each prompt
    (default: as the model's configuration says); clean_up_tokenization_spaces (default False); stop_sequence, a text
    whose first token ends the answer; and any of `generate`'s, such as max_new_tokens=20, do_sample=True, streamer.
    Where neither they nor the model say how long texts may become, 256 tokens are new.
    """

    task = "text-generation"
    auto_class = "AutoModelForCausalLM"
    encoder_decoder = False
    shorten = "a shorter text"

    def __call__(self, inputs, *, batch_size=None, **options):
        """As of every pipeline; a list of messages is one input."""
        if isinstance(inputs, list | tuple) and inputs and isinstance(inputs[0], dict):
            return super().__call__([inputs], batch_size=batch_size, **options)[0]
        return super().__call__(inputs, batch_size=batch_size, **options)

    def preprocess(self, item, *, prefix=None):
        """A text or a conversation -> one row."""
        if isinstance(item, str):
            encoded = self.tokenizer((self.prefix if prefix is None else prefix) + item, padding=False)
        else:
            encoded = self.tokenizer.apply_chat_template(item, add_generation_prompt=True)
        row = first_row(encoded)
        if not len(row["input_ids"]):
            raise ValueError("a prompt has no tokens: give the model something to go on with")
        return [row]

    def generation(self, rows, **options):
        options = super().generation(rows, **options)
        config = options["generation_config"]
        if not {"max_new_tokens", "max_length"} & {*options, *config.changed}:
            width = max(len(row["input_ids"]) for row in rows)
            room = self.model.room or width + NEW_TOKENS
            options["max_new_tokens"] = max(1, min(NEW_TOKENS, room - width))
        return options

    def postprocess(self, item, rows, *, return_full_text=True, clean_up_tokenization_spaces=False):
        """The row -> what is returned of its texts."""
        options = {"skip_special_tokens": True, "clean_up_tokenization_spaces": clean_up_tokenization_spaces}
        prompt, results = rows[0]["input_ids"], []
        known = self.tokenizer.decode(prompt, **options)
        for new in rows[0]["generated"]:
            # With the prompt before them, since the first token may be decoded differently on its own.
            text = self.tokenizer.decode(np.concatenate([prompt, new]), **options)[len(known) :]
            if return_full_text:
                text = item + text if isinstance(item, str) else [*item, {"role": "assistant", "content": text}]
            results.append({"generated_text": text})
        return results
