"""English numbers: spoken ones as digits, as Whisper's word error rates want them, and digits as words, as SpeechT5
speaks them."""

import re
from fractions import Fraction

# ---------------------------------------------------------------------- words to digits

NUMBER = re.compile(r"\d+(\.\d+)?$")
SMALL = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
LARGE = "million billion trillion quadrillion quintillion sextillion septillion octillion nonillion decillion"
ZEROS = {"o", "oh", "zero"}
ONES = {word: number for number, word in enumerate(SMALL.split(), 1)}
DECADES = ["", "ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
TENS = {word: 10 * number for number, word in enumerate(DECADES[2:], 2)}
POWERS = {"hundred": 100, "thousand": 1000} | {word: 1000 ** (2 + number) for number, word in enumerate(LARGE.split())}
IRREGULAR = {"zeroth": (0, "th"), "first": (1, "st"), "second": (2, "nd"), "third": (3, "rd")}
IRREGULAR |= {"fifth": (5, "th"), "eighth": (8, "th"), "twelfth": (12, "th")}
PLURAL_ONES = {"sixes" if word == "six" else f"{word}s": (number, "s") for word, number in ONES.items()}
ORDINAL_ONES = {f"{word}th": (n, "th") for word, n in ONES.items() if n > 3 and n not in (5, 8, 12)} | IRREGULAR
PLURAL_TENS = {word[:-1] + "ies": (number, "s") for word, number in TENS.items()}
ORDINAL_TENS = {word[:-1] + "ieth": (number, "th") for word, number in TENS.items()}
ADDED = ONES | TENS
ADDED_AND_ENDED = PLURAL_ONES | ORDINAL_ONES | PLURAL_TENS | ORDINAL_TENS
POWERS_AND_ENDED = {f"{w}s": (n, "s") for w, n in POWERS.items()} | {f"{w}th": (n, "th") for w, n in POWERS.items()}
SIGNS = {"minus": "-", "negative": "-", "plus": "+", "positive": "+"}  # before a number
CURRENCIES = {"pound": "£", "euro": "€", "dollar": "$", "cent": "¢"}  # behind one
CURRENCIES |= {f"{word}s": sign for word, sign in CURRENCIES.items()}
PREFIXES = {*SIGNS.values(), *CURRENCIES.values()}
PERCENT = {"per", "percent"}
SPECIAL = {"and", "double", "triple", "point"}
WORDS = {*ZEROS, *ADDED, *ADDED_AND_ENDED, *POWERS, *POWERS_AND_ENDED, *SIGNS, *CURRENCIES, *PERCENT, *SPECIAL}
DIGITS = {*ADDED, *ZEROS}  # what may follow a point


def to_digits(text):
    """English text in lower case with its numbers in digits: "two dollars and seven cents" becomes "$2.07"."""
    text = " ".join(Numbers(_halves(text).split()).written)
    text = re.sub(r"([€£$])([0-9]+) (?:and )?¢([0-9]{1,2})\b", lambda m: f"{m[1]}{m[2]}.{int(m[3]):02d}", text)
    text = re.sub(r"[€£$]0.([0-9]{1,2})\b", lambda m: f"¢{int(m[1])}", text)
    return re.sub(r"\b1(s?)\b", r"one\1", text)


def _halves(text):
    """With "point five" for "and a half" behind numbers, and with spaces between digits and letters."""
    parts, written = re.split(r"\band\s+a\s+half\b", text), []
    for index, part in enumerate(parts):
        if not part.strip():
            continue
        written.append(part)
        if index < len(parts) - 1:
            last = part.split()[-1]
            written.append("point five" if last in DIGITS or last in POWERS else "and a half")
    text = " ".join(written)
    text = re.sub(r"([a-z])([0-9])", r"\1 \2", text)
    text = re.sub(r"([0-9])([a-z])", r"\1 \2", text)
    return re.sub(r"([0-9])\s+(st|nd|rd|th|s)\b", r"\1\2", text)


class Numbers:
    """Reads words one after the other; `written` are those that are no numbers, and the numbers in digits.

    `value` is what has been read of a number: None, an int that may still grow, or a str of digits that may get more;
    `sign` is what it will have before it.
    """

    def __init__(self, words):
        self.written, self.value, self.sign = [], None, ""
        words = [None, *words, None]
        skip = False
        for before, word, after in zip(words, words[1:], words[2:], strict=False):
            skip = not skip and bool(self._read(word, before, after))
        self._end()

    def _write(self, text):
        self.written.append(f"{self.sign}{text}")
        self.value, self.sign = None, ""

    def _end(self):
        """Write the number that has been read, if there is one."""
        if self.value is not None:
            self._write(self.value)

    def _read(self, word, before, after):
        """Read a word, knowing its neighbours; returns whether the next one is read with it."""
        bare = word[1:] if word[0] in PREFIXES else word
        numeric = after is not None and NUMBER.match(after)
        if NUMBER.match(bare):
            self._digits(word, bare)
        elif word not in WORDS:
            self._end()
            self._write(word)
        elif word in ZEROS:
            self.value = f"{self.value or ''}0"
        elif word in ADDED:
            self.value = self._grown(ADDED[word], before)
        elif word in ADDED_AND_ENDED:
            number, ending = ADDED_AND_ENDED[word]
            self._write(f"{self._grown(number, before)}{ending}")
        elif word in POWERS:
            self._multiply(POWERS[word])
        elif word in POWERS_AND_ENDED:
            self._multiply(*POWERS_AND_ENDED[word])
        elif word in SIGNS:
            self._end()
            if after in WORDS or numeric:
                self.sign = SIGNS[word]
            else:
                self._write(word)
        elif word in CURRENCIES:
            self.sign = self.sign if self.value is None else CURRENCIES[word]
            self._write(word if self.value is None else self.value)
        elif word in PERCENT:
            return self._percent(word, after)
        else:
            return self._special(word, before, after, after in WORDS or numeric)
        return False

    def _digits(self, word, bare):
        if isinstance(self.value, str) and self.value.endswith("."):  # decimals, or parts of an address
            self.value += word
            return
        self._end()
        self.sign = word[0] if bare != word else self.sign
        number = Fraction(bare)
        self.value = number.numerator if number.denominator == 1 else bare

    def _grown(self, number, before):
        """The value with 1 to 90 more; digits that cannot be added are appended."""
        if self.value is None:
            return number
        if isinstance(self.value, str) or before in ONES:
            return f"{self.value[:-1] if before in TENS and number < 10 else self.value}{number}"
        return self.value + number if self.value % (10 if number < 10 else 100) == 0 else f"{self.value}{number}"

    def _multiply(self, power, ending=None):
        """Read a hundred, a thousand or more; with an ending ("thousands", "thousandth") the number ends there."""
        value, self.value = self.value, None
        if value is None:
            value = power
        elif isinstance(value, str) or (value == 0 and ending is None):
            product = _fraction(value)
            product = None if product is None else product * power
            if product is None or product.denominator != 1:
                self._write(value)
                value = power
            else:
                value = product.numerator
        else:
            value = value // 1000 * 1000 + value % 1000 * power
        if ending is None:
            self.value = value
        else:
            self._write(f"{value}{ending}")

    def _percent(self, word, after):
        if self.value is None:
            self._write(word)
        elif word == "percent" or after == "cent":
            self._write(f"{self.value}%")
            return word == "per"
        else:
            self._end()
            self._write(word)
        return False

    def _special(self, word, before, after, followed):
        if word == "point" and followed:
            if after in DIGITS or NUMBER.match(after):
                self.value = f"{self.value or ''}."
        elif word in ("double", "triple") and (after in ONES or after in ZEROS):
            self.value = f"{self.value or ''}{str(ONES.get(after, 0)) * (2 if word == 'double' else 3)}"
            return True
        elif not (word == "and" and followed and before in POWERS):
            self._end()
            self._write(word)
        return False


def _fraction(value):
    try:
        return Fraction(value)
    except ValueError:
        return None


# ---------------------------------------------------------------------- digits to words

UNITS = ["", *SMALL.split()]
THOUSANDS = ["", "thousand", *LARGE.split()]
MONEY = {
    "$": "dollars",
    "€": "euros",
    "£": "pounds",
    "¢": "cents",
    "¥": "japanese yen",
    "﷼": "saudi riyal",
    "₹": "indian rupees",
    "₽": "russian rubles",
    "฿": "thai baht",
    "₺": "turkish liras",
    "₴": "ukrainian hryvnia",
    "₣": "swiss francs",
    "₡": "costa rican colon",
    "₱": "philippine peso",
    "₪": "israeli shekels",
    "₮": "mongolian tögrög",
    "₩": "south korean won",
    "₦": "nigerian naira",
    "₫": "vietnamese Đồng",
}
QUANTITY = re.compile(r"(?<!\w)(-?\$?€?£?¢?¥?₹?₽?฿?₺?₴?₣?₡?₱?₪?₮?₩?₦?₫?﷼?\d+(?:\.\d{1,2})?%?)(?!\w)")


def to_words(text):
    """A text with its numbers in English words: "$2.50" becomes "two point five zero dollars"."""
    text = re.sub(r"\d+,\d+", lambda match: match[0].replace(",", ""), text)
    text = QUANTITY.sub(lambda match: _spelled(match[0]), text)
    return re.sub(" +", " ", text)


def _spelled(quantity):
    """A number with its sign, its currency and its percent -> its words."""
    whole, _, decimals = quantity.partition(".")
    minus = "minus " if whole.startswith("-") else ""
    whole = whole.removeprefix("-")
    money = next((f" {name}" for sign, name in MONEY.items() if whole.startswith(sign)), "")
    whole = whole[1:] if money else whole
    percent = " percent" if quantity.endswith("%") else ""
    whole, decimals = whole.removesuffix("%"), decimals.removesuffix("%")
    if len(whole) > 3 * len(THOUSANDS):
        return quantity
    words = _integer(whole)
    if decimals not in ("", "00"):
        words += " point " + " ".join(UNITS[int(digit)] or "zero" for digit in decimals)
    return f"{minus}{words}{percent}{money}"


def _integer(digits):
    """Digits -> words; none for 0."""
    groups = re.findall(r"\d{3}", digits.zfill(-(-len(digits) // 3) * 3))
    words = [
        f"{_hundreds(int(group))} {THOUSANDS[len(groups) - place]}".strip()
        for place, group in enumerate(groups, 1)
        if int(group)
    ]
    return " ".join(words)


def _hundreds(number):
    """1 to 999 -> words."""
    hundreds, rest = divmod(number, 100)
    small = UNITS[rest] if 10 < rest < 20 else " ".join(filter(None, (DECADES[rest // 10], UNITS[rest % 10])))
    return " and ".join(filter(None, (f"{UNITS[hundreds]} hundred" if hundreds else "", small)))
