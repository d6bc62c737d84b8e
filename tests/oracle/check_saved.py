"""Loads presets that we saved in Transformers (any version) and compares its state dict with the file, bit for bit.

python tests/oracle/check_saved.py FOLDER [FOLDER ..]
"""

import sys
from pathlib import Path

import transformers
from safetensors.torch import load_file


def main(folders):
    for folder in map(Path, folders):
        config = transformers.AutoConfig.from_pretrained(folder)
        cls = getattr(transformers, config.architectures[0])
        model, info = cls.from_pretrained(folder, output_loading_info=True)
        assert not any(info.values()), info
        state = model.state_dict()
        saved = {name: array for path in folder.glob("*.safetensors") for name, array in load_file(path).items()}
        different = [name for name, array in saved.items() if not (state[name] == array).all()]
        assert not different, different
        print(f"{folder}: {cls.__name__} of Transformers {transformers.__version__} has the same {len(saved)} tensors")


if __name__ == "__main__":
    main(sys.argv[1:])
