"""Makes tests/fixtures/audio_tokenizers.json: what the reference's tokenizers make of what audio models predict, and
its joint processors of sounds with texts. Encoding is recorded by make_tokenizer_families.py.

    python tests/oracle/make_audio_tokenizers.py
"""

import base64
import json
import tempfile
import warnings
from pathlib import Path

import numpy as np
import phonemes
import transformers
from seeded import integers
from sound_recipe import sounds, summary
from tokenizer_recipe import TEXTS
from transformers.models.speecht5.number_normalizer import EnglishNumberNormalizer
from transformers.models.whisper.english_normalizer import BasicTextNormalizer, EnglishTextNormalizer

FIXTURES = Path(__file__).parents[1] / "fixtures"
FAMILIES = FIXTURES / "tokenizers" / "families"
ROOT = tempfile.TemporaryDirectory()
SPELLINGS = {"colour": "color", "theatre": "theater", "organised": "organized"}

# ---------------------------------------------------------------------- letters and phonemes of frames

SPOKEN = ["HHEE<pad>LLL<pad>L|||OO|", "||<pad>|TTH<pad>E||C<pad>AT'S<s>  S<unk>A|AT</s>", "<pad><pad>|", "", "'T | 'S"]


def frames(tokenizer, spelled):
    """Ids of tokens of one letter, or between < and >."""
    ids, place = [], 0
    while place < len(spelled):
        end = spelled.index(">", place) + 1 if spelled[place] == "<" else place + 1
        ids.append(tokenizer.convert_tokens_to_ids(spelled[place:end]))
        place = end
    return ids


CTC_OPTIONS = [
    {},
    {"group_tokens": False},
    {"skip_special_tokens": True},
    {"spaces_between_special_tokens": True},
    {"clean_up_tokenization_spaces": False},
    {"output_char_offsets": True},
    {"output_word_offsets": True},
    {"output_char_offsets": True, "output_word_offsets": True, "skip_special_tokens": True},
]


def letters():
    made = []
    for family, options in (("wav2vec2", {}), ("wav2vec2", {"do_lower_case": True}), ("mms", {"target_lang": "eng"})):
        tokenizer = load(family, transformers.Wav2Vec2CTCTokenizer, **options)
        rows = [frames(tokenizer, text.lower() if family == "mms" else text) for text in SPOKEN]
        calls = [
            {"ids": ids, "options": each, "output": plain(tokenizer.decode(ids, **each))}
            for ids in rows
            for each in CTC_OPTIONS
            if ids or "spaces" not in str(each)
        ]
        batch = plain(tokenizer.batch_decode(rows[:2], output_word_offsets=True))
        made.append({"family": family, "options": options, "calls": calls, "batch": [rows[:2], batch]})
    several = load("mms", transformers.Wav2Vec2CTCTokenizer, target_lang="eng")
    several.set_target_lang("deu")
    ids = several("die straße schsch")["input_ids"]
    return {"decoded": made, "switched": {"ids": ids, "text": several.decode(ids, group_tokens=False)}}


PHONEMES = "n s t ə l a i k d m ɛ e ɪ p o z ð f j v b ɹ ʁ ʊ iː r w ʌ u ɡ æ aɪ ʃ h ɔ ɑː y | ŋ c"
PHONEME_VOCAB = ["<pad>", "<s>", "</s>", "<unk>", *PHONEMES.split()]
PHONEME_IDS = [[4, 4, 0, 4, 5, 5, 41, 41, 6, 3, 7], [0, 41, 0], [1, 9, 10, 2], [12]]
PHONEME_OPTIONS = [
    {},
    {"group_tokens": False},
    {"filter_word_delimiter_token": False},
    {"output_char_offsets": True},
    {"output_char_offsets": True, "filter_word_delimiter_token": False},
    {"skip_special_tokens": True, "output_char_offsets": True},
]
PHONEME_CALLS = [
    {"text": ["Hello world", "the Cat,  sat on"]},
    {"text": ["Hello world"], "phonemizer_lang": "fr"},
    {"text": ["ð ə | k æ t", " l  a "], "do_phonemize": False},
]


def phoneme_tokens():
    made = []
    for delimiter in (None, "|"):
        options = {"word_delimiter_token": delimiter}
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "vocab.json"
            path.write_text(json.dumps({token: i for i, token in enumerate(PHONEME_VOCAB)}))

            def make(path=path, options=options):
                return transformers.Wav2Vec2PhonemeCTCTokenizer(str(path), **options)

            calls = [{"call": call, "ids": make()(**call)["input_ids"]} for call in PHONEME_CALLS]
            decoded = [
                {"ids": ids, "options": each, "output": plain(make().decode(ids, **each))}
                for ids in PHONEME_IDS
                for each in PHONEME_OPTIONS
            ]
            batch = plain(make().batch_decode(PHONEME_IDS, output_char_offsets=True))
            made.append({"options": options, "calls": calls, "decoded": decoded, "batch": batch})
    return {"vocab": PHONEME_VOCAB, "tokenizers": made}


