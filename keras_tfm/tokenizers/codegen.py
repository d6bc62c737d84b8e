"""CodeGen's tokenizer, and Phi's: GPT-2's, whose decoded programs can be cut where the next one begins."""

import re

from keras_tfm.tokenizers.gpt2 import GPT2Tokenizer


class CodeGenTokenizer(GPT2Tokenizer):
    """Byte-level BPE; options as for `GPT2Tokenizer`."""

    def decode(self, token_ids, *, truncate_before_pattern=None, **options):
        """As `Tokenizer.decode`.

        truncate_before_pattern: regular expressions, looked for line by line (`^` begins a line). The text ends before
            the first match of any, and before its second `print` or `def` at the beginning of a line.
        """
        text = super().decode(token_ids, **options)
        if truncate_before_pattern:
            for statement in ("print", "def"):
                begun = [match.start() for match in re.finditer(f"^{statement}", text, re.MULTILINE)]
                text = text[: begun[1]] if len(begun) > 1 else text
            found = [re.search(pattern, text, re.MULTILINE) for pattern in truncate_before_pattern]
            text = text[: min((match.start() for match in found if match), default=len(text))]
        return text


CodeGenTokenizerFast = CodeGenTokenizer
