"""Text-to-text generation: an encoder-decoder answers one text with another."""

from keras_tfm.pipelines.batching import first_row
from keras_tfm.pipelines.generating import GeneratingPipeline


class Text2TextGenerationPipeline(GeneratingPipeline):
    """A text -> a list of one dict for each text that is generated (`num_return_sequences`), with `generated_text`. A
    list of texts gets a list of dicts, or, where each text gets several, of such lists.

    Options: truncation, whether to cut texts to the encoder's length (default False); clean_up_tokenization_spaces
    (default False); return_tensors, whether to return `generated_token_ids` instead, a NumPy array (T,) (default
    False); stop_sequence, a text whose first token ends the answer; and any of `generate`'s, such as max_length=60,
    num_beams=4, streamer. Where neither they nor the model say how long texts may become, they get 20 tokens.
    """

    task = "text2text-generation"
    auto_class = "AutoModelForSeq2SeqLM"
    made = "generated"  # what the keys of results begin with

    def __call__(self, inputs, **options):
        results = super().__call__(inputs, **options)
        if isinstance(inputs, list | tuple) and all(len(result) == 1 for result in results):
            return [result[0] for result in results]
        return results

    def preprocess(self, text, *, truncation=False):
        """A text -> one row."""
        return self.row(text, self.prefix, truncation)

    def row(self, text, prefix, truncation):
        if not isinstance(text, str):
            raise TypeError(f"{self.task} takes a text, or a list of them, not {text!r:.80}")
        return [first_row(self.tokenize(prefix + text, truncation=truncation))]

    def postprocess(self, text, rows, *, return_tensors=False, clean_up_tokenization_spaces=False):
        """The row -> what is returned of its texts."""
        if return_tensors:
            return [{f"{self.made}_token_ids": ids} for ids in rows[0]["generated"]]
        options = {"skip_special_tokens": True, "clean_up_tokenization_spaces": clean_up_tokenization_spaces}
        return [{f"{self.made}_text": self.tokenizer.decode(ids, **options)} for ids in rows[0]["generated"]]