# ---------------------------------------------------------------------- Whisper

END, START, ENGLISH, CHINESE, TRANSCRIBE, PREVIOUS, UNTIMED = (
    *("<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|zh|>", "<|transcribe|>", "<|startofprev|>"),
    "<|notimestamps|>",
)


class Whisper:
    """Ids of a transcript written as a list of special tokens, texts, and numbers for times."""

    def __init__(self, tokenizer):
        self.tokenizer = tokenizer
        self.first = tokenizer.convert_tokens_to_ids(UNTIMED) + 1

    def ids(self, parts):
        return [index for part in parts for index in self._part(part)]

    def _part(self, part):
        if not isinstance(part, str):
            return [self.first + round(part * 50)]
        if part.startswith("<|"):
            return [self.tokenizer.convert_tokens_to_ids(part)]
        return self.tokenizer(part, add_special_tokens=False)["input_ids"]


TRANSCRIPTS = [
    [START, ENGLISH, TRANSCRIBE, 0.0, " the cat sat", 0.24, 0.26, " on the mat.", 0.5, END],
    [START, ENGLISH, TRANSCRIBE, 0.0, " the cat sat , too", 3.0, 3.0, " on the mat.", 29.98, END],
    [START, UNTIMED, " hello world", END],
    [PREVIOUS, " hello", START, 1.0, " world", 2.0, 0.5, " le café", 4.0],
    [PREVIOUS, " hello"],
    [" two halves", 1.0, 2.0],
    [1.0, " beginning"],
    [" it's twenty two o'clock, Mr. Théatre (laughs) isn't he"],
    [],
]
DECODE_OPTIONS = [
    {},
    {"skip_special_tokens": True},
    {"decode_with_timestamps": True},
    {"decode_with_timestamps": True, "skip_special_tokens": True, "time_precision": 0.04},
    {"output_offsets": True},
    {"output_offsets": True, "decode_with_timestamps": True, "skip_special_tokens": True},
    {"clean_up_tokenization_spaces": False},
    {"normalize": True, "skip_special_tokens": True},
    {"basic_normalize": True, "skip_special_tokens": True},
    {"basic_normalize": True, "remove_diacritics": True},
]
# Stretches of sound as the pipeline gives them: parts, and (seconds, left stride, right stride).
SOUNDS = {
    "one": [([START, ENGLISH, TRANSCRIBE, 0.0, " the cat sat", 1.0, 1.0, " on the mat.", 2.0, END], None)],
    "untimed": [([START, ENGLISH, TRANSCRIBE, UNTIMED, " the cat sat on the mat.", END], None)],
    "unfinished": [([START, ENGLISH, TRANSCRIBE, 0.0, " the cat sat", 1.0, 1.0, " on the"], None)],
    "twice the same time": [([START, ENGLISH, 0.5, 0.5, " the cat", 1.0], None)],
    "overlapping": [
        ([START, ENGLISH, TRANSCRIBE, 0.0, " the cat sat on", 6.0, 6.0, " the mat and", 9.0, END], (10, 0, 2)),
        ([START, ENGLISH, TRANSCRIBE, 0.0, " the mat and", 1.5, 2.5, " the dogs are eating", 8.0, END], (10, 2, 2)),
        ([START, ENGLISH, TRANSCRIBE, 0.0, " dogs are eating", 1.0, 3.0, " food.", 5.0, END], (7, 2, 0)),
    ],
    "overlapping, untimed": [
        ([START, ENGLISH, TRANSCRIBE, UNTIMED, " the cat sat on the mat and", END], (10, 0, 2)),
        ([START, ENGLISH, TRANSCRIBE, UNTIMED, " sat on the mat and the dogs are eating", END], (10, 2, 2)),
        ([START, ENGLISH, TRANSCRIBE, UNTIMED, " a dog are eating food.", END], (7, 2, 0)),
    ],
    "languages": [
        ([START, ENGLISH, TRANSCRIBE, UNTIMED, " the cat sat", END], (10, 0, 2)),
        ([START, CHINESE, TRANSCRIBE, UNTIMED, "\u4e2d\u6587\u5b57", END], (10, 2, 0)),
    ],
    "nothing": [([START, ENGLISH, TRANSCRIBE, END], None)],
    "nothing in between": [
        ([START, ENGLISH, 0.0, " the cat", 2.0, END], (10, 0, 2)),
        ([START, ENGLISH, END], (10, 2, 2)),
        ([START, ENGLISH, 0.0, " the dog", 4.0, END], (10, 2, 0)),
    ],
}
WORDY = {
    "words": [([START, ENGLISH, TRANSCRIBE, 0.0, ' the cat, " sat" (on) the-mat unable.', 4.0, END], None)],
    "letters": [([START, CHINESE, TRANSCRIBE, 0.0, "\u4e2d\u6587\u3002\u5b57\U0001f600", 4.0, END], None)],
    "overlapping words": SOUNDS["overlapping"],
    "words without an end": SOUNDS["unfinished"],
}


