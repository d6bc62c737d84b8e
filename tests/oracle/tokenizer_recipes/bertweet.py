"""BERTweet: PhoBERT's byte-pair encoding, of tweets as they are or normalised (which needs the package emoji)."""

from tokenizer_recipe import CORPUS, Case, Variant
from tokenizer_recipes.phobert import write_codes

TWEETS = """SC has first two presumptive cases of coronavirus , DHEC confirms HTTPURL via @USER :crying_face:
@USER I can't , can not , ai n't , does n't , I 'm , we 're , it 's , they 'll , he 'd , I 've ... 7 p.m. a.m.
:red_heart: :thumbs_up: :grinning_face: :fire: #Topic #it's_on - :-) :( <3 ;P ==> -> <-- 10:30 1/2 3.5 + % $"""

TEXTS = {
    "tweet": (
        "SC has first two presumptive cases of coronavirus, DHEC confirms https://t.co/p1I4ifB0Wz via "
        "@postandcourier \U0001f622"
    ),
    "faces": ":) :-( ;P :'( =D 8-) (: D: <3 >:( :-) ): :@ :| :\\ d8 x:)y",
    "emoji": (
        "\U0001f525\U0001f525 \u2764 \u2764\ufe0f \U0001f44d\U0001f3fd \U0001f469\u200d\U0001f4bb "
        "\U0001f1e9\U0001f1ea ok\U0001f600!"
    ),
    "links": (
        "http://a.b/c?d=(e)f) www.example.com/x, a.example.org. WWW.X.COM foo@bar.com http:/x x.y/ "
        "bit.ly/2(a(b)c) (see http://x.org/a_(b))."
    ),
    "users": "@User_1: hi @ @a@b.com .@x @@y \uff20z @\u00e9t\u00e9 mail me@home.example.org",
    "topics": "#tag #a #a-b' ##x #1 #\u0443\u0440\u0430 #it's_on # tag#tag #_",
    "contractions": (
        "I cannot go. He can't, won't, ain't, don't; I'm we're it's they'll he'd I've you\u2019re DON'T i'M "
        "d'accord 'tis can not"
    ),
    "hours": "at 7 p.m. or 8 p.m , 9 a.m. 10 a.m now p . m . x a . m . y 10:30 PM",
    "numbers": "1/2 3.5 -4,000 +1 555-123-4567 (555) 123 4567 +1 555.123.4567 1234567 2023-01-02 10-20-30 5- +6",
    "entities": (
        "&amp; &lt;3 &gt; &quot;x&quot; &#39; &#x41; &#128; &#150; &#129; &nosuch; &#99999999999; "
        "&#X41; & a&b; &eacute; &;"
    ),
    "half_a_character": "a &#xD800; b",
    "arrows": "a -> b --> c <- d <-- e ==> f <a> <b c> </d> <>",
    "long": "sooooo !!!!!!!! ????? ...... . . . \u2026 ------ =======)))))) ~~~~~~",
    "dashes": "well-known it's_x a--b 'quoted' rock-'n'-roll \u2018x\u2019 a_b __ -a- l\u2019\u00e9t\u00e9",
    "scripts": (
        "\u0928\u092e\u0938\u094d\u0924\u0947 \u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35 \u0645\u064e\u0631 "
        "e\u0301t\u00e9 \u2460\u2461 \u00b2 x\u00b2 \u216b a\u0301-b"
    ),
    "line_ends": "one\ntwo \n three\r\nfour",
}

CASES = {
    "bertweet": Case(
        "BertweetTokenizer",
        None,
        lambda folder: write_codes(folder, f"{CORPUS} {TWEETS} {TWEETS}", but="ßñ"),
        variants={"raw": Variant(), "normalised": Variant({"normalization": True})},
        texts=TEXTS,
    )
}
