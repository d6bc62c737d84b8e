"""PhoBERT: byte-pair encoding of words, tokens that a word goes on after end in @@."""

from collections import Counter
from itertools import pairwise

from tokenizer_recipe import CORPUS, Case

VIETNAMESE = "Chúng_tôi là những nghiên_cứu_viên . Tôi là sinh_viên trường đại_học Công_nghệ ; nó học tiếng Việt ,"

TEXTS = {
    "vietnamese": VIETNAMESE,
    "vietnamese_decomposed": "Chu\u0301ng_to\u0302i la\u0300 sinh_vie\u0302n",
    "unseen": "ßtrange ωords ñot_ín_it ⟂ a⟂ ⟂a",
    "single_letters": "a b à ⟂ . ,",
    "line_ends": "sinh_viên\nlà\n\nsinh_viên\r\nlà \n a",
}


def learn_pairs(text, merges):
    """Byte-pair encoding of the words of a text: the words as symbols, and the pairs in the order they were merged."""
    words = Counter(text.split())
    symbols = {word: [*word[:-1], word[-1] + "</w>"] for word in words}
    pairs = []
    for _ in range(merges):
        counts = Counter()
        for word, parts in symbols.items():
            for pair in pairwise(parts):
                counts[pair] += words[word]
        best = max(counts, key=lambda pair: (counts[pair], pair))
        pairs.append((*best, counts[best]))
        for parts in symbols.values():
            for place in range(len(parts) - 2, -1, -1):
                if tuple(parts[place : place + 2]) == best:
                    parts[place : place + 2] = ["".join(best)]
    return symbols, pairs


def all_symbols(text, merges):
    """(symbols, pairs): the letters of a text, inside and at the end of words, and all that pairs make of them."""
    symbols, pairs = learn_pairs(text, merges)
    letters = {letter for word in symbols for letter in word}
    made = [left + right for left, right, _ in pairs]
    return [*sorted(letters), *sorted(letter + "</w>" for letter in letters), *made], pairs


def write_codes(folder, text, merges=250, but=""):
    """vocab.txt and bpe.codes as fairseq writes them, without the symbols that hold a letter of `but`."""
    symbols, pairs = all_symbols(text, merges)
    kept = [symbol for symbol in symbols if not {*symbol.removesuffix("</w>")} & {*but}]
    spelled = [symbol.removesuffix("</w>") if symbol.endswith("</w>") else f"{symbol}@@" for symbol in kept]
    vocab = dict.fromkeys(spelled)
    (folder / "vocab.txt").write_text("".join(f"{token} {len(vocab)}\n" for token in vocab), encoding="utf-8")
    (folder / "bpe.codes").write_text("".join(f"{a} {b} {n}\n" for a, b, n in pairs), encoding="utf-8")


CASES = {
    "phobert": Case(
        "PhobertTokenizer",
        None,
        lambda folder: write_codes(folder, f"{CORPUS} {VIETNAMESE} " * 2, but="ßñ"),
        texts=TEXTS,
    )
}
