"""Whisper's tokenizer: byte-level BPE, tokens for languages, tasks and times, and transcripts put together."""

import json
import re

import numpy as np

from keras_tfm.tokenizers.base import ONE_CALL, Tokenizer
from keras_tfm.tokenizers.byte_level import byte_level_backend, set_prefix_space
from keras_tfm.tokenizers.files import read_text
from keras_tfm.tokenizers.frames import frame
from keras_tfm.tokenizers.normalizers import normalize_basic, normalize_english
from keras_tfm.tokenizers.transcripts import Transcript

NAMES = """
    en:english zh:chinese de:german es:spanish ru:russian ko:korean fr:french ja:japanese pt:portuguese
    tr:turkish pl:polish ca:catalan nl:dutch ar:arabic sv:swedish it:italian id:indonesian hi:hindi fi:finnish
    vi:vietnamese he:hebrew uk:ukrainian el:greek ms:malay cs:czech ro:romanian da:danish hu:hungarian ta:tamil
    no:norwegian th:thai ur:urdu hr:croatian bg:bulgarian lt:lithuanian la:latin mi:maori ml:malayalam cy:welsh
    sk:slovak te:telugu fa:persian lv:latvian bn:bengali sr:serbian az:azerbaijani sl:slovenian kn:kannada et:estonian
    mk:macedonian br:breton eu:basque is:icelandic hy:armenian ne:nepali mn:mongolian bs:bosnian kk:kazakh sq:albanian
    sw:swahili gl:galician mr:marathi pa:punjabi si:sinhala km:khmer sn:shona yo:yoruba so:somali af:afrikaans
    oc:occitan ka:georgian be:belarusian tg:tajik sd:sindhi gu:gujarati am:amharic yi:yiddish lo:lao uz:uzbek fo:faroese
    ps:pashto tk:turkmen nn:nynorsk mt:maltese sa:sanskrit lb:luxembourgish my:myanmar bo:tibetan
    tl:tagalog mg:malagasy as:assamese tt:tatar haw:hawaiian ln:lingala ha:hausa ba:bashkir jw:javanese su:sundanese
    yue:cantonese
"""
LANGUAGES = dict(part.split(":") for part in NAMES.split()) | {"ht": "haitian creole"}
CODES = {name: code for code, name in LANGUAGES.items()} | {
    "burmese": "my",
    "castilian": "es",
    "flemish": "nl",
    "haitian": "ht",
    "letzeburgesch": "lb",
    "mandarin": "zh",
    "moldavian": "ro",
    "moldovan": "ro",
    "panjabi": "pa",
    "pushto": "ps",
    "sinhalese": "si",
    "valencian": "ca",
}
TASKS = ("translate", "transcribe")
TIME = re.compile(r"<\|(\d+\.\d+)\|>")
TIMES = 1501  # of 30 seconds
START, PREVIOUS, UNTIMED = "<|startoftranscript|>", "<|startofprev|>", "<|notimestamps|>"


