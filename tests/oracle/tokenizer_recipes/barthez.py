"""BARThez: SentencePiece with the ids of its file, the last piece of which is the mask."""

from tokenizer_recipe import DECOMPOSED, Case, train_sentencepiece
from transformers.convert_slow_tokenizer import import_protobuf

OPTIONS = {"bos_id": 0, "pad_id": 1, "eos_id": 2, "unk_id": 3, "pad_piece": "<pad>"}


def write(folder):
    path = folder / "sentencepiece.bpe.model"
    train_sentencepiece(path, **OPTIONS)
    messages = import_protobuf()
    model = messages.ModelProto.FromString(path.read_bytes())
    model.pieces.add(piece="<mask>", score=0.0, type=messages.ModelProto.SentencePiece.CONTROL)
    path.write_bytes(model.SerializeToString())


CASES = {
    "barthez": Case("BarthezTokenizer", "BarthezTokenizerFast", write, ("barthez",), texts=DECOMPOSED),
}
