"""BertJapanese's tokenizer: words by a morphological analyser, then WordPiece, characters or SentencePiece."""

import unicodedata

from tokenizers import models

from keras_tfm.tokenizers.files import read_vocab
from keras_tfm.tokenizers.frames import bert_frame
from keras_tfm.tokenizers.japanese_words import WORDS
from keras_tfm.tokenizers.slow import SlowTokenizer, imported, slow_backend


class BertJapaneseTokenizer(SlowTokenizer):
    """Japanese words and their parts, with `[CLS] A [SEP]` and `[CLS] A [SEP] B [SEP]`.

    Options besides those of `Tokenizer`:
    `word_tokenizer_type`: "basic" (default; spaces and punctuation), "mecab" (package fugashi, with the dictionary
        ipadic, unidic_lite or unidic), "sudachi" (package sudachipy) or "jumanpp" (package rhoknp, program jumanpp).
    `mecab_kwargs`, `sudachi_kwargs`, `jumanpp_kwargs`: that one's options, `normalize_text` (default True: NFKC) and
        `mecab_dic` (default "ipadic"; None: as `mecab_option` says), `mecab_option`; `sudachi_split_mode` (default
        "A"), `sudachi_dict_type` (default "core"), `sudachi_config_path`, `sudachi_resource_dir`,
        `sudachi_projection`; for the last two analysers `trim_whitespace` (default False).
    `subword_tokenizer_type`: "wordpiece" (default), "character" or "sentencepiece" (package sentencepiece; the
        vocabulary is spiece.model).
    `do_word_tokenize`, `do_subword_tokenize` (default True), `do_lower_case` (default False), `never_split` (default
        None): words that stay as they are.

    ImportError where a package is missing.
    """

    defaults = {
        "unk_token": "[UNK]",
        "sep_token": "[SEP]",
        "pad_token": "[PAD]",
        "cls_token": "[CLS]",
        "mask_token": "[MASK]",
        "do_lower_case": False,
        "do_word_tokenize": True,
        "do_subword_tokenize": True,
        "word_tokenizer_type": "basic",
        "subword_tokenizer_type": "wordpiece",
        "never_split": None,
        "mecab_kwargs": None,
        "sudachi_kwargs": None,
        "jumanpp_kwargs": None,
    }
    lower_case_option = "do_lower_case"

    @classmethod
    def vocab_files_for(cls, config):
        return ("spiece.model",) if config["subword_tokenizer_type"] == "sentencepiece" else ("vocab.txt",)

    @classmethod
    def build(cls, files, config):
        (path,) = files.values()
        subwords = chosen(SUBWORDS, config, "subword_tokenizer_type")(path, config["unk_token"])
        config = {**config, "unk_token": subwords.unk_token}
        return slow_backend(subwords.vocab, JapaneseWords(subwords, config), bert_frame, config)

    def join(self, tokens):
        return self.backend.python.split.subwords.join(tokens)


class JapaneseWords:
    """Text -> the parts of its words."""

    def __init__(self, subwords, config):
        self.subwords, self.config = subwords, config
        kind = chosen(WORDS, config, "word_tokenizer_type")
        self.words = kind(config) if config["do_word_tokenize"] else lambda text: [text]

    def __call__(self, text):
        words = self.words(text)
        return [part for word in words for part in self.subwords(word)] if self.config["do_subword_tokenize"] else words

    def __reduce__(self):  # analysers cannot be copied
        return JapaneseWords, (self.subwords, self.config)


class WordPieces:
    """A word -> the longest pieces of vocab.txt from its beginning on."""

    def __init__(self, path, unk_token):
        self.vocab, self.unk_token = read_vocab(path, unk_token), unk_token
        self.model = models.WordPiece(self.vocab, unk_token=unk_token, max_input_chars_per_word=100)

    def __call__(self, word):
        return [token.value for part in word.split() for token in self.model.tokenize(part)]

    def join(self, tokens):
        return " ".join(tokens).replace(" ##", "").strip()


class Characters(WordPieces):
    """A word -> its characters."""

    def __call__(self, word):
        return [x if x in self.vocab else self.unk_token for x in unicodedata.normalize("NFKC", word)]


class SentencePieces:
    """A word -> its pieces by spiece.model; a comma after digits is a piece of its own."""

    def __init__(self, path, unk_token):
        package = imported("sentencepiece", "sentencepiece", "subword_tokenizer_type='sentencepiece'")
        try:
            self.model = package.SentencePieceProcessor(model_file=str(path))
        except RuntimeError as error:
            raise ValueError(f"{path} is damaged: {error}. Fetch it again.") from error
        self.vocab = {self.model.id_to_piece(index): index for index in range(len(self.model))}
        self.unk_token = self.model.id_to_piece(self.model.unk_id())

    def __call__(self, word):
        word = " ".join(word.split()).replace("``", '"').replace("''", '"')
        pieces = []
        for piece in self.model.encode(word, out_type=str):
            if piece[-1] == "," and piece[-2:-1].isdigit():
                number = self.model.encode(piece[:-1].replace("▁", ""), out_type=str)
                if piece[0] != "▁" and number[0][0] == "▁":
                    number[:1] = [number[0][1:]] if len(number[0]) > 1 else []
                pieces += [*number, ","]
            else:
                pieces.append(piece)
        return pieces

    def join(self, tokens):
        return self.model.decode(tokens)


SUBWORDS = {"wordpiece": WordPieces, "character": Characters, "sentencepiece": SentencePieces}


def chosen(kinds, config, option):
    """What `config` chooses of `kinds`; ValueError if it is unknown."""
    if config[option] not in kinds:
        raise ValueError(f"{option}={config[option]!r} is unknown: use one of {', '.join(map(repr, kinds))}.")
    return kinds[config[option]]
