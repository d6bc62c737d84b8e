"""Wav2Vec2's tokenizer, which HuBERT, WavLM, MMS and others use too: the letters that a model heard, frame by frame."""

import itertools
import json

from tokenizers import AddedToken

from keras_tfm.tokenizers.base import cleaned
from keras_tfm.tokenizers.files import read_text
from keras_tfm.tokenizers.frames import bare_frame
from keras_tfm.tokenizers.slow import SlowTokenizer, slow_backend


class CTCTokenizer(SlowTokenizer):
    """What tokenizers have in common whose ids a model predicts for every frame: equal ones in a row are one, and
    `pad_token` stands between two that are not (connectionist temporal classification)."""

    model_input_names = ("input_ids", "attention_mask")

    def _heard(self, token_ids, group_tokens, skip_special_tokens):
        """Ids of frames -> [{"char", "start_offset", "end_offset"}]: tokens with their frames, padding left out."""
        tokens, heard, start = self.convert_ids_to_tokens(token_ids, skip_special_tokens=skip_special_tokens), [], 0
        runs = itertools.groupby(tokens) if group_tokens else ((token, [token]) for token in tokens)
        for token, run in runs:
            end = start + len(list(run))
            if token != self.pad_token:
                heard.append({"char": token, "start_offset": start, "end_offset": end})
            start = end
        return heard

    def batch_decode(self, sequences, **options):
        """`decode` for every row: a list of texts, or with offsets a dict of lists."""
        rows = [self.decode(row, **options) for row in sequences]
        if not rows or isinstance(rows[0], str):
            return rows
        return {key: [row[key] for row in rows] for key in rows[0]}


class Wav2Vec2CTCTokenizer(CTCTokenizer):
    """Letters. Tokens of several letters are kept whole, and take the spaces around them.

    Options besides those of `Tokenizer`:
        word_delimiter_token: what stands for a space (default "|").
        replace_word_delimiter_char: what it becomes in decoded text (default " ").
        do_lower_case: the vocabulary is in capitals, texts are not (default False).
        target_lang: which of several languages the vocabulary is of, where vocab.json has one for each (MMS).
    """

    vocab_files = ("vocab.json",)
    defaults = {
        "bos_token": "<s>",
        "eos_token": "</s>",
        "unk_token": "<unk>",
        "pad_token": "<pad>",
        "word_delimiter_token": "|",
        "replace_word_delimiter_char": " ",
        "do_lower_case": False,
        "target_lang": None,
    }
    lower_case_option = "do_lower_case"

    @classmethod
    def build(cls, files, config):
        vocab, languages = read_vocabularies(files["vocab.json"])
        if languages:
            vocab = vocabulary_of(languages, config["target_lang"])
        return letters_backend(vocab, languages, config)

    @property
    def target_lang(self):
        """The language whose vocabulary is in use, None where there is only one."""
        return self.config["target_lang"]

    def set_target_lang(self, target_lang):
        """Use the vocabulary of another language. ValueError for a language that there is none of."""
        config = {**self.config, "target_lang": target_lang}
        languages = self.backend.languages
        if not languages:
            raise ValueError("the vocabulary is of one language: there is no other target_lang to set.")
        backend, paths = letters_backend(vocabulary_of(languages, target_lang), languages, config), self.vocab_paths
        config.pop("added_tokens_decoder", None)  # of the language before
        self.__init__(backend, **config)
        self.vocab_paths = paths

    @property
    def word_delimiter_token(self):
        """The token that stands for a space."""
        return self.config["word_delimiter_token"]

    @property
    def word_delimiter_token_id(self):
        """Its id."""
        return self.convert_tokens_to_ids(self.word_delimiter_token)

    def decode(
        self,
        token_ids,
        *,
        skip_special_tokens=False,
        clean_up_tokenization_spaces=None,
        group_tokens=True,
        spaces_between_special_tokens=False,
        output_char_offsets=False,
        output_word_offsets=False,
    ):
        """The text of the ids that a model predicts for frames.

        group_tokens: equal ids in a row are one; False for labels.
        spaces_between_special_tokens: put a space between all letters.
        output_char_offsets, output_word_offsets: return a dict of the "text" and of "char_offsets", [{"char",
            "start_offset", "end_offset"}] in frames, "word_offsets", the same with "word", or both. A frame lasts
            `inputs_to_logits_ratio` of the model's configuration / `sampling_rate` of the feature extractor seconds.

        ValueError for an id outside the vocabulary.
        """
        heard, space = self._heard(token_ids, group_tokens, skip_special_tokens), self.replace_word_delimiter_char
        for each in heard:
            each["char"] = space if each["char"] == self.word_delimiter_token else each["char"]
        text = (" " if spaces_between_special_tokens else "").join(each["char"] for each in heard).strip()
        text = text.lower() if self.config["do_lower_case"] else text
        output = {"text": cleaned(text) if self._cleans(clean_up_tokenization_spaces) else text}
        if output_char_offsets:
            output["char_offsets"] = heard
        if output_word_offsets:
            output["word_offsets"] = words_of(heard, space)
        return output if len(output) > 1 else output["text"]

    @property
    def replace_word_delimiter_char(self):
        """What `word_delimiter_token` becomes in decoded text."""
        return self.config["replace_word_delimiter_char"]

    def _encode(self, rows, paired, framed, truncation=None, limit=None, stride=0, words=False):
        if words:
            rows = spaced_words(rows)
        return super()._encode(rows, paired, framed, truncation, limit, stride, words)


