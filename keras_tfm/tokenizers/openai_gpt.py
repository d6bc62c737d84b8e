"""OpenAI GPT's tokenizer: BERT's words in lower case, then byte-pair encoding whose last symbol ends in </w>."""

from tokenizers import Tokenizer as Backend
from tokenizers import decoders, normalizers, pre_tokenizers

from keras_tfm.tokenizers.base import Tokenizer
from keras_tfm.tokenizers.files import read_pair_model


class OpenAIGPTTokenizer(Tokenizer):
    """BPE without special tokens around."""

    vocab_files = ("vocab.json", "merges.txt")
    defaults = {"unk_token": "<unk>"}
    model_input_names = ("input_ids", "attention_mask")

    @classmethod
    def build(cls, files, config):
        unknown = config["unk_token"]
        model = read_pair_model(*files.values(), unknown, unk_token=unknown, end_of_word_suffix="</w>")
        backend = Backend(model)
        backend.normalizer = normalizers.BertNormalizer(lowercase=True)
        backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        backend.decoder = decoders.BPEDecoder(suffix="</w>")
        return backend


OpenAIGPTTokenizerFast = OpenAIGPTTokenizer