def whisper():
    tokenizer = load("whisper", transformers.WhisperTokenizerFast)
    told = Whisper(tokenizer)
    rows = [told.ids(parts) for parts in TRANSCRIPTS]
    tokenizer.english_spelling_normalizer = SPELLINGS
    decoded = []
    for ids in rows:
        for options in DECODE_OPTIONS:
            if ids or "output_offsets" not in options:
                decoded.append({"ids": ids, "options": options, "output": plain(tokenizer.decode(ids, **options))})
    prompts = []
    for language, task, untimed in (("es", "translate", True), ("German", "transcribe", False), (None, None, True)):
        options = {"language": language, "task": task, "no_timestamps": untimed}
        fresh = load("whisper", transformers.WhisperTokenizerFast)
        made = [list(pair) for pair in fresh.get_decoder_prompt_ids(**options)]
        after = {"prefix": fresh.prefix_tokens, "encoded": fresh("the cat")["input_ids"]}
        prompts.append({"options": options, "ids": made, **after})
    prompt = tokenizer.get_prompt_ids(" the cat sat ").tolist()
    heard = []
    for name, parts in SOUNDS.items():
        for timed in (False, True):
            for language in (False, True):
                heard.append(transcript(told, name, parts, timed, language))
    heard += [transcript(told, name, parts, "word", False) for name, parts in WORDY.items()]
    return {"decoded": decoded, "prompts": prompts, "prompt": prompt, "heard": heard, "spellings": SPELLINGS}


def transcript(told, name, parts, timed, language):
    outputs, kept = [], []
    for number, (spelled, stride) in enumerate(parts):
        ids = told.ids(spelled)
        each = {"tokens": [ids]}
        if timed == "word":
            steps = integers(f"{name}{number}", (len(ids),), 0, 8) / 50
            each["token_timestamps"] = [np.cumsum(steps).round(2).tolist()]
        if stride:
            each["stride"] = list(stride)
        kept.append(each)
        outputs.append({key: np.array(value) if key != "stride" else value for key, value in each.items()})
    options = {"return_timestamps": timed, "return_language": language}
    text, more = told.tokenizer._decode_asr(outputs, **options, time_precision=0.02)
    return {"name": name, "outputs": kept, "options": options, "text": text, "more": plain(more)}


ENGLISH_TEXTS = [
    "I'm gonna meet Mr. and Mrs. Smith, y'all! (applause) [music] <noise> Um, hmm: they've gone; he'd been there.",
    "She won't, can't, let's, ain't; I'ma woulda could've 'd done it's got ma'am prof. dr. st. jr.",
    "It cost two dollars and seven cents, twenty three point five percent, $20 million and 3 per cent per person.",
    "Nineteen ninety nine, one oh one, two thousand and one, one hundred and five thousand three hundred twenty.",
    "double seven triple oh nine, double trouble, point five, point nothing, minus five, minus nothing, plus 3.5.",
    "the twenty first of the thirties, ninety-ninth, one thousandth, two millions, zero hundredths, sixes and twelfths",
    "two and a half million, fifty and a half, cats and a half dogs and a half",
    "10,000 and 3.14.15, 1.5 million, 2.345 thousand, 1960s 274th 32nd mp3 3d r2d2 $0.07 £5 and ¢7 €12 ¢5",
    "one ones 1s 1 and 100 and two hundred and and five minus minus five pounds pound 5 euro o",
    "the colour of the theatre was organised, café naïve Œuvre Straße Þór łódź ðat — “quotes” … ½ ² №5 5%% %5 .5 5.",
    "forty two seven hundred, seven forty two, eleven eleven, twenty eleven, sixty forty, five twenty six hundred ten",
    "five point two five, five point zero five million, three hundred point, zero zero seven, oh five million",
    "-5 +3 $ 5 £ -$7 $-7 twenty-five 5 10 15 6.5 6 thousands hundreds of thousands one hundredth five hundredth",
    "first second third fifth eighth nineth twelfth zeroth twentieth 21 st 5 s 3 rd nine teen o clock per",
    "",
    " ",
    "uh um",
    "quintillion three octillions nine decillionth hundred thousand million",
]
SPELLED_TEXTS = [
    "$2.50, -3% and 1,234,567.8 at 10:30; €0.99 or £1000000 (12th) 0 -$15.00 ₹100,000 7.123 x5 5x ₫9 ﷼7.5%",
    "11 12 19 20 21 99 100 101 110 111 119 120 999 1000 1001 1010 1100 10000 10010 1000000 1000001 1000000000000",
    "0.5 0.05 5.0 5.00 05 007 00 -0 -7.7% 1,000,000 1,00 3.14159 1.2.3 -¥3 ¢5 100% 5 % $ 5 a5 5a 5-6 5.",
    "123456789012345678901234567890123456",
]