class Letters:
    """Text -> its letters, with a token for the space."""

    def __init__(self, space, capitals):
        self.space, self.capitals = space, capitals

    def __call__(self, text):
        return list((text.upper() if self.capitals else text).replace(" ", self.space))


def letters_backend(vocab, languages, config):
    """The backend of a vocabulary; `languages` are all of them, {language: vocabulary}, or None."""
    letters = Letters(config["word_delimiter_token"], config["do_lower_case"])
    backend = slow_backend(vocab, letters, bare_frame, config)
    backend.add_tokens([AddedToken(t, lstrip=True, rstrip=True, normalized=False) for t in vocab if len(t) > 1])
    backend.languages = languages
    return backend


def read_vocabularies(path):
    """vocab.json -> {token: id} and None, or None and {language: {token: id}}; ValueError if it is damaged."""
    try:
        stored = json.loads(read_text(path))
        several = all(isinstance(each, dict) for each in stored.values())
        vocabularies = list(stored.values()) if several else [stored]
        good = vocabularies and all(type(index) is int for each in vocabularies for index in each.values())
    except (ValueError, AttributeError) as error:
        raise ValueError(f"{path} is damaged: {error}. Fetch it again.") from error
    if not good:
        raise ValueError(f"{path} is damaged: it maps no tokens to ids. Fetch it again.")
    return (None, stored) if several else (stored, None)


def vocabulary_of(languages, target_lang):
    if target_lang not in languages:
        known = ", ".join(list(languages)[:5])
        raise ValueError(f"target_lang={target_lang!r} is none of the vocabulary's languages: {known}, ... Set it.")
    return languages[target_lang]


def spaced_words(rows):
    """Lists of words, or pairs of such, each word with a space before it."""
    return [spaced_words(row) if isinstance(row, list | tuple) else f" {row}" for row in rows]


def words_of(heard, space):
    """[{"char", "start_offset", "end_offset"}] -> the same of the words between spaces, as "word"."""
    words = []
    for is_space, run in itertools.groupby(heard, lambda each: each["char"] == space):
        run = list(run)
        if not is_space:
            word = "".join(each["char"] for each in run)
            places = {"start_offset": run[0]["start_offset"], "end_offset": run[-1]["end_offset"]}
            words.append({"word": word, **places})
    return words


Wav2Vec2Tokenizer = Wav2Vec2CTCTokenizer
