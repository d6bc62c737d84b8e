"""BARTpho: SentencePiece, of whose pieces dict.txt lists those in use."""

import sentencepiece
from tokenizer_recipe import DECOMPOSED, Case, train_sentencepiece

LEFT_OUT = ["the", "\u2581ca", "at", "an"]


def write(folder):
    path = folder / "sentencepiece.bpe.model"
    train_sentencepiece(path)
    processor = sentencepiece.SentencePieceProcessor(model_file=str(path))
    pieces = [processor.id_to_piece(index) for index in range(3, len(processor))]
    lines = [f"{piece} {number}\n" for number, piece in enumerate(sorted({*pieces} - {*LEFT_OUT}))]
    (folder / "dict.txt").write_text("".join(lines), encoding="utf-8")


CASES = {"bartpho": Case("BartphoTokenizer", None, write, ("bartpho",), texts=DECOMPOSED)}
