"""Makes tiny teachers: random weights, real tokenizers, every kind of vocabulary."""

from __future__ import annotations

import argparse
import inspect
import textwrap
from collections import Counter
from pathlib import Path

import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer import modules as st_modules
from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from transformers import (
    BertConfig,
    BertModel,
    GPT2Config,
    GPT2LMHeadModel,
    PreTrainedTokenizerFast,
)

CORPUS = [
    line
    for module in (argparse, textwrap, inspect)
    for line in Path(inspect.getfile(module)).read_text(encoding="utf-8").splitlines()
    if line.strip()
]
"""Real English and code that every machine has: the source of three standard modules."""
WIDTH = 24


def _bert(folder: Path, tokenizer: PreTrainedTokenizerFast) -> Path:
    torch.manual_seed(7)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=WIDTH,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=48,
        max_position_embeddings=64,
        initializer_range=0.5,
    )
    BertModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _pieces(backend: Tokenizer, count: int) -> list[str]:
    """The corpus's letters and its most frequent words; the library's trainer breaks ties by chance."""
    words: Counter[str] = Counter()
    for line in CORPUS:
        cut = backend.pre_tokenizer.pre_tokenize_str(backend.normalizer.normalize_str(line))
        words.update(word for word, _ in cut)
    letters = sorted({letter for word in words for letter in word})
    inner = [f"##{piece}" for piece in (*letters, "ed", "er", "ing", "ion", "ly")]
    frequent = sorted((word for word in words if len(word) > 1), key=lambda w: (-words[w], w))
    return [*letters, *inner, *frequent][:count]


def make_bert(folder: Path) -> Path:
    """A plain Hugging Face BERT with an uncased WordPiece vocabulary and [unusedN] tokens."""
    backend = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    backend.normalizer = normalizers.BertNormalizer(lowercase=True)
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.decoder = decoders.WordPiece()
    special = ["[PAD]", "[unused0]", "[unused1]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    vocabulary = [*special, *_pieces(backend, 602 - len(special))]
    backend.model = models.WordPiece({t: i for i, t in enumerate(vocabulary)}, unk_token="[UNK]")
    backend.post_processor = processors.BertProcessing(
        ("[SEP]", vocabulary.index("[SEP]")), ("[CLS]", vocabulary.index("[CLS]"))
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend,
        unk_token="[UNK]",
        pad_token="[PAD]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        model_max_length=64,
    )
    return _bert(folder, tokenizer)


def make_sentence_bert(folder: Path, *, bert: Path) -> Path:
    """The same BERT as a sentence transformer: first-token pooling, Dense, Normalize, a prompt."""
    torch.manual_seed(8)
    transformer = st_modules.Transformer(str(bert))
    model = SentenceTransformer(
        modules=[
            transformer,
            st_modules.Pooling(WIDTH, pooling_mode="cls"),
            st_modules.Dense(WIDTH, 16),
            st_modules.Normalize(),
        ],
        prompts={"search": "find this "},
        default_prompt_name="search",
        device="cpu",
    )
    model.save(str(folder))
    card = "---\nlicense: mit\nlanguage:\n- en\n- ko\n---\n# A teacher\n"
    (folder / "README.md").write_text(card, encoding="utf-8")
    return folder


def make_unigram_bert(folder: Path) -> Path:
    """A BERT with a Unigram vocabulary and metaspace, as XLM-R and T5 have."""
    backend = Tokenizer(models.Unigram())
    backend.normalizer = normalizers.NFKC()
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    backend.decoder = decoders.Metaspace()
    # <unk> must keep its id when <s> and </s> go: model2vec 0.10 does not move Unigram's unk_id.
    trainer = trainers.UnigramTrainer(
        vocab_size=400, special_tokens=["<pad>", "<unk>", "<s>", "</s>"], unk_token="<unk>"
    )
    backend.train_from_iterator(CORPUS, trainer)
    backend.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        special_tokens=[("<s>", backend.token_to_id("<s>")), ("</s>", backend.token_to_id("</s>"))],
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend,
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
        pad_token="<pad>",
        model_max_length=64,
    )
    return _bert(folder, tokenizer)


def make_gpt(folder: Path) -> Path:
    """A plain decoder with a byte-level BPE vocabulary, as GPT-2 has; no tokens around a text."""
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=500,
        special_tokens=["<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    backend.train_from_iterator(CORPUS, trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend, eos_token="<|endoftext|>", model_max_length=64
    )
    torch.manual_seed(9)
    config = GPT2Config(
        vocab_size=len(tokenizer),
        n_embd=WIDTH,
        n_layer=2,
        n_head=2,
        n_positions=64,
        initializer_range=0.5,
    )
    GPT2LMHeadModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