def texts():
    english, basic = EnglishTextNormalizer(SPELLINGS), BasicTextNormalizer()
    without = BasicTextNormalizer(remove_diacritics=True)
    several = [*ENGLISH_TEXTS, *TEXTS.values()]
    spelled = EnglishNumberNormalizer()
    return {
        "english": [[text, english(text)] for text in several],
        "basic": [[text, basic(text), without(text)] for text in several],
        "spelled": [[text, spelled(text)] for text in SPELLED_TEXTS],
    }


def vits():
    made = []
    for family, options in (("vits_with_unknown", {}), ("vits_with_unknown", {"normalize": False})):
        tokenizer = load(family, transformers.VitsTokenizer, **options)
        ids = tokenizer("the  Cat sat on path")["input_ids"]
        made.append({"options": options, "ids": ids})
    tokenizer = load("vits", transformers.VitsTokenizer, phonemize=False)
    plain_call = tokenizer("Ab ccA", normalize=False)["input_ids"]
    return {"phonemes": made, "not normalized": plain_call}


# ---------------------------------------------------------------------- sounds with texts


def processors():
    """What joint processors make of a sound and a text."""
    sound = sounds("voice:3000")
    made = {}
    for name, family, extractor, calls in (
        (
            "Wav2Vec2Processor",
            "wav2vec2",
            transformers.Wav2Vec2FeatureExtractor(return_attention_mask=True),
            [{"audio": 1}, {"text": "THE CAT"}, {"audio": 1, "text": "THE CAT"}],
        ),
        (
            "WhisperProcessor",
            "whisper",
            transformers.WhisperFeatureExtractor(chunk_length=1),
            [{"audio": 1}, {"audio": 1, "text": "the cat"}],
        ),
        (
            "Speech2TextProcessor",
            "speech_to_text",
            transformers.Speech2TextFeatureExtractor(),
            [{"audio": 1, "text": "the cat"}],
        ),
        (
            "SpeechT5Processor",
            "speecht5",
            transformers.SpeechT5FeatureExtractor(),
            [
                {"audio": 1, "audio_target": 1},
                {"text": "the cat", "audio_target": 1},
                {"audio": 1, "text_target": "the cat"},
                {"text_target": "the cat"},
                {"audio_target": 1},
                {"text": "the cat", "text_target": "a dog"},
            ],
        ),
        (
            "ClapProcessor",
            "roberta",
            transformers.ClapFeatureExtractor(max_length_s=1, sampling_rate=4800, frequency_max=2000),
            [{"audios": 1}, {"text": "the cat"}, {"audios": 1, "text": "the cat"}],
        ),
    ):
        recorded = json.loads((FAMILIES / f"{family}.json").read_text("utf-8"))
        fast = "model" in recorded and family != "whisper"
        tokenizer = load(family, getattr(transformers, recorded["class"] + ("Fast" if fast else "")))
        processor = getattr(transformers, name)(extractor, tokenizer)
        outputs = []
        for call in calls:
            np.random.seed(7)
            given = {key: sound if value == 1 else value for key, value in call.items()}
            out = (
                processor(**given, return_tensors="np", sampling_rate=extractor.sampling_rate)
                if any(value == 1 for value in call.values())
                else processor(**given, return_tensors="np")
            )
            outputs.append({"call": call, "output": {key: summary(value) for key, value in out.items()}})
        with tempfile.TemporaryDirectory() as folder:
            processor.save_pretrained(folder)
            stored = json.loads((Path(folder) / "preprocessor_config.json").read_text())
            kept = json.loads((Path(folder) / "tokenizer_config.json").read_text()).get("processor_class")
        made[name] = {"family": family, "stored": stored, "named": kept, "calls": outputs}
    return made