class WhisperTokenizer(Tokenizer):
    """Byte-level BPE with `<|startoftranscript|> <|en|> <|transcribe|> <|notimestamps|> A <|endoftext|>`.

    Options besides those of `Tokenizer`:
        language, task, predict_timestamps: what stands before a text: the token of a language (by its code or its
            English name), of "transcribe" or "translate", and that there are no times. Default: as tokenizer.json says,
            or without language, task and times.
        add_prefix_space: the first word is encoded as one that a space precedes (default False).

    With a file normalizer.json, `normalize` writes British words as American ones.
    """

    vocab_files = ("vocab.json", "merges.txt")
    more_files = ("normalizer.json",)
    defaults = {
        "bos_token": "<|endoftext|>",
        "eos_token": "<|endoftext|>",
        "unk_token": "<|endoftext|>",
        "add_prefix_space": False,
        "language": None,
        "task": None,
        "predict_timestamps": False,
    }
    model_input_names = ("input_ids", "attention_mask")

    def __init__(self, backend, /, **config):
        super().__init__(backend, **config)
        asked = any(self.config[option] for option in ("language", "task", "predict_timestamps"))
        if asked or (backend.post_processor is None and backend.token_to_id(START) is not None):
            self.set_prefix_tokens()

    @classmethod
    def build(cls, files, config):
        return byte_level_backend(files["vocab.json"], files["merges.txt"])

    @classmethod
    def configure(cls, backend, config):
        set_prefix_space(backend, config["add_prefix_space"])

    # ------------------------------------------------------------------ what stands before a text

    @property
    def language(self):
        """The language of transcripts, as it was set; None for any."""
        return self.config["language"]

    @property
    def task(self):
        """ "transcribe", "translate" or None."""
        return self.config["task"]

    @property
    def predict_timestamps(self):
        """Whether transcripts tell times."""
        return self.config["predict_timestamps"]

    def set_prefix_tokens(self, language=None, task=None, predict_timestamps=None):
        """Put other tokens before the texts that are encoded from now on; None leaves an option as it is.

        ValueError for a language or a task that Whisper does not know, or this model's vocabulary.
        """
        given = {"language": language, "task": task, "predict_timestamps": predict_timestamps}
        before = self.config
        self.config = before | {key: value for key, value in given.items() if value is not None}
        try:
            prefix, end = " ".join(self._prefix()), self.eos_token
            framing = frame(self.backend, f"{prefix} $A {end}", f"{prefix} $A $B:1 {end}:1")
        except ValueError:
            self.config = before
            raise
        with ONE_CALL:
            self.backend.post_processor = framing

    def _prefix(self):
        tokens, language, task = [START], self.language, self.task
        if language is not None:
            code = CODES.get(language.lower(), language.lower())
            if code not in LANGUAGES:
                raise ValueError(f"language={language!r} is unknown: use a code such as 'en' or a name, 'english'.")
            tokens.append(f"<|{code}|>")
        if task is not None:
            if task not in TASKS:
                raise ValueError(f"task={task!r} is unknown: use 'transcribe' or 'translate'.")
            tokens.append(f"<|{task}|>")
        return tokens if self.predict_timestamps else [*tokens, UNTIMED]

    @property
    def prefix_tokens(self):
        """The ids before a text."""
        return self.convert_tokens_to_ids(self._prefix())

    def get_decoder_prompt_ids(self, task=None, language=None, no_timestamps=True):
        """[(place, id)] of what generation has to begin with behind the first token; sets the prefix, too."""
        self.set_prefix_tokens(task=task, language=language, predict_timestamps=not no_timestamps)
        return list(enumerate(self.prefix_tokens[1:], 1))

    def get_prompt_ids(self, text):
        """What was said before, int32 (T,), as generation takes it. ValueError for a text with special tokens."""
        ids = self(" " + text.strip(), add_special_tokens=False, return_attention_mask=False)["input_ids"][0]
        for index in ids.tolist():
            if index >= self.all_special_ids[0]:
                token = self.convert_ids_to_tokens(index)
                raise ValueError(f"a prompt must not hold the special token {token}: take it out of the text.")
        return np.concatenate([[self.convert_tokens_to_ids(PREVIOUS)], ids]).astype("int32")

    # ------------------------------------------------------------------ times

    @property
    def timestamp_begin(self):
        """The id of the time 0.00; those of later times follow, in steps of 0.02 s."""
        return self.convert_tokens_to_ids(UNTIMED) + 1

    def timestamp_ids(self, time_precision=0.02):
        """The ids of all times, where the vocabulary has them."""
        return self.convert_tokens_to_ids([f"<|{i * time_precision:.2f}|>" for i in range(TIMES)])

    def decode(
        self,
        token_ids,
        *,
        skip_special_tokens=False,
        clean_up_tokenization_spaces=None,
        output_offsets=False,
        time_precision=0.02,
        decode_with_timestamps=False,
        normalize=False,
        basic_normalize=False,
        remove_diacritics=False,
    ):
        """The text of a row of ids.

        skip_special_tokens: leave them out, and what was said before (`get_prompt_ids`).
        decode_with_timestamps: with times, such as <|1.08|>, which go on from one stretch of 30 seconds to the next.
        output_offsets: return {"text", "offsets": [{"text", "timestamp": (start, end)}]} of what stands between times.
        time_precision: seconds of a step between times.
        normalize, basic_normalize, remove_diacritics: see the methods of those names.

        ValueError for an id outside the vocabulary that is no time.
        """
        ids = [int(index) for index in np.atleast_1d(np.asarray(token_ids))]
        options = {"skip_special_tokens": skip_special_tokens}
        said = self._without_prompt(ids) if skip_special_tokens else ids
        if decode_with_timestamps:
            text = self._timed_text(said, time_precision, **options)
        else:
            text = self._plain(said, clean_up_tokenization_spaces=clean_up_tokenization_spaces, **options)
            if normalize:
                text = self.normalize(text)
            elif basic_normalize:
                text = self.basic_normalize(text, remove_diacritics)
            text = TIME.sub("", text)
        return {"text": text, "offsets": self._offsets(ids, time_precision)} if output_offsets else text

    def _plain(self, ids, **options):
        """The text of ids, without times that the vocabulary has no tokens for."""
        first = self.timestamp_begin
        return super().decode([i for i in ids if i < first or self._token(i) is not None], **options)

    def _without_prompt(self, ids):
        previous, start = self.convert_tokens_to_ids([PREVIOUS, START])
        if not ids or ids[0] != previous:
            return ids
        return ids[ids.index(start) :] if start in ids else []

    def _timed_text(self, ids, precision, **options):
        first, latest, before, texts, part = self.timestamp_begin, 0.0, 0.0, [], []
        for index in ids:
            if index < first:
                part.append(index)
                continue
            time = (index - first) * precision
            before += latest if time < latest else 0  # the next stretch has begun
            latest = time
            texts += [self.decode(part, **options), f"<|{time + before:.2f}|>"]
            part = []
        return "".join([*texts, self.decode(part, **options)])

    def _offsets(self, ids, precision):
        first = self.timestamp_begin
        times = [place for place, index in enumerate(ids) if index >= first]
        cuts = [place for place in times if place - 1 in {*times}]
        if not cuts and len(times) <= 1:
            return []
        if times[-1] + 1 not in cuts:
            cuts.append(times[-1] + 1)
        offsets = []
        for start, end in zip([times[0], *cuts], cuts, strict=False):
            part = ids[start:end]
            if len(part) > 1:
                span = tuple((index - first) * precision for index in (part[0], part[-1]))
                offsets.append({"text": TIME.sub("", self._plain(part)), "timestamp": span})
        return offsets

    def decode_asr(self, outputs, *, return_timestamps=False, return_language=False, time_precision=0.02):
        """What the model wrote of one sound, in stretches that may overlap -> its text, and {"chunks": [...]} if asked.

        outputs: a list of {"tokens": (1, T)}, with "stride" (seconds of the stretch, and of its left and right parts
            that others have too) where there are several, and "token_timestamps" (1, T) in seconds for words.
        return_timestamps: True for chunks of "text" and "timestamp" (start, end), "word" for one a word.
        return_language: chunks have their "language", too.
        """
        transcript = Transcript(self, LANGUAGES, bool(return_timestamps), return_timestamps == "word", time_precision)
        for output in outputs:
            transcript.add(output)
        transcript.end()
        chunks, text = transcript.chunks, "".join(chunk["text"] for chunk in transcript.chunks)
        if not (return_timestamps or return_language):
            return text, {}
        if return_timestamps == "word":
            return text, {"chunks": [word for chunk in chunks for word in chunk["words"]]}
        wanted = ["language"] * return_language + ["timestamp"] * bool(return_timestamps) + ["text"]
        rows = [chunk | {"timestamp": tuple(chunk["timestamp"])} for chunk in chunks]
        return text, {"chunks": [{key: row[key] for key in wanted} for row in rows]}

    # ------------------------------------------------------------------ for comparing transcripts

    @property
    def english_spelling_normalizer(self):
        """{British: American} words of normalizer.json, None without that file."""
        path = next((path for path in self.vocab_paths if path.name == "normalizer.json"), None)
        if path is None:
            return None
        try:
            return json.loads(read_text(path))
        except ValueError as error:
            raise ValueError(f"{path} is damaged: {error}. Fetch it again.") from error

    def normalize(self, text):
        """An English text in lower case, without punctuation, with contractions written out and numbers in digits."""
        return normalize_english(text, self.english_spelling_normalizer)

    @staticmethod
    def basic_normalize(text, remove_diacritics=False):
        """A text of any language in lower case, without punctuation and symbols, or also without marks on letters."""
        return normalize_basic(text, remove_diacritics)


WhisperTokenizerFast = WhisperTokenizer
