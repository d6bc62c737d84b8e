"""BERTweet's tokenizer: PhoBERT's, after tweets are normalised as the model's were."""

import html.entities
import re
import warnings

from keras_tfm.tokenizers.phobert import PhobertTokenizer, WordPairs
from keras_tfm.tokenizers.slow import imported

CASUAL = {"’": "'", "…": "..."}
LINK_END = r"\([^\s()]*?\([^\s()]+\)[^\s()]*?\) | \([^\s]+?\)"  # brackets in pairs, at most one pair in another
WORD = rf"""
    (?: https? : (?: /{{1,3}} | [a-z0-9%] ) | [a-z0-9.\-]+ [.] [a-z]{{2,13}} / )         # a link: its beginning,
        (?: [^\s()<>{{}}\[\]]+ | {LINK_END} )+
        (?: {LINK_END} | [^\s`!()\[\]{{}};:'".,<>?«»“”‘’] )                              # and no punctuation at its end
  | (?<!@) [a-z0-9]+ (?: [.\-] [a-z0-9]+ )* [.] [a-z]{{2,13}} \b /? (?!@)                # a bare domain
  | (?: \+? [01] [ *\-.)]* )? (?: \(? \d{{3}} [ *\-.)]* )? \d{{3}} [ *\-.)]* \d{{4}}     # a telephone number
  | [<>]? [:;=8] [\-o*']? [)\](\[dDpP/:}}{{@|\\] | [)\](\[dDpP/:}}{{@|\\] [\-o*']? [:;=8] [<>]? | <3   # a face, a heart
  | < [^>\s]+ >                                                                          # a tag
  | -+ > | < -+                                                                          # an arrow
  | @ \w+ | \#+ \w+ [\w'\-]* \w+                                                         # a user, a topic
  | [\w.+\-]+ @ [\w\-]+ \. (?: [\w\-] \.? )+ [\w\-]                                      # an address
  | [^\W\d_] (?: [^\W\d_] | ['\-_] )+ [^\W\d_]                                           # a word, with ' or - inside
  | [+\-]? \d+ [,/.:\-] \d+ [+\-]?                                                       # a fraction, a date
  | \w+
  | \. (?: \s* \. )+
  | \S
"""
CONTRACTIONS = [
    ("cannot ", "can not "),
    ("n't ", " n't "),
    ("n 't ", " n't "),
    ("ca n't", "can't"),
    ("ai n't", "ain't"),
]
CONTRACTIONS += [(f"'{end} ", f" '{end} ") for end in ("m", "re", "s", "ll", "d", "ve")]
CONTRACTIONS += [(" p . m .", "  p.m."), (" p . m ", " p.m "), (" a . m .", " a.m."), (" a . m ", " a.m ")]


class BertweetTokenizer(PhobertTokenizer):
    """BPE as PhoBERT's, with `<s> A </s>` and `<s> A </s></s> B </s>`.

    `normalization=True` (default False) takes raw tweets: words are told from punctuation, users become @USER and
    links HTTPURL, which needs the package regex, and emoji become their names (":smiling_face:") where the package
    emoji is installed.
    """

    defaults = {**PhobertTokenizer.defaults, "normalization": False}

    @classmethod
    def splitter(cls, pairs, config):
        return TweetPairs(pairs) if config["normalization"] else WordPairs(pairs)


class TweetPairs(WordPairs):
    """A raw tweet -> the symbols of its words."""

    def __init__(self, pairs):
        super().__init__(pairs)
        regex = imported("regex", "regex", "BertweetTokenizer with normalization=True")
        self.words = regex.compile(WORD, regex.VERBOSE | regex.IGNORECASE)
        try:
            from emoji import demojize
        except ImportError:
            warnings.warn("without the package emoji, emoji are not spelled out: pip install emoji", stacklevel=2)
            demojize = str
        self.demojize = demojize

    def __call__(self, tweet):
        for fancy, plain in CASUAL.items():
            tweet = tweet.replace(fancy, plain)
        tweet = re.sub(r"([^a-zA-Z0-9])\1{3,}", r"\1\1\1", ENTITY.sub(unescaped, tweet))
        tweet = " ".join(self.normal(word) for word in self.words.findall(tweet))
        for joined, apart in CONTRACTIONS:
            tweet = tweet.replace(joined, apart)
        return super().__call__(" ".join(tweet.split()))

    def normal(self, word):
        if word.startswith("@"):
            return "@USER"
        if word.lower().startswith(("http", "www")):
            return "HTTPURL"
        return CASUAL.get(word, self.demojize(word)) if len(word) == 1 else word


ENTITY = re.compile(r"&(#?(x?))([^&;\s]+);")


def unescaped(entity):
    """An HTML entity as its character, "" if there is none; numbers from 128 to 159 are Windows's."""
    numeric, hexadecimal, body = entity.groups()
    try:
        number = int(body, 16 if hexadecimal else 10) if numeric else html.entities.name2codepoint[body]
        if numeric and 0x80 <= number < 0xA0:
            return bytes([number]).decode("cp1252")
        return "\ufffd" if 0xD800 <= number < 0xE000 else chr(number)  # half a character is unknown anyway
    except (KeyError, ValueError, OverflowError):
        return ""
