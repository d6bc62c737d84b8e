"""Translation: an encoder-decoder says the same in another language."""

import warnings

from keras_tfm.pipelines import PAIR
from keras_tfm.pipelines.generating import most_tokens
from keras_tfm.pipelines.text2text_generation import Text2TextGenerationPipeline
from keras_tfm.tokenizers.translation import Languages


class TranslationPipeline(Text2TextGenerationPipeline):
    """A text -> a list of one dict for each translation, with `translation_text`; a list of texts -> a list of dicts.

    Models of one pair of languages need to be told nothing, those such as T5, whose configurations list tasks, the task
    (translation_en_to_fr), and those whose tokenizers know the languages (mBART, M2M100, NLLB) src_lang and tgt_lang.

    Options: as of `Text2TextGenerationPipeline`, where return_tensors gives `translation_token_ids`, and src_lang and
    tgt_lang, from which language into which (default: as the task's name says), as the tokenizer spells them.
    """

    task = "translation"
    made = "translation"

    def __init__(self, model, tokenizer, *, task=None, **options):
        task = task or self.task
        if task == "translation":
            listed = model.config.extra.get("task_specific_params") or ()
            task = next((name for name in listed if name.startswith("translation")), task)
            if task != "translation":
                warnings.warn(f"the task says no languages: taking {task}, the model's first", stacklevel=3)
        if pair := PAIR.fullmatch(task):
            options = {"src_lang": pair[1], "tgt_lang": pair[2]} | options
        super().__init__(model, tokenizer, task=task, **options)

    @classmethod
    def option_names(cls):
        return [*super().option_names(), "tgt_lang"]

    def preprocess(self, text, *, truncation=False, src_lang=None):
        """A text -> one row."""
        if not self.names_languages:
            return super().preprocess(text, truncation=truncation)
        with self.tokenizer.encoding("src_lang", src_lang):
            return self.row(text, "", truncation)

    def generation(self, rows, *, tgt_lang=None, **options):
        options = super().generation(rows, **options)
        if self.names_languages:
            token = self.tokenizer.known_token("tgt_lang", tgt_lang)
            options = {"forced_bos_token_id": self.tokenizer.convert_tokens_to_ids(token)} | options
        longest, most = max(len(row["input_ids"]) for row in rows), most_tokens(options)
        if longest > 0.9 * most:
            warnings.warn(
                f"the translation of a text of {longest} tokens may be cut at {most}: pass a larger max_length",
                stacklevel=2,
            )
        return options

    @property
    def names_languages(self):
        """Whether the tokenizer knows which languages texts are in."""
        return isinstance(self.tokenizer, Languages)
