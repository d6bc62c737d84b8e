"""GPT-SW3's tokenizer: SentencePiece after control characters and unusual spaces are gone."""

import itertools

from tokenizers import Regex, normalizers

from keras_tfm.tokenizers.frames import bare_frame
from keras_tfm.tokenizers.sentencepiece import read_model, spaced_decoder
from keras_tfm.tokenizers.slow import Pieces, SlowTokenizer, slow_backend

UNPRINTABLE = "[\x00-\x08\x0b-\x1f\x7f-\x9f\xa0\xad\u200b]"
SPACES = "[\u2002\u2003\u2005\u2008-\u200a\u202f\u3000\ufffc]"
DECODER = spaced_decoder(strips=True)


class GPTSw3Tokenizer(SlowTokenizer):
    """SentencePiece without special tokens around."""

    vocab_files = ("spiece.model",)
    defaults = {
        "bos_token": "<s>",
        "eos_token": "<|endoftext|>",
        "unk_token": "<unk>",
        "pad_token": "<pad>",
        "clean_up_tokenization_spaces": False,
    }
    model_input_names = ("input_ids", "attention_mask")

    @classmethod
    def build(cls, files, config):
        model = read_model(files["spiece.model"])
        cleaning = [normalizers.Replace(Regex(UNPRINTABLE), ""), normalizers.Replace(Regex(SPACES), " ")]
        pieces = model.spaced_backend("always", before=[*cleaning, normalizers.NFC()])
        return slow_backend(pieces.get_vocab(), Pieces(pieces), bare_frame, config)

    def join(self, tokens):
        text = pending = ""
        for special, run in itertools.groupby(tokens, {*self.all_special_tokens}.__contains__):
            if special:
                text, pending = f"{text} {pending}{''.join(run)}", ""
            else:
                pending = DECODER.decode([*run])
        return text + pending

    join.__doc__ = SlowTokenizer.join.__doc__