# ---------------------------------------------------------------------- a language model

ARPA = """\\data\\
ngram 1=6
ngram 2=2

\\1-grams:
-1.0\t<unk>
0\t<s>\t-0.3
-1.0\t</s>
-0.6\tTHE\t-0.2
-0.9\tCAT\t-0.2
-1.5\tEAT

\\2-grams:
-0.2\t<s> THE
-0.1\tTHE CAT

\\end\\
"""
BEAM_OPTIONS = [
    {},
    {"output_word_offsets": True},
    {"n_best": 3, "output_word_offsets": True},
    {"beam_width": 5, "token_min_logp": -3.0, "beam_prune_logp": -8.0, "n_best": 9},
    {"hotwords": ["EAT"], "hotword_weight": 20.0},
    {"alpha": 2.0, "beta": 0.1, "unk_score_offset": -3.0, "lm_score_boundary": False},
]


def beam_logits(count, frames=24):
    """Seeded logits, of which letters of the words that the language model knows are likely."""
    logits = integers("beams", (2, frames, count), -300, 301) / 100
    for frame, letter in enumerate(frames_of_words(frames)):
        logits[:, frame, letter] += 3
    logits[1, 20:] = -100
    return logits.astype("float32")


def frames_of_words(count):
    """Ids of letters of "THE CAT", each twice, in the vocabulary of the fixture "wav2vec2"."""
    recorded = json.loads((FAMILIES / "wav2vec2.json").read_text("utf-8"))
    vocab = json.loads(recorded["files"]["vocab.json"]["text"])
    letters = [vocab[letter] for letter in "THE|CAT" for _ in range(2)]
    return (letters + [0] * count)[:count]


def beams():
    """What pyctcdecode finds, and what the reference makes of it."""
    from pyctcdecode import build_ctcdecoder

    tokenizer = load("wav2vec2", transformers.Wav2Vec2CTCTokenizer)
    vocab = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    path = Path(ROOT.name) / "words.arpa"
    path.write_text(ARPA)
    decoder = build_ctcdecoder([token if token != "|" else " " for token, _ in vocab], str(path))
    processor = transformers.Wav2Vec2ProcessorWithLM(transformers.Wav2Vec2FeatureExtractor(), tokenizer, decoder)
    logits, calls, search = beam_logits(len(vocab)), [], decoder.decode_beams

    for options in BEAM_OPTIONS:
        seen = []

        def noted(logits, seen=seen, **asked):
            seen.append((asked, search(logits, **asked)))
            return seen[-1][1]

        decoder.decode_beams = noted
        outputs = [plain(dict(processor.decode(row, **options))) for row in (logits[0], logits[1, :20])]
        decoder.decode_beams = search
        batch = plain(dict(processor.batch_decode(logits, num_processes=1, **options)))
        beams = [[[each[0], None, *each[2:]] for each in row[:9]] for _, row in seen]
        calls.append({"options": options, "search": seen[0][0], "beams": plain(beams), "outputs": outputs})
        calls[-1]["batch"] = batch
    return {"labels": decoder._alphabet.labels, "calls": calls}


def load(family, cls, **options):
    """The reference's tokenizer of a family's fixture."""
    recorded = json.loads((FAMILIES / f"{family}.json").read_text("utf-8"))
    folder = Path(tempfile.mkdtemp(dir=ROOT.name))  # some read their files again
    for name, content in recorded["files"].items():
        data = content["text"].encode() if "text" in content else base64.b64decode(content["base64"])
        (folder / name).write_bytes(data)
    return cls.from_pretrained(folder, **options)


def plain(value):
    """As JSON has it."""
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value.item() if isinstance(value, np.generic) else value


def main():
    phonemes.install()
    for module in ("wav2vec2_phoneme.tokenization_wav2vec2_phoneme", "vits.tokenization_vits"):
        imported = __import__(f"transformers.models.{module}", fromlist=["x"])
        imported.requires_backends = lambda *names: None
        imported.is_phonemizer_available = lambda: True
        imported.phonemizer = phonemes.MODULES["phonemizer"]
    fixture = {
        "letters": letters(),
        "phonemes": phoneme_tokens(),
        "whisper": whisper(),
        "texts": texts(),
        "vits": vits(),
        "processors": processors(),
        "beams": beams(),
    }
    (FIXTURES / "audio_tokenizers.json").write_text(json.dumps(fixture, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
