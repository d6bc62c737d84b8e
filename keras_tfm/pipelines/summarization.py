"""Summarization: an encoder-decoder says in short what a text says."""

import warnings

from keras_tfm.pipelines.generating import most_tokens
from keras_tfm.pipelines.text2text_generation import Text2TextGenerationPipeline


class SummarizationPipeline(Text2TextGenerationPipeline):
    """A text -> a list of one dict for each summary, with `summary_text`; a list of texts -> a list of dicts.

    Options: as of `Text2TextGenerationPipeline`; return_tensors gives `summary_token_ids`.
    """

    task = "summarization"
    made = "summary"

    def generation(self, rows, **options):
        options = super().generation(rows, **options)
        shortest, most = min(len(row["input_ids"]) for row in rows), most_tokens(options)
        if shortest < most:
            warnings.warn(
                f"a text of {shortest} tokens may get a summary of {most}: pass max_length={shortest // 2}, say",
                stacklevel=2,
            )
        return options
